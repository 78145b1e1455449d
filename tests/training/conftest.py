"""Tests that train need torch: without it their folders are left out (`bootstrap.py test --train` installs it)."""

from __future__ import annotations

import importlib.util

collect_ignore = [] if importlib.util.find_spec("torch") else ["extractor", "n2fnet"]
