// SPDX-License-Identifier: MIT
// load_module: the steps in the order of Linux 6.1.
#pragma once

#include <kmodld/pipeline.hpp>
#include <kmodld/steps/add_unformed_module.hpp>
#include <kmodld/steps/apply_relocations.hpp>
#include <kmodld/steps/audit_log_kern_module.hpp>
#include <kmodld/steps/blacklisted.hpp>
#include <kmodld/steps/check_modstruct_version.hpp>
#include <kmodld/steps/check_module_license_and_versions.hpp>
#include <kmodld/steps/complete_formation.hpp>
#include <kmodld/steps/copy_module_elf.hpp>
#include <kmodld/steps/do_init_module.hpp>
#include <kmodld/steps/dynamic_debug_setup.hpp>
#include <kmodld/steps/elf_header_check.hpp>
#include <kmodld/steps/find_module_sections.hpp>
#include <kmodld/steps/flush_module_icache.hpp>
#include <kmodld/steps/free_copy.hpp>
#include <kmodld/steps/ftrace_module_init.hpp>
#include <kmodld/steps/init_build_id.hpp>
#include <kmodld/steps/init_param_lock.hpp>
#include <kmodld/steps/layout_and_allocate.hpp>
#include <kmodld/steps/mod_sysfs_setup.hpp>
#include <kmodld/steps/module_sig_check.hpp>
#include <kmodld/steps/module_unload_init.hpp>
#include <kmodld/steps/parse_args.hpp>
#include <kmodld/steps/percpu_modalloc.hpp>
#include <kmodld/steps/post_relocation.hpp>
#include <kmodld/steps/prepare_coming_module.hpp>
#include <kmodld/steps/rewrite_section_headers.hpp>
#include <kmodld/steps/setup_load_info.hpp>
#include <kmodld/steps/setup_modinfo.hpp>
#include <kmodld/steps/simplify_symbols.hpp>
#include <kmodld/steps/strndup_user.hpp>
#include <kmodld/steps/taint_unsigned.hpp>
#include <kmodld/steps/trace_module_load.hpp>

namespace kmodld {

/// The default pipeline. A Config changes it by a member template:
///   template <class C> using pipeline =
///       kmodld::insert_step<kmodld::load_module<C>, kmodld::steps::apply_relocations<C>, my_step>;
template <class Config>
using load_module =
    pipeline<steps::module_sig_check, steps::elf_header_check<Config>,
             steps::setup_load_info<Config>, steps::blacklisted,
             steps::rewrite_section_headers<Config>, steps::check_modstruct_version<Config>,
             steps::layout_and_allocate<Config>, steps::audit_log_kern_module,
             steps::add_unformed_module, steps::taint_unsigned, steps::percpu_modalloc,
             steps::module_unload_init, steps::init_param_lock, steps::find_module_sections,
             steps::check_module_license_and_versions, steps::setup_modinfo,
             steps::simplify_symbols<Config>, steps::apply_relocations<Config>,
             steps::post_relocation<Config>, steps::flush_module_icache, steps::strndup_user,
             steps::init_build_id, steps::dynamic_debug_setup, steps::ftrace_module_init,
             steps::complete_formation, steps::prepare_coming_module, steps::parse_args,
             steps::mod_sysfs_setup, steps::copy_module_elf<Config>, steps::free_copy,
             steps::trace_module_load, steps::do_init_module>;

namespace detail {

template <class C>
struct pipeline_of {
  using type = load_module<C>;
};
template <class C>
  requires requires { typename C::template pipeline<C>; }
struct pipeline_of<C> {
  using type = typename C::template pipeline<C>;
};

} // namespace detail
} // namespace kmodld
