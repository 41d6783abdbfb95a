# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The demonstration's own integer program, for times of the same run as the peers'."""

from pathlib import Path

from nlq.demo_vits.compiled import BEST, open_module
from nlq.demo_vits.peers.peer import Peer


def peers(folder: Path) -> list[Peer]:
    """The program that `make demo-vits` left in a folder; nothing where it has not run."""
    module = folder / BEST
    if not module.exists():
        return []
    title = "nlq, integer-only between the casts"
    return [Peer("W8A8", title, "as `make demo-vits` has it", lambda *_: open_module(module))]
