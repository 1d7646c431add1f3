// SPDX-License-Identifier: MIT
// kmodld: links and loads relocatable ELF modules, step by step as Linux's load_module() does.
//
// A map of the library:
//   loader.hpp       loader<Config>: load, unload, find
//   load_module.hpp  the steps in order; each is a file of steps/
//   config.hpp       what a Config names; policy/ has one concept a file
//   abi.hpp          which kernel's formats and layout
//   error.hpp        errors as data; error_text.hpp their messages
//   reloc.hpp        the relocation core by itself; arch/ the architectures' tables
//   layout/          which section goes where
//   linux/           formats of Linux modules: usable alone
//   hosted/          models for programs with an operating system (not included here)
#pragma once

#include <kmodld/arch/all.hpp>
#include <kmodld/error_text.hpp>
#include <kmodld/loader.hpp>
