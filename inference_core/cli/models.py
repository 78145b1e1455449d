"""`n2f models list | add | remove | verify`."""

from __future__ import annotations

from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from inference_core import inventory
from inference_core.cli.console import err, escape, out, print_json, show_error
from inference_core.errors import CoreError, ModelMissing
from inference_core.library.shelf import allowed_use, find_head


def run_list(*, as_json: bool) -> None:
    """Every head and network, with its licence and whether it is whole.

    Raises:
        ModelMissing: when there is nothing to list, or a network is absent, after listing the others.
    """
    found = [*inventory.heads(), *inventory.networks()]
    if as_json:
        print_json([as_plain(asset) for asset in found])
    else:
        for asset in found:
            out.print(f"[bold]{asset.name}[/]  {asset.kind}, {asset.size / 1e6:.1f} MB, {escape(allowed_use(asset))}")
            out.print(f"  sha256 {asset.sha256}", style="dim")
            if asset.damage:
                out.print(f"  [bold red]damaged:[/] {escape(asset.damage)}; see n2f models verify")
            elif asset.kind == "head" and not asset.bundled:
                network = "its own, trained for it" if asset.network else "the Open Head's, by transfer"
                out.print(f"  {escape(str(asset.path.parent))}; N2FNet: {network}", style="dim")
    present = {asset.name for asset in found if asset.kind == "network"}
    missing = [f"{name}.onnx" for name in inventory.NETWORKS if name not in present]
    if not any(asset.kind == "head" for asset in found):
        missing.insert(0, "a head")
    if missing:
        raise ModelMissing(f"Missing: {', '.join(missing)}.", "Install the package again.")


def run_add(source: Path, name: str | None, *, as_json: bool) -> int:
    """Exit status. With `as_json` one object a line: `progress` (doing, share), then `added` or `error`.

    Raises:
        BadInput: without `as_json`, where the file cannot be added.
    """
    from inference_core.library.adding import add_head

    if as_json:
        try:
            asset = add_head(source, name, lambda doing, share: print_json(_progress(doing, share)))
        except CoreError as error:
            print_json({"type": "error", "code": error.code, "sentence": error.sentence, "remedy": error.remedy})
            return error.exit_status
        print_json({"type": "added", **as_plain(asset)})
        return 0
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        asset = add_head(source, name, lambda doing, share: bar.update(task, description=doing, completed=share))
    out.print(f"[green]added[/] [bold]{asset.name}[/] {escape(str(asset.path.parent))}")
    out.print(f"  {escape(allowed_use(asset))}; sha256 {asset.sha256}")
    out.print(f"  Use it with --head {asset.name}, or choose it in Blender's panel.", style="dim")
    return 0


def run_remove(name: str) -> None:
    """Take a head out of the library.

    Raises:
        BadInput: where there is none of this name, or it is bundled.
    """
    from inference_core.library.adding import remove_head

    remove_head(name)
    out.print(f"removed [bold]{escape(name)}[/]; takes made on it open again when it is added again")


def run_verify(name: str | None, *, as_json: bool) -> int:
    """Exit status: 0 when every file, or the one head of this name, is whole.

    Raises:
        BadInput: for a wrong name.
    """
    from inference_core.library.verify import problem

    found = [*inventory.heads(), *inventory.networks()]
    if name is not None:
        found = [asset for asset in found if asset.name == name] or [find_head(name)]
    results = [(asset, problem(asset)) for asset in found]
    if as_json:
        print_json(
            [{"name": asset.name, "ok": not bad, "problem": bad.sentence if bad else ""} for asset, bad in results]
        )
    for asset, bad in results:
        if bad is not None:
            show_error(bad)
        elif not as_json:
            out.print(f"[green]ok[/] {asset.name}  [dim]{asset.sha256}[/]")
    return ModelMissing.exit_status if any(bad for _, bad in results) else 0


def as_plain(asset: inventory.Asset) -> dict[str, object]:
    """For `--json`."""
    return {
        "name": asset.name,
        "kind": asset.kind,
        "path": str(asset.path),
        "bytes": asset.size,
        "license": asset.licence,
        "commercial_use": asset.commercial_use,
        "sha256": asset.sha256,
        "bundled": asset.bundled,
        "damage": asset.damage,
    }


def _progress(doing: str, share: float) -> dict[str, object]:
    return {"type": "progress", "doing": doing, "share": round(share, 3)}
