# SPDX-License-Identifier: MIT
# check.sh ROLLBACK HYPERVISOR...: whether the example says what it should, of patches that it applies
# and of those that it must refuse, and whether rollback.cpp's test holds.
here=$(dirname "$0")
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT

refused() { # refused CASE LINE: that patch is refused with this line, and leaves nothing behind
  sh "$here/patch.sh" "$hypervisor" "$here/patches/refused.c" "$scratch/$1.o" "-D$1" || exit 1
  said=$("$hypervisor" upload "$scratch/$1.o" guest)
  [ $? -eq 1 ] || { echo "$1: not exit status 1: $said"; exit 1; }
  case $2 in *ENOENT) why=${2% ENOENT} error='No such file or directory' ;;
             *) why="livepatch: $1: $2" error='Invalid argument' ;; esac
  [ "$said" = "$why
upload $1: $error
guests get 0x5ec3e7
0 bytes of patches are left" ] || { echo "$1: $said"; exit 1; }
}

rollback=$1; shift
for hypervisor; do
  sh "$here/patch.sh" "$hypervisor" "$here/patches/bounds.c" "$scratch/bounds.o" || exit 1
  cp "$scratch/bounds.o" "$scratch/again.o"
  wanted='guests get 0x5ec3e7
upload bounds: done
guests get 0x5ec3e7
revert bounds: Invalid argument
apply bounds: done
guests get no answer
apply bounds: Invalid argument
upload again: done
apply again: Device or resource busy
bounds: module is in use
unload bounds: Resource temporarily unavailable
guests get no answer
revert bounds: done
guests get 0x5ec3e7
apply again: done
guests get no answer
unload bounds: done
revert again: done
guests get 0x5ec3e7
unload again: done
apply bounds: No such file or directory
0 bytes of patches are left'
  said=$("$hypervisor" guest upload "$scratch/bounds.o" guest revert bounds apply bounds guest \
    apply bounds upload "$scratch/again.o" apply again unload bounds guest revert bounds guest \
    apply again guest unload bounds revert again guest unload again apply bounds)
  status=$?
  case $said in *'apply bounds: Input/output error'*|*'apply bounds: Permission denied'*|\
                *'apply bounds: Operation not permitted'*)
    echo 'SKIPPED: this system does not let a process write to its own code by /proc/self/mem'
    exit 77 ;;
  esac
  [ $status -eq 1 ] || { echo "exit status $status: $said"; exit 1; } # some were refused
  [ "$said" = "$wanted" ] || { echo "$said"; exit 1; }

  # One that is still applied when the hypervisor ends is reverted first.
  said=$("$hypervisor" upload "$scratch/bounds.o" apply bounds) || { echo "$said"; exit 1; }

  refused no_depends 'not made for this hypervisor'
  refused other_build 'not made for this hypervisor'
  refused no_table 'replaces no function, or too many'
  refused too_many 'replaces no function, or too many'
  refused cut 'an entry is cut'
  refused other_version 'an entry has an unknown version'
  refused unknown_function 'read_everything: no function has this name, or several have'
  refused no_function 'registers: no function has this name, or several have'
  refused no_name ': no function has this name, or several have'
  refused wrong_address 'read_register: the function is not at the address it should be'
  refused wrong_old_size 'read_register: the function is not as long as it should be'
  refused too_short 'yield: the function is too short for a jump'
  refused twice 'read_register: a function is replaced twice'
  refused not_in_patch "read_register: the replacement is not in the patch's code"
  refused not_code "read_register: the replacement is not in the patch's code"
  refused wrong_new_size "read_register: the replacement is not in the patch's code"
  refused unknown_import 'unknown_import: Unknown symbol nowhere (err -2) ENOENT'
  refused ambiguous_import 'ambiguous_import: Unknown symbol table (err -2) ENOENT'
done

sh "$here/patch.sh" "$rollback" "$here/patches/two.c" "$scratch/two.o" || exit 1
"$rollback" "$scratch/two.o"
