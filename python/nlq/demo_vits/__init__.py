# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The demonstration on a real pretrained ViT-S: its inputs, its peers, its probe, its pictures."""
