# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The C header of compiled functions."""

import json
import re

from nlq.native import Signature

_C_TYPES = {"f32": "float", "i8": "int8_t", "i16": "int16_t", "i32": "int32_t", "i64": "int64_t"}

# Words that C or C++ keeps for itself.
_KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept
const const_cast consteval constexpr constinit continue co_await co_return co_yield decltype
default delete do double dynamic_cast else enum explicit export extern false float for friend goto
if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private
protected public register reinterpret_cast requires restrict return short signed sizeof static
static_assert static_cast struct switch template this thread_local throw true try typedef typeid
typename typeof typeof_unqual union unsigned using virtual void volatile wchar_t while xor xor_eq
"""


def is_c_name(text: str) -> bool:
    """Whether a function of a user may have this name in C and C++ (which keep leading _)."""
    return (
        re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text) is not None and text not in _KEYWORDS.split()
    )


def make_header(functions: dict[str, Signature]) -> str:
    """A header that declares compiled functions, by their names in C."""
    guard = f"{next(iter(functions)).upper()}_H"
    declarations = "\n".join(_declare(name, functions[name]) for name in functions)
    return (
        f"// Made by nlq.\n#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n\n"
        '#ifdef __cplusplus\nextern "C" {\n#endif\n\n'
        f"{declarations}\n"
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif // {guard}\n"
    )


def _declare(function: str, signature: Signature) -> str:
    """A function's declaration, with a comment on its parameters."""
    tensors = [*signature.arguments, *signature.results]
    extents = [
        (index, dimension)
        for index, tensor in enumerate(signature.arguments)
        for dimension, extent in enumerate(tensor.shape)
        if extent is None
    ]
    wanted = [tensor.name for tensor in tensors]
    wanted += [f"{tensors[index].name}_{dimension}" for index, dimension in extents]
    strided = [index for index, tensor in enumerate(tensors) if tensor.strided]
    wanted += [f"{tensors[index].name}_stride" for index in strided]
    names = _parameter_names(wanted)
    extent_names = dict(zip(extents, names[len(tensors) :], strict=False))
    stride_names = dict(zip(strided, names[len(tensors) + len(extents) :], strict=True))
    parameters, comments = [], []
    for index, (name, tensor) in enumerate(zip(names, tensors, strict=False)):
        is_argument = index < len(signature.arguments)
        c_type = _C_TYPES[tensor.kind]
        parameters.append(f"{'const ' if is_argument else ''}{c_type} *{name}")
        shape = "".join(
            f"[{extent_names.get((index, dimension), '?') if extent is None else extent}]"
            for dimension, extent in enumerate(tensor.shape)
        )
        comments.append(
            f"//   {name}: {'argument' if is_argument else 'result'} {json.dumps(tensor.name)}, "
            f"{c_type}{shape}{f' of {tensor.quantized}' if tensor.quantized else ''}"
            f"{f', a row every {stride_names[index]} elements' if tensor.strided else ''}\n"
        )
    parameters += [f"int64_t {name}" for name in names[len(tensors) :]]
    dense = "row-major, dense but for rows that are apart," if strided else "dense and row-major,"
    text = f"// Runs the model once. Arrays are {dense} and must not overlap"
    if extents:
        text += ";\n// an extent ? of a result is that of the argument it is made of"
    text += f":\n{''.join(comments)}"
    limits = [
        f"{name} is not from 1 to {signature.arguments[index].limits[dimension]}"
        for (index, dimension), name in extent_names.items()
        if any(signature.arguments[index].limits[dimension : dimension + 1])
    ]
    if limits:
        text += f"// Returns 0, or 1 if {' or '.join(limits)}; then nothing is written.\n"
    result = "int32_t" if limits else "void"
    return f"{text}{result} {function}({', '.join(parameters) or 'void'});\n"


def _parameter_names(wanted: list[str]) -> list[str]:
    """A C name for each, as near to its own as can be, no two the same."""
    names: list[str] = []
    for text in wanted:
        name = base = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
        if not is_c_name(base):
            name = base = f"p_{base}"
        number = 2
        while name in names:
            name = f"{base}_{number}"
            number += 1
        names.append(name)
    return names
