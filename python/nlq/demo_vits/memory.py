# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""How much memory a program takes that does nothing but run a compiled model."""

import math
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nlq.commands import compile_module
from nlq.native import Module
from nlq.tools import find_c_compiler

_ENTRY = "nlq_main"

# Runs the model twice on zeros and prints the largest resident size, in KiB. (What getrusage says
# would include the process that started the program.)
_PROGRAM = """\
#include "{header}"
#include <stdio.h>
static float in[{inputs}], out[{outputs}];
int main(void) {{
  char line[256];
  long kib = 0;
  FILE *status;
  {entry}(in, out);
  {entry}(in, out);
  status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %ld", &kib) == 1)
      break;
  printf("%ld\\n", kib);
  return 0;
}}
"""


@dataclass(frozen=True)
class Memory:
    """Bytes of the object file, and the largest resident size of the program in bytes."""

    object_bytes: int
    resident_bytes: int


def measure_memory(module: Path, folder: Path) -> Memory:
    """Compiles a module of one argument and one result, builds a C program of it and runs it.

    Raises NlqError where there is no C compiler.
    """
    compiler = find_c_compiler()
    objects = folder / "memory.o"
    compile_module(module, objects, "native", _ENTRY)
    signature = Module.parse(module).signature()
    text = _PROGRAM.format(
        header=objects.with_suffix(".h").name,
        entry=_ENTRY,
        inputs=math.prod(signature.arguments[0].shape),
        outputs=math.prod(signature.results[0].shape),
    )
    source = folder / "memory.c"
    source.write_text(text)
    program = folder / "memory"
    subprocess.run([compiler, "-O1", source, objects, "-lm", "-o", program], check=True)
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return Memory(objects.stat().st_size, int(printed) * 1024)
