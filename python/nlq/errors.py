# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Errors that are the user's to mend."""


class NlqError(Exception):
    """A bad input or a missing tool.

    The text is complete: it names the thing, what was found and what is allowed. The command line
    prints it after `error: ` and ends with exit code 1.
    """
