"""What an evaluation needs and may lack: packages that the running product does without, and folders of data."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, fields
from pathlib import Path

from inference_core.errors import BadInput

PACKAGES = {
    "numba": "Rendering known heads needs numba, which is not installed.",
    "bpy": "Reading the scan and rendering with Cycles need Blender as a Python module (bpy), which is not installed.",
    "torch": "Comparing with Adam needs torch, which is not installed.",
}
REQUIREMENTS = {"numba": "train", "bpy": "bpy45", "torch": "torch"}
# Folder's field: its usual name, and what must lie in it.
USUAL = {
    "ict": ("ict_facekit", "ict_facekit.npz"),
    "flame": ("flame2023_open_identity", "flame_basis.npz"),
    "makehuman": ("makehuman", "system"),
    "scan": ("lee_perry_smith", "LeePerrySmith.glb"),
    "portraits": ("portraits", ""),
    "one_person": ("one_person", ""),
}


def require(*, scan: bool = False, torch: bool = False, blender: bool = False) -> None:
    """See to it that the laboratory's packages are there.

    Raises:
        BadInput: with the first package that is not installed.
    """
    names = ["numba", *(["bpy"] if scan or blender else []), *(["torch"] if torch else [])]
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise BadInput(PACKAGES[name], f"Install requirements/{REQUIREMENTS[name]}.txt.")


@dataclass(frozen=True)
class Folders:
    """Where the data of other faces lie; None: not measured."""

    ict: Path | None = None
    flame: Path | None = None
    makehuman: Path | None = None  # FLAME's people wear its skins
    scan: Path | None = None
    portraits: Path | None = None
    one_person: Path | None = None

    @property
    def any_mesh(self) -> bool:
        """Whether there are faces of other meshes."""
        return any(folder is not None for folder in (self.ict, self.flame, self.scan))

    @property
    def any_photo(self) -> bool:
        """Whether there are real photos."""
        return self.portraits is not None or self.one_person is not None

    def check(self) -> None:
        """See to it that every named folder holds what it should.

        Raises:
            BadInput: for a folder that was named and is not what it should be.
        """
        for field in fields(self):
            folder = getattr(self, field.name)
            if folder is not None and not (folder / USUAL[field.name][1]).exists():
                lacks = f" with {USUAL[field.name][1]} in it" if USUAL[field.name][1] else ""
                option = field.name.replace("_", "-")
                raise BadInput(f"'{folder}' is no folder{lacks}.", f"Name another with --{option}, or leave it out.")
        if self.flame is not None and self.makehuman is None:
            raise BadInput("FLAME's people have nothing to wear.", "Name MakeHuman's folder with --makehuman.")


def found_beside(data: Path, named: Folders) -> Folders:
    """The usual folders in `data`, as far as they are there; those that were named come first.

    Raises:
        BadInput: where `data` is no folder, or holds none of them.
    """
    if not data.is_dir():
        raise BadInput(
            f"There is no folder '{data}'.", "Name the one that holds ict_facekit, portraits and the others."
        )
    chosen: dict[str, Path | None] = {}
    for name, (folder, content) in USUAL.items():
        given = getattr(named, name)
        there = data / folder if (data / folder / content).exists() else None
        chosen[name] = there if given is None else given
    if all(folder is None for folder in chosen.values()):
        raise BadInput(
            f"'{data}' holds none of {', '.join(name for name, _ in USUAL.values())}.", "Name another folder."
        )
    return Folders(**chosen)
