# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A library of kernels under one C signature, whatever they are compiled for.

`nlq_OP_i8(in, out, rows, cols, in_scale, in_zp, out_scale, out_zp)`, followed by `gamma, beta, eps`
for normalizations (OP is the operation without underscores), runs the kernel that was compiled for
these numbers, and ends the program with a message where there is none.
"""

import itertools
import subprocess
from pathlib import Path

import numpy as np

from nlq.bench.kernels import Grid, Kernel
from nlq.commands import compile_module
from nlq.errors import NlqError
from nlq.files import replacing
from nlq.tools import find_c_compiler

NAME = "libnlq_kernels.so"


def symbol(op: str) -> str:
    """The function of an operation in the library."""
    return f"nlq_{op.replace('_', '')}_i8"


def make_library(module: Path, kernels: list[Kernel], folder: Path, target: str) -> Path:
    """Compiles a module of `kernels` and links it with the functions above; returns its path."""
    objects = folder / "kernels.o"
    compile_module(module, objects, target, method="table")
    source = folder / "nlq_kernels.c"
    source.write_text(make_source(kernels, objects.with_suffix(".h").name))
    library = folder / NAME
    with replacing(library) as path:
        command = [find_c_compiler(), "-O2", "-fPIC", "-shared", source, objects, "-o", path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NlqError(f"cannot link '{library}': {done.stderr.strip().splitlines()[0]}")
    return library


_HEAD = """\
// Made by nlq.
#include "{header}"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {{
  void (*run)(const int8_t *, int8_t *, int64_t);
  int64_t cols;
  float in_scale;
  int32_t in_zp;
  float out_scale;
  int32_t out_zp;
  // Of normalizations.
  const uint32_t *gamma, *beta;
  float eps;
}} Kernel;

// True if there are no constants, or `values` are these, looked at once each.
static int same(const float *values, const uint32_t *constants, int64_t cols,
                const float **seen) {{
  if (constants && values != *seen) {{
    if (!values || memcmp(values, constants, cols * sizeof *constants))
      return 0;
    *seen = values;
  }}
  return 1;
}}

static void run(const char *name, const Kernel *kernels, int count, const int8_t *in, int8_t *out,
                int64_t rows, int64_t cols, float in_scale, int32_t in_zp, float out_scale,
                int32_t out_zp, const float *gamma, const float *beta, float eps) {{
  static _Thread_local const float *seen_gamma, *seen_beta;
  for (int i = 0; i < count; ++i) {{
    const Kernel *k = &kernels[i];
    if (k->cols == cols && k->in_scale == in_scale && k->in_zp == in_zp &&
        k->out_scale == out_scale && k->out_zp == out_zp && k->eps == eps &&
        same(gamma, k->gamma, cols, &seen_gamma) && same(beta, k->beta, cols, &seen_beta)) {{
      k->run(in, out, rows);
      return;
    }}
  }}
  fprintf(stderr,
          "error: %s has no kernel for rows of %lld columns, scales %g and %g, zero points %d and "
          "%d, and these constants\\n",
          name, (long long)cols, in_scale, out_scale, (int)in_zp, (int)out_zp);
  abort();
}}
"""

_FUNCTION = """
static const Kernel {op}_kernels[] = {{
{entries}}};

void {symbol}(const int8_t *in, int8_t *out, int64_t rows, int64_t cols, float in_scale,
              int32_t in_zp, float out_scale, int32_t out_zp{parameters}) {{
  run("{symbol}", {op}_kernels, {count}, in, out, rows, cols, in_scale, in_zp, out_scale, out_zp,
      {arguments});
}}
"""


def make_source(kernels: list[Kernel], header: str) -> str:
    """The functions in C; `header` declares the kernels."""
    text = _HEAD.format(header=header)
    for op, group in itertools.groupby(kernels, lambda kernel: kernel.op):
        entries, count, has_constants = "", 0, False
        for kernel in group:
            names = []
            for what, values in zip(("gamma", "beta"), kernel.constants, strict=False):
                names.append(f"{kernel.function}_{what}")
                text += f"\n{_constant(names[-1], values)}"
            names += ["0"] * (2 - len(names))
            numbers = f"{_grid(kernel.operand)}, {_grid(kernel.result)}"
            entries += (
                f"    {{{kernel.function}, {kernel.columns}, {numbers}, {', '.join(names)}, "
                f"{_float(kernel.epsilon or 0.0)}}},\n"
            )
            count += 1
            has_constants = has_constants or bool(kernel.constants)
        text += _FUNCTION.format(
            op=op,
            symbol=symbol(op),
            entries=entries,
            count=count,
            parameters=", const float *gamma, const float *beta, float eps" * has_constants,
            arguments="gamma, beta, eps" if has_constants else "0, 0, 0",
        )
    return text


def _constant(name: str, values: np.ndarray) -> str:
    words = ", ".join(f"0x{bits:08x}" for bits in values.view("<u4"))
    return f"static const uint32_t {name}[] = {{{words}}};\n"


def _grid(grid: Grid) -> str:
    return f"{_float(grid.scale)}, {grid.zero_point}"


def _float(value: float) -> str:
    return f"{float(value)!r}f"
