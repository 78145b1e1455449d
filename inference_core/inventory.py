"""What a file of the library is: a head or a network with its hash, size and licence. Standard library only.

The core says hello with this before anything heavy is imported.
"""

from __future__ import annotations

import ast
import hashlib
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from inference_core.errors import ModelMissing
from inference_core.formats.places import HEAD_FILE, NETWORK_FILE, RECORD_FILE, heads_folder

ASSETS = Path(__file__).parent / "assets"
NETWORKS = ("face_short_range", "face_full_range", "face_mesh", "person", "normals", "n2fnet")
BUNDLED_HEADS = ("open_head",)

_MOST_META = 1 << 20
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, OverflowError, SyntaxError),
    *(NotImplementedError, RecursionError, RuntimeError, MemoryError, struct.error, zlib.error, zipfile.BadZipFile),
)
"""What a damaged archive can raise; as `npz.FAULTS`, which would import numpy."""


@dataclass(frozen=True)
class Asset:
    """One file. `sha256` is computed from the file, not copied from its card or record.

    `damage` says in half a sentence why the file cannot be used as it is; empty: it is what was installed.
    """

    name: str
    kind: Literal["head", "network"]
    path: Path
    sha256: str
    size: int  # bytes
    licence: str
    commercial_use: bool
    damage: str = ""
    bundled: bool = True
    facts: dict[str, object] = field(default_factory=dict)  # of a head: what its file says of itself

    @property
    def network(self) -> Path | None:
        """Of a head: the N2FNet that was trained for it and lies beside it."""
        return network_beside(self.path) if self.kind == "head" else None


def network_beside(head: Path) -> Path | None:
    """The N2FNet that lies beside a head's file."""
    path = head.with_name(NETWORK_FILE)
    return path if path.is_file() else None


def heads() -> list[Asset]:
    """Bundled heads, then those that the user has installed, by name; damaged ones with their damage."""
    return [*_bundled_heads(), *installed_heads()]


def _bundled_heads() -> list[Asset]:
    found: list[Asset] = []
    for path in sorted(ASSETS.glob("*.npz")):
        meta = head_meta(path)
        if meta is not None:
            found.append(_head(str(meta.get("head_id", path.stem)), path, meta, bundled=True))
    return found


def installed_heads() -> list[Asset]:
    """The user's own, by name. Folders that hold no head file are left out."""
    folder = heads_folder()
    if not folder.is_dir():
        return []
    places = (place for place in sorted(folder.iterdir()) if not place.name.startswith("."))
    return [_installed(place) for place in places if (place / HEAD_FILE).is_file()]


def _installed(place: Path) -> Asset:
    path, record = place / HEAD_FILE, read_json(place / RECORD_FILE)
    meta = head_meta(path)
    if meta is None:
        licence = str(record.get("license", ""))
        try:
            digest, size, damage = sha256(path), path.stat().st_size, "it is no head file"
        except OSError as error:
            digest, size, damage = "", 0, f"it cannot be read: {error.strerror}"
        return Asset(place.name, "head", path, digest, size, licence, False, damage, bundled=False)
    asset = _head(place.name, path, meta, bundled=False)
    damage = ""
    if meta.get("head_id") != place.name:
        damage = f"it calls itself '{meta.get('head_id')}'"
    elif not record:
        damage = "its record is missing"
    elif record.get("sha256") != asset.sha256:
        damage = "it has changed since it was added"
    return Asset(**{**vars(asset), "damage": damage, "commercial_use": asset.commercial_use and not damage})


def _head(name: str, path: Path, meta: dict[str, object], *, bundled: bool) -> Asset:
    licence, commercial = str(meta.get("license", "")), meta.get("commercial_use") is True
    size = path.stat().st_size
    return Asset(name, "head", path, sha256(path), size, licence, commercial, bundled=bundled, facts=meta)


def networks() -> list[Asset]:
    """The bundled networks that are there, in the order data flows through them."""
    paths = [ASSETS / f"{name}.onnx" for name in NETWORKS]
    return [network(path, path.stem) for path in paths if path.is_file()]


def network(path: Path, name: str, *, bundled: bool = True) -> Asset:
    """A network and what its card says.

    Raises:
        OSError: where the file or its card cannot be read.
    """
    card = read_json(path.with_suffix(".card.json"))
    digest = sha256(path)
    damage = "" if card.get("sha256", digest) == digest else "it is not the file its card describes"
    licence = str(card.get("license", card.get("licence", "")))
    commercial = card.get("commercial_use") is True and not damage  # without a card nobody has allowed it
    return Asset(name, "network", path, digest, path.stat().st_size, licence, commercial, damage, bundled)


def network_path(name: str) -> Path:
    """Where a network of the package lies.

    Raises:
        ModelMissing: where it does not.
    """
    path = ASSETS / f"{name}.onnx"
    if not path.is_file():
        raise ModelMissing(f"The network {path.name} is missing.", "Install the package again.")
    return path


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, object]:
    """The object in a JSON file; empty where there is none that can be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def head_meta(path: Path) -> dict[str, object] | None:
    """The JSON in `meta.npy` of a head file, without numpy: importing it would take longer than all the rest of hello.

    Format: numpy.lib.format, version 1 or 2, one unicode string ("<U123").
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("meta.npy").file_size > _MOST_META:
                return None
            raw = archive.read("meta.npy")
        start, width = (10, "<H") if raw[6] == 1 else (12, "<I")
        length = struct.unpack(width, raw[8:start])[0]
        header = ast.literal_eval(raw[start : start + length].decode("latin-1"))
        if not str(header["descr"]).startswith("<U"):
            return None
        meta = json.loads(raw[start + length :].decode("utf-32-le").rstrip("\0"))
    except _DAMAGE:
        return None
    return meta if isinstance(meta, dict) and meta.get("format") == "n2f-head" else None
