# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A C compiler for tests of compiled code."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def compiler():
    """A C compiler with warnings as errors."""
    llvm = os.environ.get("LLVM_DIR", "")
    names = ["cc", "clang-22", "clang", *([f"{llvm}/bin/clang"] if llvm else [])]
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("there is no C compiler")
    return [path, "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
