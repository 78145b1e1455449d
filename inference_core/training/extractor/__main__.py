"""python -m inference_core.training.extractor --config shipped [--out runs/extractor] [--export FILE].

--adapt CLIP        fit the product's network to the actor or studio of a clip, in minutes
--synthhuman DIR    train on data in SynthHuman's layout too
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inference_core.errors import BadInput, CoreError
from inference_core.training.extractor.config import load_config
from inference_core.training.extractor.export import calibration, export_quantised, load_mean, write_card
from inference_core.training.extractor.train import Extra, train


def main() -> int:
    """Train, adapt, or with --export only write the ONNX file of the run's averaged weights."""
    options = _parser().parse_args()
    try:
        if options.adapt is not None:
            return _adapt(options)
        if options.export is None:
            extras = _extras(options)
            train(load_config(options.config), options.out, options.threads, options.initial, extras, options.minutes)
            return 0
        net, config, step = load_mean(options.out / "last.pt")
        export_quantised(net, config.size, options.export, calibration())
        recipe = f"n2f train normals --config {Path(options.config).stem} (seed {config.seed}, step {step})"
        write_card(options.export.with_suffix(".card.json"), options.export, config, recipe, step, {}, options.note)
    except CoreError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="extractor", description="Train the normals and mask network.")
    parser.add_argument("--config", default="shipped", help="a TOML file, or the name of one in the package")
    parser.add_argument("--out", type=Path, default=Path("runs/extractor"), help="checkpoints, curve and pool")
    parser.add_argument("--threads", type=int, default=1, help="threads of the network's own process")
    parser.add_argument("--initial", type=Path, help="a checkpoint or normals.onnx that starts the run")
    parser.add_argument("--minutes", type=float, help="end the schedule by the clock instead of by the config's steps")
    parser.add_argument("--export", type=Path, help="write this ONNX file from the run's checkpoint; no training")
    parser.add_argument("--note", default="", help="a sentence for the card, e.g. where the run began")
    own = parser.add_argument_group("one's own actor or studio")
    own.add_argument("--adapt", metavar="CLIP", help="a video of one face; --out gets normals.onnx and its card")
    own.add_argument("--start", type=Path, metavar="ONNX", help="start from this network; default: the product's")
    own.add_argument("--frames", type=int, default=160, help="about how many frames of the clip (default 160)")
    own.add_argument("--steps", type=int, default=240, help="steps of the short training (default 240)")
    data = parser.add_argument_group("SynthHuman (Microsoft, CDLA-Permissive-2.0)")
    data.add_argument("--synthhuman", type=Path, metavar="DIR", help="a folder in that data set's layout")
    data.add_argument(
        "--share", type=float, default=0.5, help="of each batch; 1 leaves painted faces out (default 0.5)"
    )
    data.add_argument("--count", type=int, help="at most so many of its samples")
    return parser


def _adapt(options: argparse.Namespace) -> int:
    # Reads clips and fits heads: what plain training does not need.
    import torch

    from inference_core.perception.normals import BUNDLED_NORMALS
    from inference_core.training.extractor.adapt import Adaptation, run
    from inference_core.training.extractor.tune import Tuning

    if options.frames < 1 or options.steps < 1:
        raise BadInput("--frames and --steps count from 1.", "Leave them out for the usual.")
    torch.set_num_threads(options.threads)
    wanted = Adaptation(
        clip=options.adapt,
        out=options.out,
        start=options.start or BUNDLED_NORMALS,
        frames=options.frames,
        tuning=Tuning(steps=options.steps),
    )
    run(wanted, load_config(options.config))
    return 0


def _extras(options: argparse.Namespace) -> list[Extra]:
    if options.synthhuman is None:
        return []
    if not 0 < options.share <= 1:
        raise BadInput(f"A share of {options.share} is none.", "Give one above 0, at most 1.")
    from inference_core.training.extractor.human_pool import human_pool

    return [Extra(human_pool(options.synthhuman, options.out / "synthhuman", options.count), options.share)]


if __name__ == "__main__":
    sys.exit(main())
