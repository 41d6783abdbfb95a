# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A PC with AVX-512 for programs without a system, emulated by Bochs: its disk and its run.

The disk holds a boot sector and the program (bochs/link.ld), a sector that tells sizes, the
input, and room for the output (bochs/disk.c).
"""

import os
import struct
import subprocess
from pathlib import Path

_FOLDER = Path(__file__).parent / "bochs"

EMULATOR = "bochs-bin"
# What a program is compiled and linked from, besides its own.
SOURCES = [_FOLDER / "boot.S"]
CALL = (_FOLDER / "disk.c").read_text()
LINK = ["-T", str(_FOLDER / "link.ld"), "--oformat=binary"]

_SECTOR = 512
# Heads and sectors per track of a drive, whose cylinders Bochs counts itself.
_CYLINDER = 16 * 63 * _SECTOR
_LIMIT_IN_SECONDS = 120

# Processor: a client's Ice Lake, the first of the models with VBMI and VNNI.
_SETTINGS = """
cpu: model=corei7_icelake_u, ips=200000000, reset_on_triple_fault=0
clock: sync=none
memory: guest=256, host=256
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
sound: waveoutdrv=dummy
display_library: term
ata0-master: type=disk, path=program.disk, mode=flat, cylinders=0
boot: disk
panic: action=fatal
log: bochs.log
"""


def run(emulator: str, program: Path, stream: bytes, result_bytes: int) -> bytes:
    """What the program writes, which is so many bytes."""
    folder = program.parent
    sectors = bytearray(program.read_bytes())
    head = len(sectors)
    sectors += struct.pack("<4Q", len(stream), 0, 0, 0).ljust(_SECTOR, b"\0")
    sectors += stream.ljust(-(-len(stream) // _SECTOR) * _SECTOR, b"\0")
    begin = len(sectors)
    size = -(-(begin + result_bytes + _SECTOR) // _CYLINDER) * _CYLINDER
    disk = folder / "program.disk"
    disk.write_bytes(sectors.ljust(size, b"\0"))
    (folder / "settings").write_text(_SETTINGS)
    # Debian's Bochs has a debugger, to be told to continue, and shows its screen on a terminal.
    (folder / "orders").write_text("continue\n")
    subprocess.run(
        ["script", "-qc", f"{emulator} -q -f settings -rc orders", "/dev/null"],
        cwd=folder,
        env={**os.environ, "TERM": "vt100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=_LIMIT_IN_SECONDS,
    )
    after = disk.read_bytes()
    disk.unlink()
    _, output_size, has_ended, code = struct.unpack_from("<4Q", after, head)
    log = (folder / "bochs.log").read_text(errors="replace")
    assert has_ended and code == 0, f"exit code {code}; the end of Bochs's log:\n{log[-4000:]}"
    return after[begin : begin + output_size]
