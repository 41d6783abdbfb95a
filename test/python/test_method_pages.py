# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The pages of docs/methods."""

import xml.dom.minidom
from pathlib import Path

from nlq import method_pages
from nlq.native import list_methods

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "methods"


def test_pages_are_what_the_compiler_says():
    pages = method_pages.make_pages(FOLDER)
    stale = [name for name, text in pages.items() if (FOLDER / name).read_text() != text]
    assert stale == [], "build them again with `make docs-methods`"
    plots = {path.name for path in FOLDER.glob("*.svg")}
    assert plots == {name for name in pages if name.endswith(".svg")}
    for method in list_methods():
        row = next(
            line
            for line in pages["methods.md"].splitlines()
            if line.startswith(f"| [`{method['name']}`]({method['name']}.md) |")
        )
        assert all(f"`{each['function']}`" in row for each in method["implementations"])
    for name in plots:
        xml.dom.minidom.parseString(pages[name])


def test_page_without_notes(tmp_path, monkeypatch):
    # A method of one operation that nobody has written about.
    table = next(method for method in list_methods() if method["name"] == "table")
    table["implementations"] = [
        each for each in table["implementations"] if each["function"] == "exp"
    ]
    monkeypatch.setattr(method_pages, "list_methods", lambda: [table])
    method_pages.write_pages(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"table.md", "table-exp.svg"}
    text = (tmp_path / "table.md").read_text()
    assert "## Arithmetic" not in text
    assert "### exp" in text
