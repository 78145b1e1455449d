"""A configuration small enough to train in seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inference_core.head import Head, load_head
from inference_core.training.n2fnet.config import Config, Network, Schedule


@pytest.fixture(scope="session")
def head() -> Head:
    """The bundled head: the data need its regions."""
    return load_head()


@pytest.fixture
def tiny() -> Config:
    """Four steps of eight samples at 64 px."""
    schedule = Schedule(samples=32, batch=8, validate_every=16, validation_samples=32, warm_up=0.2)
    network = Network(width=64, heads=2, hidden=64, map_size=64)
    return replace(Config(), network=network, schedule=schedule)
