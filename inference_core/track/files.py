"""What a performance leaves in its folder, and the sentences for a disk that refuses."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inference_core.errors import BadInput
from inference_core.formats.writing import write_text_whole
from inference_core.look.names import DESCRIPTION, PORES, ROUGHNESS, TEXTURE
from inference_core.reconstruct.output import atomic_folder
from inference_core.reconstruct.ownership import FILES, listed
from inference_core.take import save_take
from inference_core.track.assemble import Takes

TAKE, RAW, OVERLAY, REPORT = "take.npz", "raw.npz", "overlay.mp4", "report.json"


@dataclass(frozen=True)
class PersonFiles:
    """Absolute paths of a person's results."""

    take: Path
    raw: Path
    report: Path
    overlay: Path | None
    albedo: Path | None = None  # the skin, where it was asked for and the clip gave one
    roughness: Path | None = None
    pores: Path | None = None
    look: Path | None = None  # and what look.json says of them

    def as_dict(self) -> dict[str, str]:
        """Those that are there, by name."""
        always = {"take": self.take, "raw": self.raw, "report": self.report}
        skin = {"albedo": self.albedo, "roughness": self.roughness, "pores": self.pores, "look": self.look}
        named = {**always, "overlay": self.overlay, **skin}
        return {name: str(path) for name, path in named.items() if path is not None}


def write_takes(
    folder: Path,
    takes: Takes,
    report: dict[str, object],
    overlay: Path | None = None,
    inputs: Sequence[str | Path] = (),
    skin: Callable[[Path], None] | None = None,
) -> PersonFiles:
    """take.npz, raw.npz, report.json and the skin appear together, or none.

    `skin` writes the look's files into a folder.

    `overlay` is a video that is still to come, which the report announces as a result. None of `inputs` is replaced.

    Raises:
        BadInput: where the folder cannot be written, or something there would be lost.
    """
    folder = folder.absolute()
    with atomic_folder(folder, inputs) as partial:
        _write_json(partial / REPORT, report)
        mode = (partial / REPORT).stat().st_mode & 0o777
        for name, take in ((TAKE, takes.smooth), (RAW, takes.raw)):
            save_take(partial / name, take)
            (partial / name).chmod(mode)  # takes go through private temporary files
        if skin is not None:
            skin(partial)
        made = listed(partial, partial.iterdir())
        announced = {Path(os.path.relpath(path, folder)).as_posix(): None for path in (overlay,) if path is not None}
        _write_json(partial / REPORT, {**report, FILES: {**made, **announced}})
    painted = () if skin is None else tuple(folder / name for name in (TEXTURE, ROUGHNESS, PORES, DESCRIPTION))
    return PersonFiles(folder / TAKE, folder / RAW, folder / REPORT, None, *painted)


def rewrite_report(files: PersonFiles, report: dict[str, object]) -> None:
    """The report once more, with what was learnt since.

    Raises:
        OSError: where it cannot be written.
    """
    path = files.report
    made = [Path(file) for name, file in files.as_dict().items() if name != "report"]
    _write_json(path, {**report, FILES: listed(path.parent, made)})


@contextmanager
def keeping_records(work: Path) -> Iterator[None]:
    """A disk that refuses becomes a BadInput that says that what was done is kept, and how to go on."""
    try:
        yield
    except OSError as error:
        raise _refused(error, work) from error
    except BadInput as error:
        if isinstance(error.__cause__, OSError) and _full(error.__cause__):
            raise _refused(error.__cause__, work) from error.__cause__
        raise


def _refused(error: OSError, work: Path) -> BadInput:
    kept = f"The frames that are done are kept in '{work}'."
    if _full(error):
        return BadInput(f"The disk is full. {kept}", "Free some space, then go on with --resume.")
    reason = error.strerror or str(error)
    return BadInput(f"'{work.parent}' cannot be written: {reason}. {kept}", "Mend that, then go on with --resume.")


def _full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _write_json(path: Path, values: dict[str, object]) -> None:
    write_text_whole(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")
