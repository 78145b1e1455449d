#!/usr/bin/env python3
"""Set the project up on a fresh machine and show that it works. Standard library only.

    python3 scripts/bootstrap.py demo             a photo becomes a rigged head, in out/demo/
    python3 scripts/bootstrap.py test [--train]   every check and test; --train adds those that need torch
    python3 scripts/bootstrap.py core [--into F]  only what the Blender extension needs: the core, in .venv or folder F

Packages come from wherever pip is configured to look. It is safe to run again, and after an interruption.
"""

import os
import shutil
import subprocess
import sys

REQUIRED = (3, 11)


def _restart_in_required_python() -> None:
    """Hand over to Python 3.11 where this is another one: bpy 4.2 to 5.0 have wheels for no other.

    This file therefore has to be readable by any Python 3; everything newer lives in bootstrap_parts.
    """
    if sys.version_info[:2] == REQUIRED:
        return
    name = "python{}.{}".format(*REQUIRED)
    found = shutil.which(name)
    if found and subprocess.call([found, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
        os.execv(found, [found, *sys.argv])
    this = "{}.{}".format(*sys.version_info[:2])
    sys.exit(f"Python {this} runs this script, but the project needs 3.11: install {name} so that it is on PATH.")


if __name__ == "__main__":
    _restart_in_required_python()
    from bootstrap_parts.commands import main

    sys.exit(main(sys.argv[1:]))
