"""`n2f train` and `n2f evaluate`: they hand their words to the rooms that the running product never imports."""

from __future__ import annotations

import importlib.util
import runpy
import sys
from collections.abc import Sequence

from inference_core.errors import BadInput

TRAINABLE = {
    "extractor": "inference_core.training.extractor",
    "normals": "inference_core.training.extractor",  # the network's own name
    "n2fnet": "inference_core.training.n2fnet",
}
EVALUATION = "inference_core.evaluation"
NOT_HERE = "What trains and measures lies in the sources alone, and this core was installed without them."


def train(words: Sequence[str]) -> None:
    """`words` are a network's name and that training's own arguments.

    Raises:
        BadInput: for a name that is none, an installed core, or packages that are not there.
        SystemExit: with the training's own exit status.
    """
    if words and words[0] == "--head":  # only N2FNet is a head's own
        words = ("n2fnet", *words)
    name, *rest = words or ("",)
    if name not in TRAINABLE:
        raise BadInput(
            f"'{name}' is no network that can be trained.", f"Name one of: {', '.join(TRAINABLE)}; add --help for more."
        )
    _check_sources(TRAINABLE[name])
    for package in ("torch", "onnx"):
        if importlib.util.find_spec(package) is None:
            raise BadInput(
                f"Training needs {package}, which is not installed.",
                "Install requirements/torch.txt and requirements/train.txt.",
            )
    _run(TRAINABLE[name], f"n2f train {name}", rest)


def evaluate(words: Sequence[str]) -> None:
    """`words` are the evaluation's own arguments.

    Raises:
        BadInput: for an installed core.
        SystemExit: with the evaluation's own exit status.
    """
    _check_sources(EVALUATION)
    _run(EVALUATION, "n2f evaluate", words)


def _check_sources(module: str) -> None:
    room = ".".join(module.split(".")[:2])
    if importlib.util.find_spec(room) is None:
        raise BadInput(NOT_HERE, "In a checkout: pip install -e '.[lab]'.")


def _run(module: str, name: str, words: Sequence[str]) -> None:
    sys.argv = [name, *words]
    runpy.run_module(f"{module}.__main__", run_name="__main__")
