"""Where training runs and in which arithmetic."""

from __future__ import annotations

import torch


def best_device() -> torch.device:
    """CUDA where torch finds it."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_pays(device: torch.device) -> bool:
    """Whether bfloat16 is computed by the hardware. Where a CPU imitates it, a step takes more than twice as long."""
    if device.type != "cpu":
        return True
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
