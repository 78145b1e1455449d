"""The extension's `formats` in a development checkout: a link to the core's, which no copy can fall behind.

A built extension has the package itself, packed by scripts/build_extension.py. Standard library only.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
FORMATS = _ROOT / "inference_core" / "formats"
LINK = _ROOT / "n2f_blender" / "formats"


def link_formats() -> None:
    """Make the link where it is missing.

    Raises:
        OSError: where the folder cannot be written.
    """
    if LINK.exists():
        return
    with contextlib.suppress(FileExistsError):  # another process was faster
        if sys.platform == "win32":
            import _winapi  # a junction: unlike a symbolic link it needs no right that a user has to be given

            _winapi.CreateJunction(str(FORMATS), str(LINK))
        else:
            LINK.symlink_to(Path("..") / FORMATS.relative_to(_ROOT), target_is_directory=True)
