# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the commands say about bad sample files, and that they leave nothing behind."""

import io

import numpy as np
import pytest

from commands_fixtures import images
from nlq.cli import main
from onnx_models import single_line

SHAPE = (1, 8, 8)


@pytest.fixture(params=["calibrate", "run"])
def refuse(request, chain, tmp_path, capsys):
    """Runs both commands that read samples on x.npz; they must fail with one line."""
    if request.param == "calibrate":
        arguments = [chain / "model.mlir", "-o", tmp_path / "profile.json"]
    else:
        arguments = [chain / "assigned.mlirbc", "-o", tmp_path / "y.npz"]

    def check(message, samples="x.npz"):
        before = sorted(tmp_path.iterdir())
        words = [request.param, *arguments, "--samples", tmp_path / samples]
        assert main([str(word) for word in words]) == 1
        streams = capsys.readouterr()
        single_line(streams.err, message.format(path=tmp_path / samples))
        assert streams.out == ""
        assert sorted(tmp_path.iterdir()) == before

    return check


def test_missing_file(refuse):
    refuse("cannot read '{path}': No such file or directory\n")


def test_folder(refuse, tmp_path):
    refuse("cannot read '{path}': Is a directory\n", samples=".")


@pytest.mark.parametrize(
    "content", [b"", b"hello\n", b"PK\x03\x04", b"\x93NUMPY", bytes(range(256))]
)
def test_not_npz(content, refuse, tmp_path):
    (tmp_path / "x.npz").write_bytes(content)
    refuse("'{path}' is not an .npz file")


def test_npy_under_another_name(refuse, tmp_path):
    with (tmp_path / "x.npz").open("wb") as stream:
        np.save(stream, images(2))
    refuse("'{path}' is not an .npz file: it holds one array without a name\n")


def test_truncations(refuse, tmp_path):
    stream = io.BytesIO()
    np.savez_compressed(stream, image=images(3))
    content = stream.getvalue()
    for length in range(0, len(content), 61):
        (tmp_path / "x.npz").write_bytes(content[:length])
        refuse("'{path}' is not an .npz file")


def test_damage_inside(refuse, tmp_path):
    stream = io.BytesIO()
    np.savez(stream, image=images(3))
    content = bytearray(stream.getvalue())
    content[300] ^= 1
    (tmp_path / "x.npz").write_bytes(content)
    refuse("'{path}': 'image' cannot be read: Bad CRC-32")


def test_no_array(refuse, tmp_path):
    np.savez(tmp_path / "x.npz", image=np.array([{"a": 1}], dtype=object))
    refuse("'{path}': 'image' cannot be read: Object arrays cannot be loaded")


@pytest.mark.parametrize(
    ("names", "found"),
    [(["Image", "label"], "'Image', 'label'"), (["arr_0"], "'arr_0'"), ([], "nothing")],
)
def test_wrong_names(names, found, refuse, tmp_path):
    np.savez(tmp_path / "x.npz", **{name: images(2) for name in names})
    refuse(f"'{{path}}' has no array 'image'; it has {found}\n")


@pytest.mark.parametrize(
    "shape", [(), (4,), (2, 64), (2, 8, 8), (2, 1, 8, 9), (2, 3, 8, 8), (2, 2, 1, 8, 8), (8, 8)]
)
def test_wrong_shape(shape, refuse, tmp_path):
    np.savez(tmp_path / "x.npz", image=np.zeros(shape, np.float32))
    refuse(
        f"'{{path}}': 'image' has the shape {list(shape)}; "
        "the model takes [N, 1, 8, 8] or [N, 1, 1, 8, 8]\n"
    )


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float16", "complex64", "<U3"])
def test_wrong_element_type(dtype, refuse, tmp_path):
    np.savez(tmp_path / "x.npz", image=np.zeros((2, *SHAPE), dtype))
    refuse(f"'{{path}}': 'image' has elements of type {dtype}; float32 or float64 is read\n")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(value, dtype, refuse, tmp_path):
    array = np.zeros((6, *SHAPE), dtype)
    array[3, 0, 7, 7] = array[5, 0, 0, 0] = value
    np.savez(tmp_path / "x.npz", image=array)
    refuse("'{path}': 'image' has a NaN or an infinity in sample 3\n")


def test_too_large_for_float32(refuse, tmp_path):
    array = np.zeros((2, *SHAPE))
    array[1, 0, 0, 0] = 1e39
    np.savez(tmp_path / "x.npz", image=array)
    refuse("'{path}': 'image' has a NaN or an infinity in sample 1\n")


def test_no_samples(refuse, tmp_path):
    np.savez(tmp_path / "x.npz", image=np.zeros((0, *SHAPE), np.float32))
    refuse("'{path}': there are no samples: 'image' is empty\n")


def test_arguments_of_different_lengths(tmp_path, capsys):
    (tmp_path / "m.mlir").write_text(
        "func.func @main(%a: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<2xf32> {\n"
        "  return %a : tensor<2xf32>\n}\n"
    )
    samples = tmp_path / "x.npz"
    np.savez(samples, arg0=np.zeros((3, 2)), arg1=np.zeros((4, 2)))
    words = ["run", tmp_path / "m.mlir", "--samples", samples, "-o", tmp_path / "y.npz"]
    assert main([str(word) for word in words]) == 1
    single_line(
        capsys.readouterr().err,
        f"'{samples}': 'arg1' has 4 samples and 'arg0' 3; all arguments need as many\n",
    )
    assert not (tmp_path / "y.npz").exists()
