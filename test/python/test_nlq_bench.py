# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What nlq-bench says of what it measured; its times are nobody's business here."""

import ctypes
import json
import subprocess

import pytest

MODULE = """
!x = !quant.uniform<i8:f32, 0.05>
!a = !quant.uniform<i32<-64516:64516>:f32, 1.0e-04>
func.func @wide(%x: tensor<3x70x!a>) -> tensor<3x70x!x> {
  %y = nlq.gelu %x erf {method = #nlq.ibert<>} : tensor<3x70x!a> -> tensor<3x70x!x>
  return %y : tensor<3x70x!x>
}
func.func @narrow(%x: tensor<?x70x!x>) -> tensor<?x70x!x> {
  %y = nlq.gelu %x erf : tensor<?x70x!x> -> tensor<?x70x!x>
  return %y : tensor<?x70x!x>
}
"""

QUICK = ("--samples=2", "--min-time=0.0001")


@pytest.fixture
def bench(nlq_opt):
    """Runs nlq-bench and reads the JSON that it prints."""
    tool = nlq_opt.with_name("nlq-bench")
    if not tool.exists():
        pytest.skip(f"there is no {tool}")

    def run(*arguments):
        command = [tool, *QUICK, "--json=-", *map(str, arguments)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    return run


def test_file(bench, tmp_path):
    path = tmp_path / "m.mlir"
    path.write_text(MODULE)
    found = bench(path, "--rows=5")
    assert (found["format"], found["version"], found["target"]) == ("nlq-bench", 1, "native")
    assert found["run"] is True and isinstance(found["processor"], str)
    wide, narrow = found["results"]
    assert (wide["function"], narrow["function"]) == ("wide", "narrow")
    assert wide["arguments"] == wide["results"] == [[3, 70]]
    assert narrow["arguments"] == narrow["results"] == [[5, 70]]
    assert (wide["elements"], narrow["elements"]) == (210, 350)
    assert (wide["bytes"], narrow["bytes"]) == (210 * 5, 350 * 2)
    for result in found["results"]:
        assert 0 < result["ns_per_element_least"] <= result["ns_per_element"]
        assert result["memcpy_ns_per_element"] > 0
        ratio = result["ns_per_element"] / result["memcpy_ns_per_element"]
        assert result["memcpy_ratio"] == pytest.approx(ratio)
        assert result["compile_ms"] > 0 and result["object_bytes"] > 0
        assert (result["instructions_per_element"] is None) == (result["instructions_by"] is None)
        widths = {int(name.rsplit("xi", 1)[1]) for name in result["vectors"]}
        assert result["lanes"] == sorted(widths)
    # Elements of 17 bits need lanes of 32.
    assert 32 in wide["lanes"]


def test_sizes_of_operations(bench):
    found = bench("gelu", "layer_norm", "--sizes=tile,image")
    shapes = [(result["function"], result["results"]) for result in found["results"]]
    assert shapes == [
        ("gelu_3072", [[4, 3072]]),
        ("gelu_3072", [[197, 3072]]),
        ("layer_norm_768", [[16, 768]]),
        ("layer_norm_768", [[197, 768]]),
    ]


def test_columns_of_operations(bench):
    found = bench("layer_norm_i16_i8", "--columns=1,49", "--rows=3")
    shapes = [(result["function"], result["results"]) for result in found["results"]]
    assert shapes == [
        ("layer_norm_i16_i8_1", [[3, 1]]),
        ("layer_norm_i16_i8_49", [[3, 49]]),
    ]
    assert [result["bytes"] for result in found["results"]] == [9, 441]


def test_squares(bench):
    found = bench("softmax_causal", "--columns=49", "--rows=3")
    (result,) = found["results"]
    assert result["function"] == "softmax_causal_49"
    assert result["arguments"] == result["results"] == [[3, 49, 49]]


def test_causal_is_an_attribute(nlq_opt, tmp_path):
    """Not the name alone."""
    tool, path = nlq_opt.with_name("nlq-bench"), tmp_path / "m.mlir"
    command = [tool, "softmax_causal", "--columns=49", f"--save-module={path}"]
    subprocess.run(command, check=True)
    assert "nlq.softmax %arg0 causal : tensor<?x49x49x" in path.read_text()


def test_one_function_for_all_columns(bench):
    found = bench("softmax", "--longest=300", "--columns=1,49,300", "--rows=3")
    shapes = [(result["function"], result["results"]) for result in found["results"]]
    assert shapes == [("softmax_to_300", [[3, columns]]) for columns in (1, 49, 300)]


def test_threads(bench):
    try:
        ctypes.CDLL("libomp.so.5")
    except OSError as error:
        pytest.skip(str(error))
    found = bench("softmax", "--openmp", "--columns=197", "--rows=300")
    (result,) = found["results"]
    assert found["threads"] == "openmp"
    assert result["ns_per_element"] > 0 and result["instructions_per_element"] is None
    assert bench("softmax", "--columns=197", "--rows=300")["threads"] == "none"


@pytest.mark.parametrize("target", ["aarch64", "znver4", "x86-64-v3", "x86-64-v4"])
def test_targets(target, bench):
    """Code for another machine is compiled only."""
    found = bench("softmax", "gelu", "--rows=4", f"--target={target}")
    assert found["target"] == target
    assert target != "aarch64" or found["run"] is False
    for result in found["results"]:
        assert result["compile_ms"] > 0 and result["lanes"]
        measured = ("ns_per_element", "ns_per_element_least", "memcpy_ratio")
        assert all((result[name] is None) == (not found["run"]) for name in measured)


def test_text(nlq_opt):
    done = subprocess.run(
        [nlq_opt.with_name("nlq-bench"), "softmax", "--rows=3", *QUICK],
        check=True,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("target native: ")
    assert lines[1].split()[:2] == ["function", "result"]
    assert [line.split()[:2] for line in lines[2:]] == [
        ["softmax_197", "3x197"],
        ["softmax_1024", "3x1024"],
    ]
