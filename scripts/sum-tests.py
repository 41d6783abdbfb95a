# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Adds up the result files that run-tests.sh leaves, and prints the sums.

Fails if a test failed or if a suite left no results.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree


def count(path: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped tests of a file in JUnit's format."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count_unit(directory: Path) -> tuple[int, int, int]:
    """The same of all GoogleTest programs; one without a file, as after a crash, has failed."""
    ctest = ElementTree.parse(directory / "ctest.xml").iter("testcase")
    names = [case.get("name") for case in ctest]
    files = [directory / "unit" / f"{name}.xml" for name in names]
    counts = [count(file) if file.exists() else (0, 1, 0) for file in files]
    return tuple(map(sum, zip(*counts, strict=True))) if counts else (0, 0, 0)


def main(directory: Path) -> int:
    """Prints a line per suite and the sum; returns the exit code."""
    suites = {
        "unit": lambda: count_unit(directory),
        "lit": lambda: count(directory / "lit.xml"),
        "Python": lambda: count(directory / "pytest.xml"),
    }
    passed = failed = 0
    for name, run in suites.items():
        try:
            good, bad, skipped = run()
        except (OSError, ElementTree.ParseError):
            good, bad, skipped = 0, 1, 0
            print(f"{name}: no results")
        else:
            print(f"{name}: {good} passed, {bad} failed, {skipped} skipped")
        passed, failed = passed + good, failed + bad
        if good + bad == 0:
            failed += 1
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
