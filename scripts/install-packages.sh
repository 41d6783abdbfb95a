#!/bin/sh
# Installs the Debian packages that are missing, where that is allowed.
#
#   install-packages.sh LLVM_PREFIX PACKAGE...
#
# Without root it names what is missing and fails; an LLVM elsewhere
# (`make LLVM_DIR=prefix ...`) replaces the LLVM packages, and a program on PATH
# the package it comes from.
set -eu
llvm=$1
shift

has_llvm() {
  [ -f "$llvm/lib/cmake/mlir/MLIRConfig.cmake" ] &&
    for tool in clang++ ld.lld clang-format mlir-tblgen FileCheck lit; do
      [ -x "$llvm/bin/$tool" ] || return 1
    done
}

has_package() {
  dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'
}

# What a package is wanted for is there.
is_present() {
  has_package "$1" && return 0
  case "$1" in
  clang-22 | lld-22 | clang-format-22 | llvm-22-* | libmlir-22-* | mlir-22-*) has_llvm ;;
  cmake | ccache) command -v "$1" >/dev/null ;;
  ninja-build) command -v ninja >/dev/null ;;
  python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
  *) return 1 ;;
  esac
}

missing=""
for package in "$@"; do
  is_present "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  {
    echo "error: these packages are missing:$missing"
    echo "As root: apt-get install --no-install-recommends$missing"
    echo "An LLVM and MLIR 22 in another place serve as well: make LLVM_DIR=prefix ..."
  } >&2
  exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # the names are words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
