#!/bin/sh
# Runs all tests of a complete build; the last line is `N passed, N failed`.
#
#   run-tests.sh BUILD PYTHON JOBS
#
# A suite that fails does not keep the others from running.
set -eu
cd "$(dirname "$0")/.."
build=$1
python=$2
jobs=$3
results=$(pwd)/$build/test-results
case "$build" in /*) results=$build/test-results ;; esac
rm -rf "$results"
mkdir -p "$results/unit"
status=0

echo "== unit tests"
GTEST_BRIEF=1 GTEST_OUTPUT="xml:$results/unit/" \
  ctest --test-dir "$build" --output-on-failure -j "$jobs" \
  --output-junit "$results/ctest.xml" || status=1

echo "== lit tests"
LIT_OPTS="--xunit-xml-output=$results/lit.xml ${LIT_OPTS:-}" \
  cmake --build "$build" --target check-nlq-lit || status=1

echo "== Python tests"
"$python" -m pytest --junitxml="$results/pytest.xml" || status=1

"$python" scripts/sum-tests.py "$results" || status=1
exit "$status"
