"""Stands for the core: a line in, a folder of results out. What it does is in the photo's name."""

import json
import os
import sys
import time
import zlib
from pathlib import Path

for line in sys.stdin:
    asked = json.loads(line)
    source, out = Path(asked["images"][0] if "images" in asked else asked["source"]), Path(asked["out"])
    mark = source.with_suffix(f".{os.getppid()}.began")
    if "poison" in source.name or ("once" in source.name and not mark.exists()):
        mark.touch()
        os._exit(9)
    if "slow" in source.name:
        mark.touch()
        time.sleep(30 if not source.with_suffix(".quick").exists() else 0)
    if "noise" in source.name:
        print("this is no message", flush=True)
    answer = {"type": "error", "id": asked["id"], "image": str(source)}
    answer |= {"code": "NO_FACE", "sentence": "No face was found.", "remedy": "Look."}
    if "bad" not in source.name:
        out.mkdir(parents=True, exist_ok=True)
        content = source.read_bytes() + json.dumps(asked["options"]).encode()
        (out / "take.npz").write_bytes(content)
        listed = {"take.npz": {"bytes": len(content), "crc32": zlib.crc32(content)}}
        report = {"status": "done", "software_version": "1", "head": {}, "files": listed}
        (out / "report.json").write_text(json.dumps(report))
        answer = {"type": "result", "id": asked["id"], "image": str(source), "face": 0, "folder": str(out)}
        answer |= {"take": str(out / "take.npz"), "files": {}, "facts": {"warnings": ["said"]}}
    print(json.dumps(answer), flush=True)
    done = answer["type"] == "result"
    ended = {"type": "done", "id": asked["id"], "finished": int(done), "failed": int(not done), "cancelled": False}
    print(json.dumps(ended), flush=True)
