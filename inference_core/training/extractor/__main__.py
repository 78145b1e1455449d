"""python -m inference_core.training.extractor --config shipped [--out runs/extractor] [--export FILE]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from inference_core.errors import CoreError
from inference_core.training.extractor.config import load_config
from inference_core.training.extractor.export import calibration, export_quantised, load_mean, write_card
from inference_core.training.extractor.train import train


def main() -> int:
    """Train, or with --export only write the ONNX file of the run's averaged weights."""
    parser = argparse.ArgumentParser(prog="extractor", description="Train the normals and mask network.")
    parser.add_argument("--config", default="shipped", help="a TOML file, or the name of one in the package")
    parser.add_argument("--out", type=Path, default=Path("runs/extractor"), help="checkpoints, curve and pool")
    parser.add_argument("--threads", type=int, default=1, help="threads of the network's own process")
    parser.add_argument("--initial", type=Path, help="a checkpoint whose averaged weights start the run")
    parser.add_argument("--export", type=Path, help="write this ONNX file from the run's checkpoint; no training")
    options = parser.parse_args()
    try:
        if options.export is None:
            train(load_config(options.config), options.out, options.threads, options.initial)
            return 0
        net, config, step = load_mean(options.out / "last.pt")
        export_quantised(net, config.size, options.export, calibration())
        write_card(options.export.with_suffix(".card.json"), options.export, config, step, {})
    except CoreError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
