# SPDX-License-Identifier: MIT
# Signatures of modules in linux_like (examples/linux_like/signatures): signed and judged, by OpenSSL's
# own program, too; what Linux refuses at once, what only taints; every module of a Debian kernel
# against the certificate in its vmlinuz.
. "$(dirname "$0")/../support/part.sh"

program=$build/examples/linux_like/linux_like
if [ ! -x "$program" ]; then skip 'signatures' 'linux_like was not built'; finish; fi
need 'signatures' openssl || finish
case $program in /*) ;; *) program=$PWD/$program ;; esac
check 'a sample module compiles' sh examples/modules/build.sh "$scratch" sorting
root=$(package_root 6_1 2>"$scratch/no_package") || root=
older=$(package_root linked 2>/dev/null) || older=
cd "$scratch" || exit 2
linux() { "$program" "$@" >out 2>&1; status=$?; cat out; return $status; }

# says NAME STATUS PATTERN OPTION...: the last line that linux_like prints.
says() { says_name=$1; shift; check "$says_name" last_line "$@"; }
last_line() {
  wanted_status=$1 pattern=$2; shift 2
  linux "$@"; status=$?
  [ $status -eq "$wanted_status" ] && tail -n 1 out | grep -q -e "$pattern"
}
live='^sorting 16384 0 - Live 0x[0-9a-f]* (FO)$' tainted='^sorting 16384 0 - Live 0x[0-9a-f]* (FOE)$'
judged() { # judged NAME live|tainted|MESSAGE FILE OPTION...: without enforcement
  judged_name=$1 verdict=$2 file=$3; shift 3
  case $verdict in
    live) says "$judged_name" 0 "$live" "$@" -c "insmod $file; cat /proc/modules" ;;
    tainted) says "$judged_name" 0 "$tainted" "$@" -c "insmod $file; cat /proc/modules" ;;
    *) says "$judged_name" 1 "^$verdict\$" "$@" -c "insmod $file; cat /proc/modules" ;;
  esac
}

key() { # key NAME OPTION...: NAME.pem and NAME.crt
  name=$1; shift
  openssl req -x509 -new -nodes -subj "/CN=$name key" -days 2 -keyout "$name.pem" -out "$name.crt" \
    -addext keyUsage=digitalSignature "$@"
}
check 'an RSA key' key rsa -newkey rsa:2048
check 'an ECDSA key' key ec -newkey ec -pkeyopt ec_paramgen_curve:prime256v1
check 'a key that nobody knows' key other -newkey rsa:2048
openssl x509 -in ec.crt -outform DER -out ec.der
cat rsa.crt ec.crt >both.crt

# trailer [ID_TYPE [OTHER]]: the block and the magic behind a message, whose size is in $size.
trailer() {
  printf '\000\000%b\000\000%b\000\000%b~Module signature appended~\n' "${1:-\\0002}" "${2:-\\0000}" \
    "$(printf '\\0%03o\\0%03o\\0%03o\\0%03o' 0 0 $((size / 256)) $((size % 256)))"
}
# signed_by_openssl OUT OPTION...: by the program, as a kernel's build would without sign-file.
signed_by_openssl() {
  out=$1; shift
  openssl cms -sign -binary -outform DER -in sorting.ko -out message.der "$@" || return
  size=$(wc -c <message.der)
  { cat sorting.ko message.der; trailer; } >"$out"
}

for name in rsa ec; do
  for digest in sha1 sha224 sha256 sha384 sha512; do
    check "sign, $name, $digest" linux -c "sign --digest $digest $name.pem $name.crt sorting.ko $name-$digest.ko"
    judged "$name, $digest" live $name-$digest.ko --sig-enforce --keys both.crt
  done
done
openssl_agrees() {
  size=$(wc -c <sorting.ko); total=$(wc -c <rsa-sha256.ko)
  head -c "$size" rsa-sha256.ko | cmp - sorting.ko &&
    tail -c +$((size + 1)) rsa-sha256.ko | head -c $((total - size - 40)) >ours.der &&
    openssl cms -verify -binary -inform DER -in ours.der -content sorting.ko -certfile rsa.crt \
      -CAfile rsa.crt -purpose any -out /dev/null
}
check "openssl accepts sign's message" openssl_agrees
check 'openssl signs' signed_by_openssl theirs.ko -signer rsa.crt -inkey rsa.pem -noattr -nocerts -md sha256
judged "openssl's message" live theirs.ko --sig-enforce --keys rsa.crt
judged 'a certificate in DER' live ec-sha256.ko --sig-enforce --keys ec.der
judged 'two files of keys' live ec-sha256.ko --sig-enforce --keys rsa.crt --keys ec.der
says 'keys are told' 0 "Loaded X.509 cert 'ec key'" --keys both.crt -c dmesg

# Soft: it taints, and is refused where signatures are enforced.
rejected() { echo "EKEYREJECTED: Loading of $1 is rejected"; }
soft() { # soft NAME WHAT FILE OPTION...
  soft_name=$1 what=$2 file=$3; shift 3
  judged "$soft_name" tainted "$file" "$@"
  judged "$soft_name, enforced" "$(rejected "$what")" "$file" --sig-enforce "$@"
}
soft 'no signature' 'unsigned module' sorting.ko --keys rsa.crt
soft 'no keys' 'module with unavailable key' rsa-sha256.ko
soft 'an unknown key' 'module with unavailable key' rsa-sha256.ko --keys other.crt
signed_by_openssl md5.ko -signer rsa.crt -inkey rsa.pem -noattr -nocerts -md md5
check 'an ed25519 key' key ed -newkey ed25519
says 'a key that signs no modules' 1 '^EBADMSG: ed.crt: no certificate in it$' --keys ed.crt -c lsmod
soft 'MD5' 'module with unsupported crypto' md5.ko --keys rsa.crt
signed_by_openssl pss.ko -signer rsa.crt -inkey rsa.pem -noattr -nocerts -md sha256 -keyopt rsa_padding_mode:pss
soft 'PSS' 'module with unsupported crypto' pss.ko --keys rsa.crt
size=$(wc -c <message.der)
{ cat sorting.ko message.der; trailer '\0001'; } >type.ko
soft 'another kind of signature' 'module with unsupported crypto' type.ko --keys rsa.crt
# Names of algorithms: the kernel takes one for RSA, and reads no message of which it does not know all.
renamed() { # renamed FROM N LAST TO: the last byte of the N-th signer's rsaEncryption
  size=$(wc -c <sorting.ko); total=$(wc -c <"$1")
  tail -c +$((size + 1)) "$1" | head -c $((total - size - 40)) >message.der
  at=$(openssl asn1parse -inform DER -in message.der | sed -n 's/^ *\([0-9]*\):.*:rsaEncryption$/\1/p' | sed -n "$2p")
  at=$((size + at + 10))
  { head -c $at "$1"; printf '%b' "$3"; tail -c +$((at + 2)) "$1"; } >"$4"
}
renamed rsa-sha256.ko 1 '\0013' with_hash.ko
soft 'sha256WithRSAEncryption' 'module with unsupported crypto' with_hash.ko --keys rsa.crt
signed_by_openssl both.ko -signer rsa.crt -inkey rsa.pem -signer other.crt -inkey other.pem -noattr -nocerts -md sha256
for signer in 1 2; do
  renamed both.ko $signer '\0012' half.ko
  for known in rsa other; do
    soft "signer $signer of two is not understood, $known is known" 'module with unsupported crypto' half.ko --keys $known.crt
  done
done
says 'forced, the signature is not looked at' 1 "$(rejected 'unsigned module')" --sig-enforce --keys rsa.crt \
  -c 'insmod -f rsa-sha256.ko'

# Never right, enforced or not.
never() { # never NAME MESSAGE FILE OPTION...
  never_name=$1 message=$2 file=$3; shift 3
  judged "$never_name" "$message" "$file" "$@"
  judged "$never_name, enforced" "$message" "$file" --sig-enforce "$@"
}
mismatch='EKEYREJECTED: module signature does not match its content'
damaged='EBADMSG: module: malformed signature block'
flip() { # flip FROM OFFSET TO: the lowest bit of one byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
  { head -c "$2" "$1"; printf '%b' "\\0$(printf %03o $((byte ^ 1)))"; tail -c +$(($2 + 2)) "$1"; } >"$3"
}
size=$(wc -c <sorting.ko); total=$(wc -c <rsa-sha256.ko)
for at in 0 40 $((size / 2)) $((size - 1)); do
  flip rsa-sha256.ko $at flipped.ko
  never "byte $at of the module" "$mismatch" flipped.ko --keys rsa.crt
done
flip rsa-sha256.ko $((total - 41)) flipped.ko
never 'the last byte of the signature' "$mismatch" flipped.ko --keys rsa.crt
flip ec-sha256.ko $(($(wc -c <ec-sha256.ko) - 41)) flipped.ko
never 'the last byte of an ECDSA signature' "$mismatch" flipped.ko --keys ec.crt
flip rsa-sha256.ko "$size" flipped.ko
never 'the first byte of the message' "$damaged" flipped.ko --keys rsa.crt
signed_by_openssl attributes.ko -signer rsa.crt -inkey rsa.pem -nocerts -md sha256
never 'signed attributes' "$mismatch" attributes.ko --keys rsa.crt
signed_by_openssl inside.ko -signer rsa.crt -inkey rsa.pem -noattr -nocerts -md sha256 -nodetach
never 'data within the message' "$damaged" inside.ko --keys rsa.crt
signed_by_openssl content.ko -signer rsa.crt -inkey rsa.pem -noattr -nocerts -md sha256 -econtent_type 1.2.3.4
never 'a message of another type' "$mismatch" content.ko --keys rsa.crt
openssl crl2pkcs7 -nocrl -certfile rsa.crt -outform DER -out message.der
size=$(wc -c <message.der)
{ cat sorting.ko message.der; trailer; } >nobody.ko
never 'a message without signers' "$damaged" nobody.ko --keys rsa.crt
openssl cms -digest_create -binary -outform DER -in sorting.ko -out message.der
size=$(wc -c <message.der)
{ cat sorting.ko message.der; trailer; } >digest.ko
never 'a message that only has a digest' "$damaged" digest.ko --keys rsa.crt
{ cat sorting.ko message.der; printf x; size=$((size + 1)); trailer; } >behind.ko
never 'a byte behind the message' "$damaged" behind.ko --keys rsa.crt
{ cat sorting.ko message.der; trailer '\0002' '\0001'; } >params.ko
never 'a field that must be zero' 'EBADMSG: module: PKCS#7 signature info has unexpected non-zero params' params.ko --keys rsa.crt
judged 'two signers, one known' live both.ko --sig-enforce --keys rsa.crt
judged 'two signers, the other known' live both.ko --sig-enforce --keys other.crt

# The message is not signed itself, so a change of a byte may name another signer or digest, which is
# soft. None is accepted but in what the answer does not depend on: both versions, the list of digests
# before the signers (bytes 30 to 40), the empty parameters of the algorithm.
no_byte() {
  size=$(wc -c <sorting.ko)
  wrong=0 at=$((size - 3))
  while at=$((at + 3)); [ $at -lt "$total" ]; do
    case $((at - size)) in 25 | 3[0-9] | 40 | 64 | 135) continue ;; esac
    flip rsa-sha256.ko $at flipped.ko
    if "$program" --sig-enforce --keys rsa.crt -c 'insmod flipped.ko' >out 2>&1; then
      echo "byte $((at - size))"; wrong=$((wrong + 1))
    fi
  done
  [ $wrong -eq 0 ]
}
check 'no changed byte of the trailer is accepted' no_byte

# check, sign and modinfo
says 'check, a good signature' 0 ': 0 found wrong, 0 notes$' --sig-enforce --keys rsa.crt -c 'check rsa-sha256.ko'
says 'check, an unknown key' 0 ': 0 found wrong, 1 notes$' --keys other.crt -c 'check rsa-sha256.ko'
flip rsa-sha256.ko 40 flipped.ko
says 'check, a changed module' 1 'cannot be loaded$' --keys rsa.crt -c 'check flipped.ko'
says 'check, what is refused without keys, too' 1 'cannot be loaded$' -c 'check inside.ko'
says 'check, unsigned and enforced' 1 'cannot be loaded$' --sig-enforce --keys rsa.crt -c 'check sorting.ko'
says 'signed twice' 1 '^EEXIST: the module has a signature$' -c 'sign rsa.pem rsa.crt rsa-sha256.ko twice.ko'
says 'no key' 1 '^EINVAL: no private key in PEM without a passphrase$' -c 'sign rsa.crt rsa.crt sorting.ko no.ko'
says 'no certificate' 1 '^EINVAL: no certificate in PEM$' -c 'sign rsa.pem rsa.pem sorting.ko no.ko'
says 'no such digest' 1 '^EINVAL: no such digest$' -c 'sign --digest crc rsa.pem rsa.crt sorting.ko no.ko'
says 'what is not of a pair' 1 '^EINVAL: the module cannot be signed with this key' -c 'sign rsa.pem other.crt sorting.ko no.ko'
check 'nothing is written then' test ! -e no.ko
unwritten() ( # a module that is its own OUT, where there is no room for it
  cp sorting.ko own.ko
  trap '' XFSZ; ulimit -f 1
  "$program" -c 'sign rsa.pem rsa.crt own.ko own.ko' 2>&1 | cat
  cmp own.ko sorting.ko && [ ! -e own.ko.~signed~ ]
)
check 'what cannot be written leaves the module' unwritten
says 'signed in place' 0 "$live" --sig-enforce --keys rsa.crt \
  -c 'sign rsa.pem rsa.crt own.ko own.ko; insmod own.ko; cat /proc/modules'
{ sed '1q' rsa.crt; printf 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,%032d\n\n' 0; sed 1d rsa.crt; } >encrypted.crt
no_question() { # on a terminal, which script makes
  timeout 20 script -qec "'$program' --keys encrypted.crt -c lsmod" /dev/null </dev/null >out 2>&1; status=$?
  cat out; [ $status -eq 1 ] && grep -q '^EBADMSG: ' out && ! grep -q -i phrase out
}
if need 'no passphrase is asked for' script; then check 'no passphrase is asked for' no_question; fi
says 'keys without a certificate' 1 '^EBADMSG: sorting.ko: no certificate in it$' --keys sorting.ko -c lsmod
modinfo_line() { linux -c 'modinfo rsa-sha256.ko' | grep -q -e "$1"; }
check 'modinfo, signer' modinfo_line '^signer:  *rsa key$'
check 'modinfo, digest' modinfo_line '^sig_hashalgo:  *sha256$'

# Debian's
if [ -z "$root" ]; then skip "Debian's signatures" "$(tail -n 1 no_package)"; finish; fi
kernel=$(echo "$root"/boot/vmlinuz-*)
release=${kernel##*/vmlinuz-}
all_of_debian() {
  linux --link-only --sig-enforce --keys "$kernel" --vermagic "$release SMP preempt mod_unload modversions " \
    --kernel-exports "$root/usr/src/linux-headers-$release/Module.symvers" \
    -c "load-all $root/lib/modules; cat /proc/sys/kernel/tainted; unload-all" && grep -q ' 0 refused' out &&
    [ $(($(sed -n 2p out) & 8192)) -eq 0 ]
}
check "all modules of $release, by the certificate in its vmlinuz" all_of_debian
sed -n "s/\(.* 0 refused\);.*/Debian's $release: \1, signatures enforced/p" out
debians=$(find "$root" -name 'crc-itu-t.ko')
flip "$debians" 1000 debian.ko
says "Debian's module, changed" 1 "^$mismatch\$" --keys "$kernel" -c 'insmod debian.ko'
if [ -n "$older" ]; then
  says "another kernel's module" 1 "^$(rejected 'module with unavailable key')\$" --sig-enforce \
    --keys "$kernel" -c "insmod $(find "$older" -name crc-itu-t.ko)"
fi
finish
