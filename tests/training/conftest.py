"""Tests that train need torch: without it this folder is left out (`bootstrap.py test --train` installs it)."""

from __future__ import annotations

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["*"]
