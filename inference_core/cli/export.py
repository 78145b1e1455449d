"""`n2f export`."""

from __future__ import annotations

from pathlib import Path

from inference_core.cli.console import escape, out
from inference_core.errors import BadInput
from inference_core.export.job import Format, Hair, export_take


def run(take: Path, kind: str, target: Path | None, quantised: bool, hair: str, quiet: bool) -> None:
    """Write one file and say where.

    Raises:
        BadInput: for a format or a way of hair that does not exist, and for what `export_take` refuses.
        ModelMissing: where the take's head is damaged.
    """
    known = [item.value for item in Format]
    if kind.lower() not in known:
        raise BadInput(f"There is no format '{kind}'.", f"There are {', '.join(known)}.")
    ways = [item.value for item in Hair]
    if hair.lower() not in ways:
        raise BadInput(f"Hair cannot leave as '{hair}'.", f"There are {', '.join(ways)}.")
    path = export_take(take, Format(kind.lower()), target, quantised, Hair(hair.lower()))
    if not quiet:
        out.print(f"[green]done[/] {escape(str(path))}  [dim]{path.stat().st_size / 1e6:.2f} MB[/]")
