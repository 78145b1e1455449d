# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the packages is not put on the disk: what the core never opens. Patterns of names in a wheel, as in a shell.

A wheel is compared with its hash whole, before anything of it is left out. `scripts/build_offline.py` prints what
remains; `tests/installer` runs the real core on it, photo and clip.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

_DEVELOPING = ("*/tests/*", "*.pyi", "*.pyx", "*.pxd", "*.h", "*.hpp", "*.a", "*.lib", "*.c", "*.f90")
LEFT_OUT: dict[str, tuple[str, ...]] = {
    # The libraries for programs in C; Python's module has ONNX Runtime within itself. Tools to convert networks.
    "onnxruntime": (
        *("onnxruntime/capi/libonnxruntime.so.*", "onnxruntime/capi/onnxruntime.dll"),
        "onnxruntime/capi/libonnxruntime.*.dylib",
        *(f"onnxruntime/{folder}/*" for folder in ("backend", "datasets", "quantization", "tools", "transformers")),
    ),
    # Trained cascades, and on Windows the reader of videos, which PyAV reads here.
    "opencv-python-headless": ("cv2/data/*.xml", "cv2/opencv_videoio_ffmpeg*"),
    "scipy": tuple(f"scipy/{folder}/*" for folder in ("cluster", "datasets", "fftpack", "io", "odr", "signal")),
    "numpy": ("numpy/f2py/src/*",),
}


def is_left_out(package: str, name: str) -> bool:
    """Whether a file of this package (canonical name) is not needed."""
    return any(fnmatchcase(name, pattern) for pattern in (*_DEVELOPING, *LEFT_OUT.get(package, ())))


def rule(package: str) -> str:
    """The patterns as text: kept with what is installed, so that a version with other ones installs it anew."""
    return "\n".join((*_DEVELOPING, *LEFT_OUT.get(package, ())))
