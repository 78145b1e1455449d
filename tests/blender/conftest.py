"""What is inside/ runs in processes of its own, see test_inside.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

collect_ignore = [] if os.environ.get("N2F_INSIDE") else ["inside"]
