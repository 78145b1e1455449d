# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong while the core is installed: a sentence and a remedy for each, by what pip and the system say.

The code tells the panel which button to offer.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import InstallError


@dataclass(frozen=True)
class Fault:
    """One kind of failure, and the words by which pip's output is known to tell of it."""

    code: str
    sentence: str
    remedy: str
    told_by: str = ""

    def error(self, details: str = "") -> InstallError:
        """To be raised or sent."""
        return InstallError(self.sentence, self.remedy, self.code, details)


NO_SPACE = Fault(
    "NO_SPACE",
    "The disk is full: the core needs 0.7 GB while it is installed and 0.5 GB afterwards.",
    "Free some space, or choose another folder under Core Folder in the preferences, then install again.",
    r"No space left on device|Errno 28|WinError 112|not enough space",
)
PROXY = Fault(
    "PROXY",
    "The proxy of this network does not let the download through.",
    "Set HTTPS_PROXY as your network's administrator says and start Blender again, or install from a folder.",
    r"ProxyError|Tunnel connection failed|407 Proxy|Cannot connect to proxy",
)
CERTIFICATE = Fault(
    "CERTIFICATE",
    "This network answers with a certificate that Python does not know.",
    "Ask your network's administrator for the certificate (PIP_CERT), or install from a folder.",
    r"CERTIFICATE_VERIFY_FAILED|SSLError|certificate verify failed",
)
NO_NETWORK = Fault(
    "NO_NETWORK",
    "The package index cannot be reached.",
    "Connect this computer to the internet and install again: it goes on where it stopped. Or install from a folder.",
    r"NameResolutionError|Failed to resolve|name resolution|getaddrinfo|NewConnectionError|ConnectTimeout"
    r"|ReadTimeout|Max retries exceeded|Network is unreachable|Connection (?:refused|reset|aborted|broken)"
    r"|Read timed out|IncompleteRead|RemoteDisconnected",
)
WRONG_HASH = Fault(
    "WRONG_HASH",
    "A package that arrived is not the one that N2F was made with.",
    "Install again. If it happens again, something between here and the package index changes files: use a folder.",
    r"DO NOT MATCH THE HASHES|HashMismatch",
)
TOO_LONG = Fault(
    "TOO_LONG",
    "The folder's path is too long for Windows.",
    "Choose a folder with a short path under Core Folder in the preferences, e.g. C:\\n2f, then install again.",
    r"WinError 206|File ?name too long|Errno 36|path too long|Long Path",
)
READ_ONLY = Fault(
    "READ_ONLY",
    "The folder for the core cannot be written to.",
    "Choose another folder under Core Folder in the preferences, then install again.",
    r"Read-only file system|Errno 30",
)
BLOCKED = Fault(
    "BLOCKED",
    "A file of the core is held or forbidden by something else on this computer, often an antivirus program.",
    "Close other Blenders, allow the folder in the antivirus program, then press Repair.",
    r"Permission denied|Access is denied|PermissionError|WinError (?:5|32|225)\b|Errno 13",
)
NO_WHEEL = Fault(
    "NO_WHEEL",
    "There is no package of the core for this Blender's Python.",
    "Use a Blender from 4.2 to 5.2 on 64-bit Linux, Windows or a Mac with Apple silicon.",
    r"No matching distribution found|is not a supported wheel",
)
NO_PIP = Fault(
    "NO_PIP",
    "This Blender's Python cannot install packages: it has neither pip nor ensurepip.",
    "Install from a folder, which needs neither; or, on Linux, install your system's package python3-venv.",
    r"No module named (?:pip|ensurepip)",
)
INCOMPLETE_FOLDER = Fault(
    "INCOMPLETE_FOLDER",
    "This folder does not hold the core's packages for this system and this Blender's Python.",
    "Choose the folder that scripts/build_offline.py made for them.",
)
DOES_NOT_RUN = Fault(
    "DOES_NOT_RUN",
    "The core was installed but does not start.",
    "Press Repair. If it happens again, copy the report and send it to the makers.",
)
MAKER_DIED = Fault(
    "MAKER_DIED",
    "The installation was interrupted.",
    "Press Install Core again: it goes on where it stopped.",
)
BUSY = Fault(
    "BUSY",
    "Another Blender is installing the core right now.",
    "Wait until it has finished.",
)
UNKNOWN = Fault(
    "UNKNOWN",
    "The core could not be installed.",
    "Press Install Core again. If it happens again, copy the report and send it to the makers.",
)
TOLD = (NO_SPACE, PROXY, CERTIFICATE, WRONG_HASH, TOO_LONG, READ_ONLY, NO_NETWORK, NO_PIP, BLOCKED, NO_WHEEL)
"""In this order: a proxy's refusal also reads like a network that is not there."""


def of_output(output: str) -> InstallError:
    """The error that pip's output tells of."""
    fault = next((fault for fault in TOLD if re.search(fault.told_by, output, re.IGNORECASE)), UNKNOWN)
    return fault.error("\n".join(output.strip().splitlines()[-20:]))


def of_system(error: OSError, place: Path) -> InstallError:
    """The error that an exception of the system tells of."""
    known = {
        errno.ENOSPC: NO_SPACE,
        errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC: NO_SPACE,
        errno.EROFS: READ_ONLY,
        errno.EACCES: READ_ONLY,
        errno.EPERM: READ_ONLY,
        errno.ENOTDIR: READ_ONLY,
        errno.ENAMETOOLONG: TOO_LONG,
    }
    if getattr(error, "winerror", None) in (32, 225):
        return BLOCKED.error(f"{place}: {error}")
    return known.get(error.errno or 0, UNKNOWN).error(f"{place}: {error}")
