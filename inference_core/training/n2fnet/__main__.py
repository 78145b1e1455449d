"""`python -m inference_core.training.n2fnet`: train, resume, export."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from inference_core.errors import CoreError
from inference_core.formats.options import DEFAULT_HEAD
from inference_core.formats.places import NETWORK_FILE, heads_folder
from inference_core.head import load_head
from inference_core.library.shelf import head_path
from inference_core.training.n2fnet.config import Config, load_config
from inference_core.training.n2fnet.export import export
from inference_core.training.n2fnet.render import NormalRenderer
from inference_core.training.n2fnet.stream import VALIDATION_STREAM, make_chunk
from inference_core.training.n2fnet.train import BEST, Trainer

app = typer.Typer(add_completion=False)


@app.command()
def main(
    config: Annotated[Path | None, typer.Option(help="TOML file; defaults are in config.py.")] = None,
    run: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/n2fnet"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run stopped.")] = False,
    head: Annotated[str, typer.Option(metavar="NAME|FILE", help="An installed head, or a head file.")] = DEFAULT_HEAD,
    start: Annotated[Path | None, typer.Option(help="Begin from this checkpoint's weights.")] = None,
    start_head: Annotated[Path | None, typer.Option(help="The head file those were trained for.")] = None,
    minutes: Annotated[float, typer.Option(help="End after this wall-clock time, the schedule stretched to it.")] = 0,
    export_only: Annotated[bool, typer.Option("--export-only", help="Do not train; export the best weights.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write n2fnet.onnx and its card here. Beside the head's file the product uses it."),
    ] = None,
    measures: Annotated[Path | None, typer.Option(help="JSON of the evaluation, to be put into the card.")] = None,
    note: Annotated[str, typer.Option(help="A sentence for the card, e.g. where the run began.")] = "",
) -> None:
    """Train N2FNet on renders drawn afresh; then write the network for the running product.

    For an installed head it is written beside the head's file, where the product finds it; for others with --out.
    """
    try:
        head_file = head_path(head)
        if out is None and head_file.parent.parent == heads_folder():
            out = head_file.with_name(NETWORK_FILE)
        if not export_only:
            settings = load_config(config) if config else Config()
            if minutes > 0:
                settings = replace(settings, schedule=replace(settings.schedule, minutes=minutes))
            Trainer(settings, run, head_file, resume, start, start_head).run()
        if out is not None:
            known: dict[str, object] = json.loads(measures.read_text(encoding="utf-8")) if measures else {}
            if note:
                known["note"] = note
            loaded = load_head(head_file)
            space = Config().space
            chunk = make_chunk(loaded, NormalRenderer(loaded, 256), space, None, (VALIDATION_STREAM, 99), 8)
            difference = export(run / BEST, loaded, out, chunk.normals.astype(np.float32), known)
            print(f"{out.name}: {out.stat().st_size / 1e6:.1f} MB, differs from torch by at most {difference:.1e}")
    except CoreError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_status) from None


if __name__ == "__main__":
    app()
