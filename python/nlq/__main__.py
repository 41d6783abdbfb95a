# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Runs the command line as `python -m nlq`."""

import sys

from nlq.cli import main

if __name__ == "__main__":
    sys.exit(main())
