"""The hair as files beside a take: `hair.npz` holds the strands, `hair.json` says what they are and whose.

hair.npz: `points` (S, K, 3) f4 m, head space of the person's neutral head, root first; `root_uv` (S, 2) f4 in the
head's UV; `colour` (S, 3) f4 linear RGB. Strands are in an order in which any first part of them covers the scalp. A
bald head has hair.json alone.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from inference_core.hair.barber import Hair
from inference_core.head import Head

STRANDS = "hair.npz"
DESCRIPTION = "hair.json"
VERSION = 1


def description(head: Head, hair: Hair) -> str:
    """What hair.json holds."""
    dye = hair.dye
    values: dict[str, object] = {
        "format": "n2f-hair",
        "version": VERSION,
        "head_id": head.head_id,
        "head_sha256": head.sha256,
        "kind": hair.kind,
    }
    if len(hair.points):
        values |= {
            "strands": STRANDS,
            "count": len(hair.points),
            "style": hair.style,
            "radius": hair.radius,
            "frizz": hair.frizz,
            "colour": {
                "root": np.round(dye.root, 4).tolist(),
                "length": np.round(dye.length, 4).tolist(),
                "grey": round(dye.grey, 3),
                "from_photo": dye.seen,
            },
            "overlap": None if hair.overlap is None else round(hair.overlap, 3),
            "agreement": None if hair.agreement is None else round(hair.agreement, 3),
        }
    return json.dumps(values, indent=2, ensure_ascii=False)


def write_strands(path: Path, hair: Hair) -> None:
    """The same hair gives the same bytes.

    Raises:
        OSError: where it cannot be written.
    """
    arrays = {"points": hair.points, "root_uv": hair.root_uv, "colour": hair.dye.strands}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as member:
                np.lib.format.write_array(member, np.asarray(values, np.float32), allow_pickle=False)  # type: ignore[no-untyped-call]
