"""Networks without batch normalisation, as finished files hold them: folded into the convolutions.

A network that learns on from such a file keeps that form. It is a third cheaper to train, and few data cannot spoil
statistics that it has not.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

_Net = TypeVar("_Net", bound=nn.Module)


def drop_normalisations(net: _Net) -> _Net:
    """Take batch normalisations out, in place, and give every convolution a bias (0)."""
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
            elif isinstance(child, nn.Conv2d) and child.bias is None:
                child.bias = nn.Parameter(torch.zeros(child.out_channels))
    return net


def module_name(node: str) -> str:
    """'/net/encode1/encode1.1/first/first.0/Conv' -> 'encode1.1.first.0': a Sequential's part repeats its name."""
    words = node.strip("/").split("/")[1:-1]
    kept = [
        word for word, following in zip(words, [*words[1:], ""], strict=True) if not following.startswith(f"{word}.")
    ]
    return ".".join(kept)
