# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The commands from a float module to results, on the tiny digits model."""

import json
import re
import zipfile

import numpy as np
import onnxruntime
import pytest

from commands_fixtures import CALIBRATION, ONNX, SLOTS, TEST, images, load, nlq, sqnr
from nlq.native import list_methods


def run_both(module, samples, folder):
    """The logits of compiled code and of the reference."""
    nlq("run", module, "--samples", samples, "-o", folder / "compiled.npz")
    nlq("run", module, "--samples", samples, "-o", folder / "reference.npz", "--reference")
    return load(folder / "compiled.npz"), load(folder / "reference.npz")


def test_every_step_leaves_its_files_and_no_others(chain):
    assert {path.name for path in chain.iterdir()} == {
        "model.mlir",
        "profile.json",
        "profile.bin",
        "quantized.mlir",
        "scores.json",
        "assigned.mlirbc",
        "five.npz",
    }


def test_compiled_equals_reference(chain, tmp_path):
    compiled, reference = run_both(chain / "assigned.mlirbc", chain / "five.npz", tmp_path)
    assert compiled.shape == (5, 10) and compiled.dtype == np.float32
    assert compiled.tobytes() == reference.tobytes()
    assert (tmp_path / "compiled.npz").read_bytes() == (tmp_path / "reference.npz").read_bytes()


def test_compiled_equals_reference_for_every_method(chain, tmp_path):
    """At six bits, from bytecode; where a method lacks a function, its fallback takes over."""
    profile = ("--profile", chain / "profile.json")
    bits = ("--act-bits", 6, "--weight-bits", 6, "--candidates", "all")
    nlq("quantize", chain / "model.mlir", *profile, "-o", tmp_path / "q.mlirbc", *bits)
    for method in list_methods():
        uniform = ("--policy", "uniform", "--method", method["name"])
        nlq("assign", tmp_path / "q.mlirbc", "-o", tmp_path / "a.mlirbc", *uniform)
        compiled, reference = run_both(tmp_path / "a.mlirbc", chain / "five.npz", tmp_path)
        assert compiled.tobytes() == reference.tobytes(), method["name"]
        assert len(np.unique(compiled)) > 10, method["name"]


def test_segments_are_cut_for_what_calibration_has_seen(chain, tmp_path):
    profile = ("--profile", chain / "profile.json", "--candidates", "seed,other")
    nlq("quantize", chain / "model.mlir", *profile, "-o", tmp_path / "q.mlir")
    found = re.findall(r"#nlq\.pwl<.*?cuts = \[([\d, ]+)\]>", (tmp_path / "q.mlir").read_text())
    cuts = [[int(cut) for cut in each.split(",")] for each in found]
    assert len(cuts) > 1 and all(len(each) == 15 for each in cuts)
    assert all(each == sorted(set(each)) and each[0] > 0 and each[-1] < 64 for each in cuts)
    # Of different operations, for different histograms.
    assert len({tuple(each) for each in cuts}) > 1


def test_float_model_agrees_with_onnxruntime(chain, tmp_path):
    np.savez(tmp_path / "x.npz", image=images(20))
    nlq("run", chain / "model.mlir", "--samples", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    session = onnxruntime.InferenceSession(ONNX, providers=["CPUExecutionProvider"])
    expected = [session.run(None, {"image": image[None]})[0] for image in images(20)]
    assert sqnr(np.concatenate(expected), load(tmp_path / "y.npz")) >= 100


def test_quantized_model_keeps_its_accuracy(chain, tmp_path, capsys):
    logits = {}
    for name in ("model.mlir", "assigned.mlirbc"):
        nlq("run", chain / name, "--samples", TEST, "-o", tmp_path / "y.npz")
        assert capsys.readouterr().out.startswith("500 samples, median ")
        logits[name] = load(tmp_path / "y.npz")
    assert 20 < sqnr(logits["model.mlir"], logits["assigned.mlirbc"]) < 60
    with np.load(TEST) as test:
        correct = {name: (y.argmax(axis=1) == test["label"]).sum() for name, y in logits.items()}
    assert correct["assigned.mlirbc"] >= correct["model.mlir"] - 10


# --- Samples ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x[:, None],
        lambda x: x.astype(np.float64),
        lambda x: x.astype(">f4"),
        np.asfortranarray,
    ],
    ids=["batch", "float64", "big-endian", "fortran"],
)
def test_spellings_of_samples(convert, chain, tmp_path):
    np.savez(tmp_path / "x.npz", label=np.arange(3), image=convert(images(5)))
    for samples, output in ((tmp_path / "x.npz", "x.out"), (chain / "five.npz", "five.out")):
        nlq(
            "run", chain / "assigned.mlirbc", "--samples", samples, "-o", tmp_path / f"{output}.npz"
        )
    assert (tmp_path / "x.out.npz").read_bytes() == (tmp_path / "five.out.npz").read_bytes()


def test_several_arguments_and_results(chain, tmp_path):
    """By name and not by order; names may be anything, and a result may be returned twice."""
    (tmp_path / "m.mlir").write_text(
        'func.func @main(%a: tensor<2x3xf32> {nlq.name = "file"}, %b: tensor<2x3xf32>) ->\n'
        '    (tensor<2x3xf32>, tensor<2x3xf32> {nlq.name = "a/b"}, tensor<2x3xf32>) {\n'
        "  %0 = arith.subf %a, %b : tensor<2x3xf32>\n"
        "  %1 = nlq.softmax %0 : tensor<2x3xf32> -> tensor<2x3xf32>\n"
        "  return %1, %a, %1 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>\n"
        "}\n"
    )
    b, a = np.random.default_rng(1).normal(size=(2, 4, 2, 3)).astype(np.float32)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name, array in (("arg1", b), ("file", a)):
            with archive.open(f"{name}.npy", "w") as stream:
                np.save(stream, array)
    nlq("run", tmp_path / "m.mlir", "--samples", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    expected = np.exp(a.astype(np.float64) - b)
    expected /= expected.sum(axis=-1, keepdims=True)
    with np.load(tmp_path / "y.npz") as archive:
        assert archive.files == ["result0", "a/b", "result2"]
        np.testing.assert_allclose(archive["result0"], expected, rtol=1e-5)
        np.testing.assert_array_equal(archive["a/b"], a)
        np.testing.assert_array_equal(archive["result2"], archive["result0"])


# --- Steps -----------------------------------------------------------------------------------


def test_text_and_bytecode_are_the_same_module(chain, tmp_path):
    """Scores of the one are fresh for the other."""
    profile, scores = ("--profile", chain / "profile.json"), ("--scores", chain / "scores.json")
    nlq("quantize", chain / "model.mlir", *profile, "-o", tmp_path / "q.mlirbc")
    nlq("assign", tmp_path / "q.mlirbc", *scores, "-o", tmp_path / "a.mlir")
    for module, output in ((chain / "assigned.mlirbc", "a"), (tmp_path / "a.mlir", "b")):
        output = tmp_path / f"{output}.npz"
        nlq("run", module, "--samples", chain / "five.npz", "-o", output)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_profiles_and_scores_repeat(chain, tmp_path):
    samples = ("--samples", CALIBRATION)
    nlq("calibrate", chain / "model.mlir", *samples, "-o", tmp_path / "profile.json")
    for name in ("profile.json", "profile.bin"):
        assert (tmp_path / name).read_bytes() == (chain / name).read_bytes()
    profile = ("--profile", tmp_path / "profile.json")
    nlq("measure", chain / "quantized.mlir", *profile, "-o", tmp_path / "scores.json")
    assert (tmp_path / "scores.json").read_bytes() == (chain / "scores.json").read_bytes()


def test_kept_samples(chain, tmp_path):
    samples = ("--samples", chain / "five.npz", "--kept", 2)
    nlq("calibrate", chain / "model.mlir", *samples, "-o", tmp_path / "profile.json")
    profile = json.loads((tmp_path / "profile.json").read_text())
    assert (profile["samples"], profile["kept"]) == (5, 2)


def test_folders_with_spaces(chain, tmp_path):
    folder = tmp_path / "a folder, with = odd; things"
    folder.mkdir()
    samples = ("--samples", chain / "five.npz")
    nlq("calibrate", chain / "model.mlir", *samples, "-o", folder / "p.json")
    profile = ("--profile", folder / "p.json")
    nlq("quantize", chain / "model.mlir", *profile, "-o", folder / "q.mlir")
    nlq("measure", folder / "q.mlir", *profile, "-o", folder / "s.json", "--metrics", "own")
    scores = ("--scores", folder / "s.json", "--metric", "own")
    nlq("assign", folder / "q.mlir", *scores, "-o", folder / "a.mlirbc")
    names = {"p.json", "p.bin", "q.mlir", "s.json", "a.mlirbc"}
    assert {path.name for path in folder.iterdir()} == names


def test_metrics_are_those_asked_for(chain, tmp_path):
    options = ("--profile", chain / "profile.json", "--metrics", "own", "--kept", 1)
    nlq("measure", chain / "quantized.mlir", *options, "-o", tmp_path / "s.json")
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["samples"] == 1 and len(scores["slots"]) == SLOTS
    for candidate in (entry for slot in scores["slots"] for entry in slot["candidates"]):
        assert candidate["own"] is not None
        assert candidate["consumer"] is None and candidate["paper"] is None


def test_measuring_against_the_float_module(chain, tmp_path):
    """The first samples of the calibration, which the profile keeps, without the profile."""
    with np.load(CALIBRATION) as archive:
        np.savez(tmp_path / "x.npz", image=archive["image"][:8])
    options = ("--float", chain / "model.mlir", "--samples", tmp_path / "x.npz")
    nlq("measure", chain / "quantized.mlir", *options, "-o", tmp_path / "s.json")
    scores, kept = (
        json.loads(path.read_text()) for path in (tmp_path / "s.json", chain / "scores.json")
    )
    assert scores["hashes"] == kept["hashes"] and scores["samples"] == 8
    for slot, other in zip(scores["slots"], kept["slots"], strict=True):
        assert slot["consumers"] == other["consumers"]
        for candidate, same in zip(slot["candidates"], other["candidates"], strict=True):
            assert candidate["method"] == same["method"] and candidate["logits"] is None
            for metric in ("own", "consumer", "paper", "cost"):
                assert candidate[metric] == pytest.approx(same[metric], abs=1e-3)


def test_logits_of_one_changed_operation(chain, tmp_path, capsys):
    """Against a run of the module with one method assigned by hand and the others exact."""
    options = ("--float", chain / "model.mlir", "--samples", chain / "five.npz")
    options += ("--metrics", "logits", "--methods", "ivit,ibert")
    nlq("measure", chain / "quantized.mlir", *options, "-o", tmp_path / "s.json")
    scores = json.loads((tmp_path / "s.json").read_text())
    nlq("run", chain / "model.mlir", "--samples", chain / "five.npz", "-o", tmp_path / "f.npz")
    text = (chain / "quantized.mlir").read_text()
    for slot in scores["slots"][1::3]:
        candidate = slot["candidates"][0]
        marker = f'nlq.slot = "{slot["name"]}"'
        assert text.count(marker) == 1
        changed = text.replace(marker, f"method = {candidate['method']}, {marker}")
        (tmp_path / "a.mlir").write_text(changed)
        words = ("--samples", chain / "five.npz", "-o", tmp_path / "y.npz", "--reference")
        nlq("run", tmp_path / "a.mlir", *words)
        expected = sqnr(load(tmp_path / "f.npz"), load(tmp_path / "y.npz"))
        assert candidate["logits"] == pytest.approx(expected, abs=1e-3)
    nlq(
        "assign",
        chain / "quantized.mlir",
        "--scores",
        tmp_path / "s.json",
        "-o",
        "-",
        "--metric",
        "logits",
    )
    assert capsys.readouterr().err.count(" by logits ") == SLOTS


def test_widths_are_those_asked_for(chain, tmp_path):
    options = ("--act-bits", 6, "--weight-bits", 5, "--residual-bits", 12)
    profile = ("--profile", chain / "profile.json")
    nlq("quantize", chain / "model.mlir", *profile, *options, "-o", tmp_path / "q.mlir")
    text = (tmp_path / "q.mlir").read_text()
    assert "!quant.uniform<i8<-31:31>:f32, " in text and "i8<-127:127>" not in text
    assert "!quant.uniform<i16<-2047:2047>:f32, " in text


# --- Assigning -------------------------------------------------------------------------------


def assign(chain, capsys, *options):
    """The lines of `nlq assign` without scores unless they are among the options."""
    nlq("assign", chain / "quantized.mlir", "-o", "-", *options)
    streams = capsys.readouterr()
    return streams.out, streams.err.splitlines()


def test_a_line_for_every_operation(chain, tmp_path, capsys):
    scores = ("--scores", chain / "scores.json")
    nlq("assign", chain / "quantized.mlir", *scores, "-o", tmp_path / "a.mlir")
    lines = capsys.readouterr().out.splitlines()
    names = [slot["name"] for slot in json.loads((chain / "scores.json").read_text())["slots"]]
    assert len(names) == len(lines) == SLOTS
    for name, line in zip(names, lines, strict=True):
        assert line.startswith(f"'{name}' chosen #nlq."), line
        assert " by consumer " in line and " dB over #nlq." in line, line
    assert (tmp_path / "a.mlir").read_text().count(" method = #nlq.") == SLOTS


def test_the_best_score_is_chosen(chain, capsys):
    """Read off scores.json independently."""
    _, lines = assign(chain, capsys, "--scores", chain / "scores.json", "--metric", "own")
    slots = json.loads((chain / "scores.json").read_text())["slots"]
    for slot, line in zip(slots, lines, strict=True):
        best = max(entry["own"] for entry in slot["candidates"])
        assert f" by own {best:.1f} dB, " in line


def test_the_cheapest_of_those_near_the_best(chain, tmp_path, capsys):
    """Read off scores.json independently, and what the report says of it."""
    options = ("--scores", chain / "scores.json", "--within", 12, "--metric", "own")
    _, lines = assign(chain, capsys, *options, "--report", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())["slots"]
    slots = json.loads((chain / "scores.json").read_text())["slots"]
    cheaper = 0
    for slot, chosen, line in zip(slots, report, lines, strict=True):
        best = max(entry["own"] for entry in slot["candidates"])
        near = [entry for entry in slot["candidates"] if entry["own"] >= best - 12 - 1e-9]
        wanted = min(near, key=lambda entry: (entry["cost"], -entry["own"]))
        assert chosen["name"] == slot["name"]
        assert chosen["chosen"] == wanted["method"]
        assert line == f"'{slot['name']}' chosen {chosen_text(chosen)} {chosen['reason']}"
        if wanted["own"] < best:
            cheaper += 1
            assert ", the cheapest within 12 dB of the best: " in line
            assert chosen["margin"] == pytest.approx(wanted["own"] - best, abs=1e-4)
    assert cheaper


def chosen_text(slot):
    """The short form of the chosen method."""
    (text,) = (c["text"] for c in slot["candidates"] if c["method"] == slot["chosen"])
    return text


def test_module_on_the_terminal(chain, capsys):
    text, lines = assign(chain, capsys, "--scores", chain / "scores.json", "--policy", "paper")
    assert text.startswith("#") or text.startswith("module")
    assert text.count(" method = #nlq.") == SLOTS
    assert len(lines) == SLOTS and all(" by paper " in line for line in lines)


def test_restrictions(chain, capsys):
    method = list_methods()[1]["name"]
    options = ("--scores", chain / "scores.json", "--methods", method, "--form", "reference")
    _, lines = assign(chain, capsys, *options, "--set", "seed")
    assert len(lines) == SLOTS
    assert all(f" chosen #nlq.{method}<form = reference, " in line for line in lines)


def test_keep_assigned(chain, tmp_path, capsys):
    names = [method["name"] for method in list_methods()[:2]]
    for source, target, method in zip(
        (chain / "quantized.mlir", tmp_path / "0.mlir"), ("0.mlir", "1.mlir"), names, strict=True
    ):
        uniform = ("--policy", "uniform", "--method", method, "--keep-assigned")
        nlq("assign", source, *uniform, "-o", tmp_path / target)
    lines = capsys.readouterr().out.splitlines()
    for line in lines[SLOTS:]:
        assert f"#nlq.{names[0]}<" in line and line.endswith(" kept, it was assigned before")
