#!/bin/sh
# Installs the Debian packages that are missing, where that is allowed.
#
#   install-packages.sh LLVM_DIR PACKAGE...
#
# Without root it names what is missing and fails; an LLVM elsewhere
# (LLVM_DIR=prefix make ...) replaces the LLVM packages.
set -eu
llvm_dir=$1
shift
missing=""
for package in "$@"; do
  case "$package" in
  clang-22 | lld-22 | clang-format-22 | llvm-22* | libmlir-22* | mlir-22*)
    # A prefix that holds MLIR serves in place of the packages.
    if [ -n "$llvm_dir" ] && [ -f "$llvm_dir/lib/cmake/mlir/MLIRConfig.cmake" ] &&
      [ -x "$llvm_dir/bin/clang++" ] && [ -x "$llvm_dir/bin/ld.lld" ] &&
      [ -x "$llvm_dir/bin/clang-format" ] && [ -x "$llvm_dir/bin/FileCheck" ]; then
      continue
    fi
    ;;
  esac
  if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
    missing="$missing $package"
  fi
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "error: these packages are missing:$missing" >&2
  echo "install them as root (apt-get install$missing), or name an LLVM 22 prefix with LLVM_DIR=..." >&2
  exit 1
fi
echo "installing:$missing"
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
