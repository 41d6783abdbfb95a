# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Modules compiled for other machines, and run on this one under emulation.

A program needs no library of the other machine: it makes its system calls itself. AArch64 and
RISC-V are qemu-user's; x86-64 with AVX-512 is a PC of Bochs (bochs_machine.py).
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import bochs_machine
from nlq.c_header import make_header
from nlq.native import Module

# Whether `make test-everywhere` asks for all, which then must be there.
EVERYWHERE = os.environ.get("NLQ_EVERYWHERE") == "1"


def _run_by_qemu(emulator: str, program: Path, stream: bytes, _: int) -> bytes:
    done = subprocess.run([emulator, program], input=stream, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass(frozen=True)
class _Machine:
    """How programs of a target are built, and run by an emulator."""

    # clang's name of it, and more options.
    options: list[str]
    emulator: str
    # A system call of three arguments, in C.
    call: str
    # Of the emulator's path, the program, its input and the size of its output: the output.
    run: Callable[[str, Path, bytes, int], bytes]
    link: list[str]
    sources: list[Path] = field(default_factory=list)


_AARCH64 = _Machine(
    ["--target=aarch64-linux-gnu"],
    "qemu-aarch64",
    """
static long call(long number, long a, long b, long c) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
""",
    _run_by_qemu,
    ["-static"],
)
_MACHINES = {
    "aarch64": _AARCH64,
    "cortex-a72": _AARCH64,
    "riscv64": _Machine(
        ["--target=riscv64-linux-gnu", "-mno-relax"],
        "qemu-riscv64",
        """
static long call(long number, long a, long b, long c) {
  register long a7 __asm__("a7") = number, a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b, a2 __asm__("a2") = c;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
  return a0;
}
""",
        _run_by_qemu,
        ["-static"],
    ),
    **dict.fromkeys(
        ["x86-64-v4", "icelake-client"],
        _Machine(
            ["--target=x86_64-linux-gnu"],
            bochs_machine.EMULATOR,
            bochs_machine.CALL,
            bochs_machine.run,
            bochs_machine.LINK,
            bochs_machine.SOURCES,
        ),
    ),
}

# Reads the arguments of one call after the other, and writes the results.
_PROGRAM = """
#include "kernels.h"
#include <stddef.h>

{call}
void *memset(void *to, int value, size_t size) {{
  for (size_t i = 0; i < size; ++i)
    ((volatile char *)to)[i] = (char)value;
  return to;
}}
void *memcpy(void *to, const void *from, size_t size) {{
  for (size_t i = 0; i < size; ++i)
    ((volatile char *)to)[i] = ((const char *)from)[i];
  return to;
}}
void *memmove(void *to, const void *from, size_t size) {{
  if ((char *)to <= (const char *)from)
    return memcpy(to, from, size);
  while (size-- > 0)
    ((volatile char *)to)[size] = ((const char *)from)[size];
  return to;
}}
static char heap[1 << 24] __attribute__((aligned(64)));
static size_t used;
void *malloc(size_t size) {{
  size_t begin = used;
  used += (size + 63) / 64 * 64;
  if (used > sizeof heap)
    call(94, 2, 0, 0);
  return heap + begin;
}}
void *aligned_alloc(size_t alignment, size_t size) {{
  (void)alignment;
  return malloc(size);
}}
void free(void *pointer) {{ (void)pointer; }}

static int transfer(long number, long file, char *bytes, long left) {{
  while (left > 0) {{
    long done = call(number, file, (long)bytes, left);
    if (done <= 0)
      return 0;
    bytes += done;
    left -= done;
  }}
  return 1;
}}

{arrays}
void _start(void) {{
  for (;;) {{
    used = 0;
    if (!({reads}))
      call(94, 0, 0, 0);
    nlq_main({names});
    if (!({writes}))
      call(94, 1, 0, 0);
  }}
}}
"""


def emulator(target: str) -> str:
    """The program that runs programs of the target; without it the test is skipped."""
    name = _MACHINES[target].emulator
    path = shutil.which(name)
    if path is None:
        assert not EVERYWHERE, f"{name} is missing"
        pytest.skip(f"there is no {name} (`make test-everywhere` installs it)")
    return path


def _tool(*names: str) -> str:
    llvm = os.environ.get("LLVM_DIR", "/usr/lib/llvm-22")
    found = next(
        filter(None, (shutil.which(n, path=f"{llvm}/bin:{os.environ['PATH']}") for n in names)),
        None,
    )
    if found is None:
        pytest.skip(f"there is no {names[0]}")
    return found


def build_program(module: Module, target: str, folder: Path) -> Path:
    """A program of `main`, which takes arguments from its input and writes results."""
    module.emit_object(target, "nlq_main", folder / "kernels.o")
    signature = module.signature()
    (folder / "kernels.h").write_text(make_header({"nlq_main": signature}))
    groups = {"in": signature.arguments, "out": signature.results}
    arrays, names, moves = "", {}, {}
    for group, tensors in groups.items():
        names[group] = [f"{group}{number}" for number in range(len(tensors))]
        # Aligned to their elements alone, as a caller's may be.
        types = [re.sub(r"^i", "int", tensor.kind) + "_t" for tensor in tensors]
        types = ["float" if each == "f32_t" else each for each in types]
        sizes = [int(np.prod(tensor.shape)) for tensor in tensors]
        for name, kind, size in zip(names[group], types, sizes, strict=True):
            arrays += f"static {kind} {name}[{size}];\n"
        number, file = {"in": (63, 0), "out": (64, 1)}[group]
        moves[group] = " &&\n        ".join(
            f"transfer({number}, {file}, (char *){name}, sizeof {name})" for name in names[group]
        )
    machine = _MACHINES[target]
    text = _PROGRAM.format(
        call=machine.call,
        arrays=arrays,
        reads=moves["in"],
        writes=moves["out"],
        names=", ".join([*names["in"], *names["out"]]),
    )
    (folder / "main.c").write_text(text)
    flags = ["-O1", "-ffreestanding", "-fno-stack-protector", *machine.options]
    compiler = [_tool("clang-22", "clang"), *flags, "-c"]
    sources = [folder / "main.c", *machine.sources]
    objects = [f"{source.stem}.o" for source in sources]
    for source, to in zip(sources, objects, strict=True):
        subprocess.run([*compiler, source, "-o", to], cwd=folder, check=True)
    linker = [_tool("ld.lld-22", "ld.lld"), *machine.link, *objects, "kernels.o", "-o", "program"]
    subprocess.run(linker, cwd=folder, check=True)
    return folder / "program"


def run_program(program: Path, target: str, module: Module, samples) -> list[np.ndarray]:
    """Runs samples as Runner.run does, under emulation."""
    signature = module.signature()
    count = len(samples[0])
    stream = b"".join(
        np.ascontiguousarray(array[number], tensor.dtype).tobytes()
        for number in range(count)
        for array, tensor in zip(samples, signature.arguments, strict=True)
    )
    sizes = [np.dtype(each.dtype).itemsize * int(np.prod(each.shape)) for each in signature.results]
    output = _MACHINES[target].run(emulator(target), program, stream, count * sum(sizes))
    results, offset = [[] for _ in signature.results], 0
    for _ in range(count):
        for result, tensor in zip(results, signature.results, strict=True):
            size = int(np.prod(tensor.shape))
            result.append(np.frombuffer(output, tensor.dtype, size, offset))
            offset += result[-1].nbytes
    assert offset == len(output)
    return [
        np.reshape(result, (count, *tensor.shape))
        for result, tensor in zip(results, signature.results, strict=True)
    ]
