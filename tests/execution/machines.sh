# SPDX-License-Identifier: MIT
# Sourced: the machines that modules are executed on. `machine NAME` sets
#   arch     kmodld's name of it                gcc      prefix of the cross compiler's tools
#   qemu     what runs its programs             target   clang's name of it
#   host     compiler flags of the test program abi      flags that all its objects have
#   link     linker flags of the program        kernel   abi of Debian's kernel
#   package  what fetch.sh is to fetch          places   where Debian's modules are tried
# and `variants NAME` prints how the samples are compiled, a line each: NAME PLACES COMPILER FLAG...
# PLACES: t next to each other, n near the program, m beyond the reach of branches, f anywhere.
# A flag with 'provider:' or 'consumer:' before it is for that object alone.
debian_modules='crc-itu-t crc7 crc16 crc64 libarc4 lz4_compress lz4hc_compress'
machines='amd64 i386 arm64 armhf riscv64 riscv32 ppc64el ppc64 s390x mips64el mips64 mipsel mips m68k loong64'

machine() {
  gcc='' target='' host='' abi='' link='' kernel=linux_6_1 package='' places='' qemu=''
  case $1 in
    amd64)
      package='linux-image-6.1.0-56-amd64=6.1.192-2 linux-headers-6.1.0-56-amd64=6.1.192-2' places=n
      arch=x86_64 gcc='' target=x86_64-linux-gnu abi='-fcf-protection=none'
      host='-mgeneral-regs-only -fno-pic' link=-no-pie ;;
    i386)
      package='--arch i386 linux-image-6.1.0-50-686-pae=6.1.176-1' places=nmf
      arch=i386 gcc=i686-linux-gnu- target=i686-linux-gnu qemu=qemu-i386 abi='-fcf-protection=none'
      host=-fno-pic link=-no-pie ;;
    arm64)
      package='--arch arm64 linux-image-6.1.0-56-arm64=6.1.192-2' places=nm
      arch=aarch64 gcc=aarch64-linux-gnu- target=aarch64-linux-gnu qemu=qemu-aarch64
      abi=-mno-outline-atomics host='-mgeneral-regs-only -fno-pic' link=-no-pie ;;
    armhf)
      package='--arch armhf linux-image-6.1.0-50-armmp=6.1.176-1' places=nmf
      arch=arm gcc=arm-linux-gnueabihf- target=armv7-linux-gnueabihf qemu=qemu-arm
      host='-marm -fno-pic -Wno-psabi' link=-no-pie ;;
    riscv64)
      package='--suite sid --arch riscv64 linux-modules-[0-9]*+deb[0-9]*[0-9]-riscv64' places=nm
      arch='riscv<64>' gcc=riscv64-linux-gnu- target=riscv64-linux-gnu qemu=qemu-riscv64
      abi='-mno-relax' host=-fno-pic link=-no-pie kernel=linux_6_12 ;;
    riscv32)
      arch='riscv<32>' gcc=riscv64-linux-gnu- target=riscv32-linux-gnu qemu=qemu-riscv32
      abi='-mno-relax -march=rv32imac_zicsr_zifencei -mabi=ilp32 -DNO_FLOAT' host='-fno-pic -DSYS_futex=422'
      link='-no-pie -Wl,-melf32lriscv' ;;
    ppc64el)
      package='--arch ppc64el linux-image-6.1.0-50-powerpc64le=6.1.176-1' places=nmf
      arch=powerpc64le gcc=powerpc64le-linux-gnu- target=powerpc64le-linux-gnu qemu='qemu-ppc64le -cpu power10'
      host=-fno-pic link=-no-pie ;;
    ppc64)
      arch=powerpc64 gcc=powerpc64-linux-gnu- target=powerpc64-linux-gnu qemu='qemu-ppc64 -cpu power10'
      abi='-mabi=elfv2 -mcpu=power8' host=-fno-pic link=-no-pie ;;
    s390x)
      package='--arch s390x linux-image-6.1.0-50-s390x=6.1.176-1' places=nmf
      arch=s390x gcc=s390x-linux-gnu- target=s390x-linux-gnu qemu=qemu-s390x
      host=-fno-pic link=-no-pie ;;
    mips64el)
      package='--arch mips64el linux-image-6.1.0-50-mips64r2el=6.1.176-1' places=nm
      arch=mips64el gcc=mips64el-linux-gnuabi64- target=mips64el-linux-gnuabi64 qemu='qemu-mips64el -cpu MIPS64R2-generic'
      host=-fno-pic link='-no-pie -Wl,-Ttext-segment=0x10000000' ;;
    mips64)
      arch=mips64 gcc=mips64-linux-gnuabi64- target=mips64-linux-gnuabi64 qemu='qemu-mips64 -cpu MIPS64R2-generic'
      host=-fno-pic link='-no-pie -Wl,-Ttext-segment=0x10000000' ;;
    mipsel)
      [ -z "${KMODLD_LONG:-}" ] ||
        package='--arch mipsel linux-image-6.1.0-50-4kc-malta=6.1.176-1' places=nmf
      arch=mipsel gcc=mipsel-linux-gnu- target=mipsel-linux-gnu qemu=qemu-mipsel host=-fno-pic link=-no-pie ;;
    mips)
      arch=mips gcc=mips-linux-gnu- target=mips-linux-gnu qemu=qemu-mips host=-fno-pic link=-no-pie ;;
    m68k)
      arch=m68k gcc=m68k-linux-gnu- target=m68k-linux-gnu qemu='qemu-m68k -cpu m68040' host=-fno-pic link=-no-pie ;;
    loong64)
      package='--suite sid --arch loong64 linux-modules-[0-9]*+deb[0-9]*[0-9]-loong64' places=nm
      arch=loongarch64 target=loongarch64-linux-gnu qemu=qemu-loongarch64 abi=-mno-lsx host=-fno-pic
      kernel=linux_6_12 ;;
    *) return 1 ;;
  esac
}

# What compilers do on every machine.
variants_common() {
  cat <<END
gcc-O2 $1 gcc -O2 -fno-pic
gcc-O0 $1 gcc -O0 -fno-pic -fasynchronous-unwind-tables
gcc-Os-sections $1 gcc -Os -fno-pic -ffunction-sections -fdata-sections
clang-O2 $1 clang -O2 -fno-pic
clang-O0-unwind $1 clang -O0 -fno-pic -fasynchronous-unwind-tables
gcc-pic $2 gcc -O2 -fpic
gcc-PIC $2 gcc -O1 -fPIC -ffunction-sections
clang-pic $2 clang -O2 -fPIC
END
}
variants() {
  case $1 in
    armhf) variants_common nmf nmf; cat <<END ;;
gcc-arm nmf gcc -O2 -fno-pic -marm
gcc-arm-pic nmf gcc -O2 -fpic -marm
clang-arm nmf clang -O2 -fno-pic -marm
clang-arm-pic nmf clang -O2 -fPIC -marm -funwind-tables
gcc-long-calls nmf gcc -O2 -fno-pic -mlong-calls
gcc-literals nmf gcc -O2 -fno-pic -mword-relocations -funwind-tables
gcc-armv5 nmf gcc -O2 -fno-pic -marm -march=armv5t -mfloat-abi=soft -DNO_FLOAT -mabi=aapcs-linux
gcc-armv4 nmf gcc -O2 -fno-pic -marm -march=armv4 -mfloat-abi=soft -DNO_FLOAT
gcc-thumb-to-arm nmf gcc -O2 -fno-pic provider:-marm consumer:-mthumb
gcc-arm-to-thumb nmf gcc -O2 -fno-pic provider:-mthumb consumer:-marm
END
    riscv64) variants_common nm nm; cat <<END ;;
gcc-medlow n gcc -O2 -fno-pic -mcmodel=medlow
gcc-medany nm gcc -O2 -fno-pic -mcmodel=medany
gcc-no-plt nmf gcc -O2 -fpic -fno-plt
gcc-sections nm gcc -O2 -fno-pic -mcmodel=medany -DLINUX_SECTIONS
gcc-relax nm gcc -O2 -fno-pic -mcmodel=medany -mrelax -fasynchronous-unwind-tables
gcc-uncompressed nm gcc -O2 -fno-pic -mcmodel=medany -mrelax -march=rv64g
clang-medany nm clang -O2 -fno-pic -mcmodel=medany
clang-relax nm clang -O2 -fno-pic -mcmodel=medany -mrelax -fasynchronous-unwind-tables
clang-sections nm clang -O2 -fno-pic -mcmodel=medany -DLINUX_SECTIONS
END
    riscv32) variants_common nmf nmf; cat <<END ;;
gcc-medany nmf gcc -O2 -fno-pic -mcmodel=medany
gcc-relax nmf gcc -O2 -fno-pic -mcmodel=medany -mrelax
clang-relax nmf clang -O2 -fno-pic -mcmodel=medany -mrelax
END
    s390x) variants_common nm nmf; cat <<END ;;
gcc-z900 nm gcc -O2 -fno-pic -march=z900
gcc-z13 nmf gcc -O2 -fPIC -march=z13 -fno-plt
clang-z13 nmf clang -O2 -fPIC -march=z13
END
    loong64) variants_common nm nmf; cat <<END ;;
clang-medium nm clang -O2 -fPIC -mcmodel=medium
clang-large nmf clang -O2 -fPIC -mcmodel=extreme
clang-sections nmf clang -O2 -fPIC -DLINUX_SECTIONS
clang-relax nm clang -O2 -fno-pic -mrelax -fasynchronous-unwind-tables
END
    amd64) variants_common n nmf; cat <<END ;;
gcc-kernel n gcc -O2 -fno-pic -mcmodel=kernel -mno-red-zone
gcc-no-plt nmf gcc -O2 -fpic -fno-plt
gcc-large nmf gcc -O2 -fno-pic -mcmodel=large
gcc-large-pic nmf gcc -O2 -fpic -mcmodel=large
gcc-medium n gcc -O2 -fno-pic -mcmodel=medium -mlarge-data-threshold=100
gcc-medium-pic nmf gcc -O2 -fpic -mcmodel=medium -mlarge-data-threshold=100
clang-large nmf clang -O2 -fno-pic -mcmodel=large
clang-large-pic nmf clang -O2 -fpic -mcmodel=large
END
    mips64el | mips64) variants_common n nmf; cat <<END ;;
gcc-kernel nm gcc -O2 -fno-pic -mno-abicalls -G0 -mlong-calls -msym32
gcc-kernel-far nmf gcc -O2 -fno-pic -mno-abicalls -G0 -mlong-calls
clang-kernel nmf clang -O2 -fno-pic -mno-abicalls -G0 -mlong-calls
gcc-jumps nmf gcc -O2 -fno-pic -mno-abicalls -G0
clang-jumps nmf clang -O2 -fno-pic -mno-abicalls -G0
END
    mipsel | mips) cat <<END ;;
gcc-kernel nmf gcc -O2 -fno-pic -mno-abicalls -G0 -mlong-calls
gcc-O0 nmf gcc -O0 -fno-pic -mno-abicalls -G0 -mlong-calls -fasynchronous-unwind-tables
gcc-jumps nmf gcc -O2 -fno-pic -mno-abicalls -G0
gcc-Os-sections nmf gcc -Os -fno-pic -mno-abicalls -G0 -ffunction-sections -fdata-sections
clang-kernel nmf clang -O2 -fno-pic -mno-abicalls -G0 -mlong-calls
clang-jumps nmf clang -O2 -fno-pic -mno-abicalls -G0
clang-O0-unwind nmf clang -O0 -fno-pic -mno-abicalls -G0 -fasynchronous-unwind-tables
END
    m68k) # -fpic of a 68000 reaches a GOT within 32 KiB, which regions of their own are not
      variants_common nmf nmf | grep -v '^clang'; cat <<END ;;
gcc-68000 nmf gcc -O2 -fno-pic -m68000 -DNO_FLOAT
gcc-68030-pic nmf gcc -Os -fpic -m68030
gcc-68040 nmf gcc -O2 -fno-pic -m68040
gcc-68040-PIC nmf gcc -O2 -fPIC -m68040 -fno-section-anchors -fdata-sections
END
    i386) variants_common nmf nmf; cat <<END ;;
gcc-no-plt nmf gcc -O2 -fpic -fno-plt
gcc-no-plt-no-pic nmf gcc -O2 -fno-pic -fno-plt
END
    arm64) # The PLT reaches 4 GiB; what lies farther is called by address only.
      variants_common nm nm | sed 's/$/ -DLINUX_SECTIONS/'; cat <<END ;;
gcc-no-plt nmf gcc -O2 -fPIC -fno-plt -DLINUX_SECTIONS
gcc-tiny t gcc -O2 -fno-pic -mcmodel=tiny
gcc-tiny-pic t gcc -O2 -fpic -mcmodel=tiny
gcc-large nm gcc -O2 -fno-pic -mcmodel=large -DLINUX_SECTIONS
clang-large nm clang -O2 -fno-pic -mcmodel=large -DLINUX_SECTIONS
clang-tiny t clang -O2 -fno-pic -mcmodel=tiny
clang-relative nm clang -O2 -fPIC -fvisibility=hidden -DLINUX_SECTIONS
gcc-strict n gcc -O2 -fno-pic -mcmodel=small -mpc-relative-literal-loads -fno-section-anchors
END
    ppc64el | ppc64) # -Os would call libgcc to save registers
      variants_common nmf nmf | sed 's/-Os -fno/-O2 -fno/'; cat <<END ;;
gcc-small nmf gcc -O2 -fno-pic -mcmodel=small
gcc-large nmf gcc -O2 -fno-pic -mcmodel=large
clang-small nmf clang -O2 -fno-pic -mcmodel=small
clang-large nmf clang -O2 -fno-pic -mcmodel=large
gcc-power10 nm gcc -O2 -fno-pic -mcpu=power10
gcc-power10-pic nmf gcc -O2 -fpic -mcpu=power10 -mpcrel
clang-power10 nm clang -O2 -fPIC -mcpu=power10
gcc-to-power10 nm gcc -O2 -fno-pic provider:-mcpu=power10 consumer:-mcpu=power8
gcc-from-power10 nm gcc -O2 -fno-pic provider:-mcpu=power8 consumer:-mcpu=power10
END
    *) variants_common nm nmf ;;
  esac
}
