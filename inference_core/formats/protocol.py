# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What core and extension agree on when they speak: the protocol's version, and the stages that progress is told in."""

from __future__ import annotations

from typing import Final, Literal, get_args

PROTOCOL: Final = 1

Stage = Literal["detect", "normals", "n2fnet", "fit", "look", "hair", "detail", "maps", "write"]
"""Of a photo."""
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)

TrackStage = Literal["follow", "identity", "perform", "smooth", "look", "overlay"]
"""Of a clip."""
TRACK_STAGES: Final[tuple[TrackStage, ...]] = get_args(TrackStage)

FRAME_STAGES: Final = frozenset({"follow", "perform", "overlay"})
"""Those whose `done` and `total` count frames."""
