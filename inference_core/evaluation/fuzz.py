"""Damaged files and lines by the thousand: every reader answers with a result or a typed sentence, in time.

    python -m inference_core.evaluation.fuzz --count 20000 --seed 1 [--only take jpeg ...] [--keep FOLDER]
    python scripts/fuzz_extension.py --count 2000 --seed 1    (the extension's own readers, without Blender)

Whole inputs of every kind are made here (pictures, clips, takes, heads, FLAME's files, cards, protocol lines), then
bytes are turned, cut, repeated and moved. Each kind runs in a process of its own, so that a decoder that takes the
process with it counts as a fault of that input and not of the run. Exit status 1 where anything but a result or a
typed sentence came back.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import multiprocessing
import pickle
import resource
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from inference_core.clip import open_clip
from inference_core.errors import BadInput, CoreError
from inference_core.evaluation.heif_files import can_write, write_heic
from inference_core.flame.source import open_source
from inference_core.formats.json_values import BadRequest
from inference_core.formats.requests import decode_request
from inference_core.head import BUNDLED_HEAD, load_head
from inference_core.inventory import head_meta, network
from inference_core.perception.image import read_photo
from inference_core.take import Take, TakeMeta, load_take, save_take

LONGEST = 60.0
"""s: a damaged input of a few hundred kilobytes that takes longer hangs, even on a machine that does much else."""
LONGEST_START = 600.0
"""s until a process has imported what it needs and read the whole input."""
PICTURE = (96, 128)
FRAMES = 12

Reader = Callable[[Path], None]
Damage = Callable[[bytes, np.random.Generator], bytes]


@dataclass
class Outcome:
    """What came of a kind. `answers`: code -> count, "ok" for a result; `faults`: input's number -> what it did."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0  # s
    memory: int = 0  # MB that the process had at most beyond what it had with the whole file


def mutated(whole: bytes, random: np.random.Generator) -> bytes:
    """The bytes with bits turned, an end cut off, or a stretch repeated, overwritten or left out."""
    values = bytearray(whole)
    kind = random.integers(5)
    if kind == 0:
        del values[int(random.integers(len(values))) :]
    elif kind <= 2:
        within = min(len(values), 600) if kind == 1 else len(values)
        for place in random.integers(0, within, random.choice([1, 2, 8, 64])).tolist():
            values[place] ^= 1 << int(random.integers(8))
    else:
        length = int(random.integers(1, max(2, len(values) // 4)))
        source = int(random.integers(max(1, len(values) - length)))
        target = int(random.integers(len(values)))
        piece = bytes(values[source : source + length])
        if kind == 3:
            values[target : target + int(random.choice([0, length]))] = piece
        else:
            del values[source : source + length]
    return bytes(values)


def mutated_inside(whole: bytes, random: np.random.Generator) -> bytes:
    """The archive with one of its members mutated and packed again, so that checksums do not tell."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = str(random.choice(list(members)))
    members[chosen] = mutated(members[chosen], random)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@dataclass(frozen=True)
class Kind:
    """One kind of input: its name, how its files end, a whole one's bytes, who reads it, how it is damaged, and what
    its reader raises with a code and a sentence.
    """

    name: str
    ending: str
    whole: bytes
    read: Reader
    damage: Damage = mutated
    typed: type[Exception] = CoreError


def _picture(ending: str, **options: object) -> bytes:
    down, right = np.mgrid[0 : PICTURE[0], 0 : PICTURE[1]]
    rgb = np.stack([down, right, down ^ right], axis=-1).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, ending, **options)
    return stream.getvalue()


def _heic(folder: Path) -> bytes:
    """Four tiles, one of them at the border."""
    path = folder / "whole.heic"
    down, right = np.mgrid[0 : PICTURE[0], 0 : PICTURE[1]]
    write_heic(path, np.stack([down, right, down ^ right], axis=-1).astype(np.uint8), 64, turns=1)
    return path.read_bytes()


def _movie(container: str, folder: Path) -> bytes:
    path = folder / f"whole.{container}"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = *PICTURE, "yuv420p"
        for number in range(FRAMES):
            rgb = np.full((*PICTURE, 3), 20 * number, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        output.mux(stream.encode())
    return path.read_bytes()


def whole_take(folder: Path) -> bytes:
    """Written by the product's own writer."""
    path = folder / "whole.npz"
    frames = np.arange(FRAMES)

    def zeros(*shape: int) -> NDArray[np.float32]:
        return np.zeros((FRAMES, *shape), np.float32)

    meta = TakeMeta(
        head_id="open_head",
        head_sha256="0" * 64,
        expression_names=("jawForward", "mouthClose"),
        source="clip.mp4",
        fps=25.0,
        software_version="0",
        weights={},
    )
    save_take(
        path,
        Take(
            meta=meta,
            shape=np.zeros(8, np.float32),
            expression=zeros(2),
            jaw=zeros(3),
            neck=zeros(3),
            eyes=zeros(2, 3),
            eyelids=zeros(2),
            head_rotation=zeros(3),
            head_translation=zeros(3) + np.float32(1.0),
            intrinsics=np.array([500.0, 500.0, 64.0, 48.0], np.float32),
            image_size=np.array(PICTURE[::-1], np.int32),
            frame_index=frames.astype(np.int32),
            timestamp=frames / 25.0,
            valid=np.ones(FRAMES, np.bool_),
            confidence=np.ones(FRAMES, np.float32),
            landmarks_68=zeros(68, 2),
            landmarks_68_head=zeros(68, 3),
            bbox=zeros(4),
        ),
    )
    return path.read_bytes()


def _flame_arrays() -> dict[str, NDArray[np.float64]]:
    """Of FLAME's names, small: what is told apart here is the file, not the head."""
    random = np.random.default_rng(0)
    return {name: random.random((40, 3)) for name in ("v_template", "f", "J_regressor", "weights", "kintree_table")}


def _flame_archive() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **_flame_arrays())
    return stream.getvalue()


def _read_clip(path: Path) -> None:
    with open_clip(path) as clip:
        for _ in clip.frames():
            pass


def _read_card(path: Path) -> None:
    network(path, "damaged")


def _read_line(path: Path) -> None:
    try:
        decode_request(path.read_bytes().decode("utf-8", "replace"))
    except BadRequest as error:
        raise BadInput(error.sentence, error.remedy) from error


def _read_photo(path: Path) -> None:
    read_photo(path)


def _read_head(path: Path) -> None:
    head_meta(path)
    load_head(path)


def _read_take(path: Path) -> None:
    load_take(path)


def _read_flame(path: Path) -> None:
    open_source(path)


def kinds(folder: Path) -> list[Kind]:
    """All of them. `folder`: where whole files may be made."""
    card = BUNDLED_HEAD.with_name("normals.card.json").read_bytes()
    line = {"type": "reconstruct", "id": "a", "images": ["a.jpg"], "out": "out", "options": {"focal_length_px": 900.0}}
    pictures = [
        Kind("jpeg", ".jpg", _picture("JPEG"), _read_photo),
        Kind("png", ".png", _picture("PNG"), _read_photo),
        Kind("webp", ".webp", _picture("WEBP"), _read_photo),
        Kind("tiff", ".tif", _picture("TIFF", compression="tiff_lzw"), _read_photo),
        Kind("gif", ".gif", _picture("GIF"), _read_photo),
        Kind("bmp", ".bmp", _picture("BMP"), _read_photo),
    ]
    if features.check("avif"):
        pictures.append(Kind("avif", ".avif", _picture("AVIF"), _read_photo))
    if can_write():
        pictures.append(Kind("heic", ".heic", _heic(folder), _read_photo))
    take, head, flame = whole_take(folder), BUNDLED_HEAD.read_bytes(), _flame_archive()
    return [
        *pictures,
        *(Kind(name, f".{name}", _movie(name, folder), _read_clip) for name in ("mp4", "mkv", "avi", "mov")),
        Kind("take", ".npz", take, _read_take),
        Kind("take, inside", ".npz", take, _read_take, mutated_inside),
        Kind("head", ".npz", head, _read_head),
        Kind("head, inside", ".npz", head, _read_head, mutated_inside),
        Kind("FLAME npz", ".npz", flame, _read_flame),
        Kind("FLAME npz, inside", ".npz", flame, _read_flame, mutated_inside),
        Kind("FLAME pickle", ".pkl", pickle.dumps(_flame_arrays(), protocol=2), _read_flame),
        Kind("card", ".json", card, _read_card),
        Kind("line", ".txt", json.dumps(line).encode(), _read_line),
    ]


def _answer(kind: Kind, path: Path) -> str:
    """What came of it: "ok", the code of a typed error, or "FAULT ..."."""
    try:
        kind.read(path)
    except Exception as error:
        code, sentence = getattr(error, "code", ""), getattr(error, "sentence", "")
        if isinstance(error, kind.typed) and code != "INTERNAL" and sentence:
            return str(code)
        return f"FAULT {type(error).__name__}: {str(error)[:100]}"
    return "ok"


def _work(kind: Kind, folder: Path, numbers: Sequence[int], seed: int, back: Connection) -> None:
    """In a process of its own: tries the inputs one by one, and tells of each before and after."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    path = folder / f"input{kind.ending}"
    path.write_bytes(kind.whole)
    kind.read(path)  # what the whole one costs is no growth
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    back.send((-1, "", 0.0, 0))  # ready
    for number in numbers:
        path.write_bytes(kind.damage(kind.whole, np.random.default_rng((seed, number))))
        back.send((number, "", 0.0, 0))
        started = time.process_time()  # whatever else the machine does
        answer = _answer(kind, path)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
        back.send((number, answer, time.process_time() - started, grown))
    back.close()


def try_kind(kind: Kind, folder: Path, count: int, seed: int) -> Outcome:
    """`count` damaged inputs of a kind. A process that dies or hangs is replaced and goes on behind that input.

    Raises what reading the whole one raises: then the kind's own bytes are wrong.
    """
    (folder / f"whole{kind.ending}").write_bytes(kind.whole)
    kind.read(folder / f"whole{kind.ending}")
    outcome, first = Outcome(), 0
    while first < count:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=_work, args=(kind, folder, range(first, count), seed, theirs))
        process.start()
        theirs.close()
        current, what = first, "ended the process"
        try:
            if ours.poll(LONGEST_START):
                ours.recv()
            while current < count:
                if not ours.poll(LONGEST):
                    what = f"hung for {LONGEST:.0f} s"
                    break
                number, answer, seconds, grown = ours.recv()
                current = number
                if answer:
                    current = number + 1
                    outcome.slowest = max(outcome.slowest, seconds)
                    outcome.memory = max(outcome.memory, grown)
                    outcome.answers[answer.split(" ")[0]] += 1
                    if answer.startswith("FAULT"):
                        outcome.faults[number] = answer
        except EOFError:
            pass
        finally:
            process.kill()
            process.join()
        if current < count:
            outcome.answers["FAULT"] += 1
            outcome.faults[current] = what
        first = current + 1 if current < count else count
    return outcome


def main(all_kinds: Callable[[Path], list[Kind]] = kinds) -> int:
    """The command for the kinds made in a folder. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="inputs of all kinds together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=[], help="kinds")
    parser.add_argument("--keep", type=Path, help="folder for the inputs that were faults")
    arguments = parser.parse_args()
    multiprocessing.set_start_method("forkserver")  # threads of decoders do not survive a fork
    faults = 0
    print("| kind | inputs | read | refused | faults | slowest s | memory MB |\n| --- " + "| ---: " * 6 + "|")
    with tempfile.TemporaryDirectory(prefix="n2f_fuzz_") as temporary:
        folder = Path(temporary)
        chosen = [kind for kind in all_kinds(folder) if not arguments.only or kind.name in arguments.only]
        for kind in chosen:
            outcome = try_kind(kind, folder, -(-arguments.count // len(chosen)), arguments.seed)
            total = outcome.answers.total()
            wrong, read = outcome.answers["FAULT"], outcome.answers["ok"]
            print(
                f"| {kind.name} | {total} | {read} | {total - read - wrong} | {wrong} | {outcome.slowest:.2f} | "
                f"{outcome.memory} |",
                flush=True,
            )
            faults += wrong
            for number, what in outcome.faults.items():
                print(f"{kind.name} {number}: {what}", file=sys.stderr)
                if arguments.keep is not None:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    damaged = kind.damage(kind.whole, np.random.default_rng((arguments.seed, number)))
                    (arguments.keep / f"{kind.name.replace(', ', '_')}_{number}{kind.ending}").write_bytes(damaged)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
