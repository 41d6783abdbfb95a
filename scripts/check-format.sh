#!/bin/sh
# Fails, naming the places, if a tracked C++ file is not as clang-format has it.
#
#   check-format.sh CLANG-FORMAT
set -eu
cd "$(dirname "$0")/.."
if [ -e .git ]; then
  # A checkout may belong to another user than the one who builds.
  files=$(git -c safe.directory="$PWD" ls-files '*.h' '*.cpp')
else
  files=$(find include lib test tools -name '*.h' -o -name '*.cpp')
fi
# shellcheck disable=SC2086 # no file name here has blanks
"$1" --dry-run --Werror $files
