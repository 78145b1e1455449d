"""The bundled files: heads and networks with their hash, size and licence. Standard library only, for a quick hello."""

from __future__ import annotations

import ast
import hashlib
import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inference_core.errors import ModelMissing

ASSETS = Path(__file__).parents[1] / "assets"
NETWORKS = ("normals", "n2fnet")


@dataclass(frozen=True)
class Asset:
    """One bundled file. `sha256` is computed from the file, not copied from its card."""

    name: str
    kind: Literal["head", "network"]
    path: Path
    sha256: str
    size: int  # bytes
    licence: str
    commercial_use: bool
    card_agrees: bool  # False: the card beside the file names another hash, so one of them is not what was shipped


def heads() -> list[Asset]:
    """Heads found in the package, by id. Files that are no heads are left out."""
    found: list[Asset] = []
    for path in sorted(ASSETS.glob("*.npz")):
        meta = _head_meta(path)
        if meta is not None:
            licence, commercial = str(meta.get("license", "")), bool(meta.get("commercial_use"))
            name = str(meta.get("head_id", path.stem))
            found.append(Asset(name, "head", path, sha256(path), path.stat().st_size, licence, commercial, True))
    return found


def networks() -> list[Asset]:
    """The networks that are there, in the order data flows through them."""
    found: list[Asset] = []
    for name in NETWORKS:
        path = ASSETS / f"{name}.onnx"
        if path.is_file():
            card = _card(path)
            digest = sha256(path)
            agrees = card.get("sha256", digest) == digest
            licence = str(card.get("license", card.get("licence", "")))
            commercial = bool(card.get("commercial_use", True))
            found.append(Asset(name, "network", path, digest, path.stat().st_size, licence, commercial, agrees))
    return found


def network_path(name: str) -> Path:
    """Raises ModelMissing when the network is not in the package."""
    path = ASSETS / f"{name}.onnx"
    if not path.is_file():
        raise ModelMissing(f"The network {path.name} is missing.", "Install the package again.")
    return path


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _card(path: Path) -> dict[str, object]:
    try:
        card = json.loads(path.with_suffix(".card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def _head_meta(path: Path) -> dict[str, object] | None:
    """The JSON in `meta.npy` of a head file, without numpy: importing it would take longer than all the rest of hello.

    Format: numpy.lib.format, version 1 or 2, one unicode string ("<U123").
    """
    try:
        with zipfile.ZipFile(path) as archive:
            raw = archive.read("meta.npy")
        start, width = (10, "<H") if raw[6] == 1 else (12, "<I")
        length = struct.unpack(width, raw[8:start])[0]
        header = ast.literal_eval(raw[start : start + length].decode("latin-1"))
        if not str(header["descr"]).startswith("<U"):
            return None
        meta = json.loads(raw[start + length :].decode("utf-32-le").rstrip("\0"))
    except (OSError, ValueError, KeyError, SyntaxError, IndexError, struct.error, zipfile.BadZipFile):
        return None
    return meta if isinstance(meta, dict) and meta.get("format") == "n2f-head" else None
