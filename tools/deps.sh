#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps.sh -- installs the Debian packages that are missing; says nothing and asks nobody when none is.
#   tools/deps.sh run         what building and running needs
#   tools/deps.sh run test    and what the tests need
set -eu

build="gcc make pkg-config libcurl4-openssl-dev libjansson-dev libconfig-dev libssl-dev libc6-dev curl"
test="check python3 clang libclang-rt-14-dev llvm clang-format cppcheck valgrind nginx-light haproxy wrk strace openssl"

want="$build"
[ "${2:-}" = test ] && want="$want $test"
command -v dpkg-query >/dev/null 2>&1 || exit 0     # not Debian: the compiler will say what is missing

missing=""
for p in $want; do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
done
# another nginx flavour serves as well as nginx-light
case "$missing" in *nginx-light*) command -v nginx >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/nginx-light//') ;; esac
[ -n "$(echo "$missing" | tr -d ' ')" ] || exit 0

sudo=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "weir needs these Debian packages; install them as root:$missing" >&2; exit 1; }
    sudo=sudo
fi
echo "installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
