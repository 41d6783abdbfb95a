# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The pages about the ViT-S are those of the results that are kept beside them."""

from pathlib import Path

import pytest

from nlq.demo_vits.docs import make_pages, update_docs
from nlq.errors import NlqError

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_pages_are_not_stale():
    for name, text in make_pages(DOCS).items():
        assert (DOCS / name).read_text() == text, f"docs/{name} is stale: make docs-vits"


def test_a_missing_result_is_named(tmp_path):
    with pytest.raises(NlqError, match="cannot read '.*demo-vits/results.json': No such file"):
        update_docs(tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())
