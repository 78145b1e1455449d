"""A config's network: fresh, grown from a smaller one's weights, or from a finished file."""

from __future__ import annotations

from torch import Tensor

from inference_core.training.extractor.config import Config
from inference_core.training.extractor.network import ExtractorNet
from inference_core.training.folding import drop_normalisations


def build_net(config: Config) -> ExtractorNet:
    """The network with fresh weights."""
    net = ExtractorNet(config.channels, config.depths, config.fine, config.refine)
    return net if config.normalised else drop_normalisations(net)


def inherit(net: ExtractorNet, weights: dict[str, Tensor]) -> None:
    """Load what a smaller network learned; blocks it has not stay fresh.

    Raises:
        RuntimeError: where shapes differ.
    """
    fresh = {name: value for name, value in net.state_dict().items() if name not in weights}
    net.load_state_dict({**weights, **fresh})
