"""What `n2f bench` measures in a process of its own: memory, and the time from nothing to the first result.

    python -m inference_core.bench.child photo HEAD FILE | stream HEAD CLIP OUT

Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from inference_core.errors import Internal
from inference_core.threads import limit_library_threads


def run_child(*words: str) -> dict[str, float]:
    """Start it with `words`; what it prints, and `seconds` from its start to its answer.

    Raises:
        Internal: when the process fails, with the last line of what it said.
    """
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "inference_core.bench.child", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise Internal(f"Measuring in a fresh process failed: {done.stderr.strip().splitlines()[-1:]}.")
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return {"seconds": seconds, **answer}


def peak_megabytes() -> float | None:
    """The most memory this process has held; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():  # rusage would also count the process that started this one, before exec
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        held = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return round(int(held[0]) / 1024, 1) if held else None
    if sys.platform == "win32":  # the module is Unix only
        return None
    import resource

    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 1)


def _photo(head: str, path: Path) -> dict[str, object]:
    from inference_core.formats.options import ReconstructOptions
    from inference_core.reconstruct.models import Models
    from inference_core.reconstruct.pipeline import Reconstructor

    reconstructor = Reconstructor(Models.load(head))
    read, faces, _, timings = reconstructor.faces_of(path, ReconstructOptions())
    reconstructor.reconstruct(read, faces[0][1], ReconstructOptions(), timings_ms=timings)
    return {}


def _stream(head: str, clip: Path, out: Path) -> dict[str, object]:
    from inference_core.formats.options import TrackOptions
    from inference_core.reconstruct.models import Models
    from inference_core.track.job import ClipFailed, Event, TrackJob

    failures: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, ClipFailed):
            failures.append(event.error.sentence)

    TrackJob(str(clip), out, TrackOptions(head=head, overlay=False), note).run(Models.load(head))
    if failures:
        sys.exit(failures[0])
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return {"report": report}


def main() -> None:
    """See the module."""
    limit_library_threads()
    what, head, *paths = sys.argv[1:]
    answer = _photo(head, Path(paths[0])) if what == "photo" else _stream(head, Path(paths[0]), Path(paths[1]))
    print(json.dumps({**answer, "peak_memory_mb": peak_megabytes()}))


if __name__ == "__main__":
    main()
