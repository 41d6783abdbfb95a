# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What other tools' int8 keeps of the ViT-S on the same crops: `make peers-vits`.

The tools are in a Python environment of their own, the extra `peers` of pyproject.toml.
"""
