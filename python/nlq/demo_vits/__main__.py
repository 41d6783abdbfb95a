# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The parts around the demonstration, as the Makefile runs them: `python -m nlq.demo_vits`.

Parts import what they need when they run, for they run in two environments.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from nlq.demo_vits.package import find_model
from nlq.errors import NlqError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a part; returns its exit code as `nlq` does."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except NlqError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nlq.demo_vits", description=__doc__)
    parts = parser.add_subparsers(metavar="part", required=True)

    model = parts.add_parser("model", help="print the path of the package's model")
    model.set_defaults(run=lambda _: print(find_model()))

    crops = parts.add_parser("crops", help="write the crops of the photographs")
    crops.add_argument("folder", type=Path)
    crops.set_defaults(run=_write_crops)

    demo = parts.add_parser("demo", help="compare assignments on the test crops")
    demo.add_argument("output", type=Path, help="the folder to write into")
    demo.set_defaults(run=_run_demo)

    ablation = parts.add_parser("ablation", help="measure each option of quantization")
    ablation.add_argument("folder", type=Path, help="the folder that the demonstration has left")
    ablation.set_defaults(run=_run_ablation)

    peers = parts.add_parser("peers", help="measure other tools' int8 on the test crops")
    peers.add_argument("model", type=Path, help="the package's model")
    peers.add_argument("crops", type=Path, help="the folder of the crops")
    peers.add_argument("output", type=Path, help="the folder of results.json")
    peers.set_defaults(run=_run_peers)

    probe = parts.add_parser("probe", help="run the digits probe on assigned modules")
    probe.add_argument("modules", type=Path, nargs="+", metavar="module", help="W8A8-NAME.mlirbc")
    probe.add_argument("output", type=Path, help="the folder of results.json")
    probe.set_defaults(run=_run_probe)

    docs = parts.add_parser("docs", help="make the pages of docs/ from what the others have left")
    docs.add_argument("build", type=Path, help="the folder of demo-vits, peers-vits, probe-vits")
    docs.add_argument("docs", type=Path, help="the project's docs")
    docs.set_defaults(run=_update_docs)
    return parser


def _write_crops(options: argparse.Namespace) -> None:
    from nlq.demo_vits.write_crops import write_crops

    write_crops(options.folder)


def _run_demo(options: argparse.Namespace) -> None:
    from nlq.demo_vits.demo import run_demo

    run_demo(options.output)


def _run_ablation(options: argparse.Namespace) -> None:
    from nlq.demo_vits.ablation import run_ablation

    run_ablation(options.folder)


def _run_peers(options: argparse.Namespace) -> None:
    from nlq.demo_vits.peers.run import run_peers

    run_peers(options.model, options.crops, options.output)


def _run_probe(options: argparse.Namespace) -> None:
    from nlq.demo_vits.run_probe import run_probe

    run_probe(find_model(), options.modules, options.output)


def _update_docs(options: argparse.Namespace) -> None:
    from nlq.demo_vits.docs import update_docs

    update_docs(options.build, options.docs)


if __name__ == "__main__":
    sys.exit(main())
