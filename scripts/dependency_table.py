#!/usr/bin/env python3
"""Print the table of docs/architecture.md that names every pinned package with its licence and installed size.

.venv/bin/python scripts/dependency_table.py requirements/core.txt [...]
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from bootstrap_parts.distributions import read_pins

# Whose metadata holds the licence's whole text instead of its name.
_NAME_IN_TEXT = {"Copyright (c) 2005-2023, NumPy": "BSD-3-Clause", "Copyright (c) 2001-2002 Enthought": "BSD-3-Clause"}
_NAMED_BY_HAND = {
    "cycler": "BSD-3-Clause",
    "contourpy": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "matplotlib": "matplotlib (BSD style)",
    "scikit-image": "BSD-3-Clause",
}


def licence(package: Distribution) -> str:
    """The licence's name as the package states it."""
    metadata = package.metadata.json  # keys in lower case with underscores
    stated = str(metadata.get("license_expression") or metadata.get("license") or "")
    if (name := package.name.lower()) in _NAMED_BY_HAND:
        return _NAMED_BY_HAND[name]
    for beginning, known in _NAME_IN_TEXT.items():
        if stated.startswith(beginning):
            return known
    if stated:
        return stated.splitlines()[0]
    classifiers = [name for name in metadata.get("classifier", []) if name.startswith("License ::")]
    return classifiers[0].rpartition(" :: ")[2] if classifiers else "not stated"


def megabytes(package: Distribution) -> float:
    """What its files take on the disk, MB."""
    files = (Path(str(package.locate_file(file))) for file in package.files or [])
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def main(names: list[str]) -> int:
    """One row a package, the largest first; then the sum."""
    rows: list[tuple[float, str]] = []
    for file in map(Path, names):
        for name, version in read_pins(file).items():
            try:
                package = distribution(name)
            except PackageNotFoundError:
                print(f"{name} is not installed here", file=sys.stderr)
                return 1
            size = megabytes(package)
            rows.append((size, f"| {name} {version} | {licence(package)} | {size:.1f} |"))
    print("| package | licence | MB |\n| --- | --- | --- |")
    for _, row in sorted(rows, reverse=True):
        print(row)
    print(f"| together | | {sum(size for size, _ in rows):.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
