"""Whose weights give a head its first guess: its own network's, else the Open Head's with their answer carried over."""

from __future__ import annotations

from pathlib import Path

from inference_core.errors import ModelMissing
from inference_core.head import BUNDLED_HEAD, Head, load_head
from inference_core.n2fnet.regressor import BUNDLED_WEIGHTS, HeadRegressor, Regressor
from inference_core.n2fnet.transfer import Transfer, TransferredRegressor


def regressor_for(
    head: Head, own: Path | None, threads: int = 0, providers: tuple[str, ...] = ("CPUExecutionProvider",)
) -> HeadRegressor | None:
    """`own`: the network beside the head's file. None where no network can serve the head.

    Raises:
        ModelMissing: where the weights are absent or damaged.
    """
    regressor = Regressor(weights_for(head, own), threads, providers)
    if _fits(regressor, head):
        return regressor
    source = load_head(BUNDLED_HEAD)
    if head.sha256 == source.sha256 or not _fits(regressor, source):
        return None  # the bundled files do not belong together; `n2f doctor` names the cause
    return TransferredRegressor(regressor, Transfer(source, head))


def weights_for(head: Head, own: Path | None) -> Path:
    """The file of the network that `regressor_for` runs. A network beside a head that has become another is no use."""
    if own is not None and own != BUNDLED_WEIGHTS and _fits(Regressor(own, 1), head):
        return own
    return BUNDLED_WEIGHTS


def _fits(regressor: Regressor, head: Head) -> bool:
    try:
        regressor.check(head)
    except ModelMissing:
        return False
    return True
