"""What each way to run the networks costs and loses: python -m inference_core.training.variants.

Writes docs/network_variants.md. Needs the checkpoints of both trainings, from which the float32 networks are exported
again. Times are CPU time of one thread, medians, so that a busy machine hardly matters; for two threads the clock
counts, on an idle machine.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import onnx
import onnxruntime
import typer
from numpy.typing import NDArray
from onnxruntime.transformers.float16 import convert_float_to_float16

from inference_core.head import Head, HeadParameters, load_head, pose_head
from inference_core.head.rotations import vector_from_matrix
from inference_core.n2fnet import BUNDLED_WEIGHTS, Regressor
from inference_core.perception.normals import BUNDLED_NORMALS, FACE, NormalEstimator, NormalMap
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.export import FINE_PARTS, calibration, export_onnx, load_mean
from inference_core.training.extractor.measure import TEST_SEED, angles
from inference_core.training.extractor.pool import sample_rng
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.n2fnet.config import Config
from inference_core.training.n2fnet.export import exported_model, to_onnx
from inference_core.training.n2fnet.render import NormalRenderer
from inference_core.training.n2fnet.stream import VALIDATION_STREAM, make_chunk
from inference_core.training.quantise import quantise

TURNS = 40
N2FNET_SPARED = ("coarse", "layers.0/layers.0.0", "/last/")  # the camera that all else follows, both ends
Float32s = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One line of a table: CPU ms of one thread and the measures in the table's order."""

    name: str
    ms: float
    measures: tuple[float, ...]


def median_ms(work: Callable[[], object], now: Callable[[], float] = time.thread_time) -> float:
    """Median milliseconds of a turn: CPU time of the calling thread, or of whatever other clock `now` reads."""
    times = []
    for _ in range(TURNS + 3):
        start = now()
        work()
        times.append((now() - start) * 1e3)
    return float(np.median(times[3:]))


def session(path: Path, threads: int = 1) -> Any:
    """A bare session, without the product's wrapping."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def half_precision(source: Path, target: Path) -> None:
    """All arithmetic in float16, float32 in and out."""
    onnx.save(convert_float_to_float16(onnx.load(str(source)), keep_io_types=True), str(target))


# --- normals.onnx


@dataclass(frozen=True, eq=False)
class Photographs:
    """Painted photographs (256, 256, 3) with their normals and labels."""

    rgb: list[NDArray[np.uint8]]
    normals: list[Float32s]
    skin: list[NDArray[np.bool_]]
    cameras: list[NDArray[np.float64]]

    @classmethod
    def paint(cls, count: int) -> Photographs:
        """The same ones that `extractor.measure` uses."""
        anatomy = build_anatomy(load_head())
        samples = [draw_sample(anatomy, sample_rng(TEST_SEED, n)) for n in range(count)]
        skin = [(sample.labels == FACE) & (np.abs(sample.normals).sum(-1) > 0) for sample in samples]
        cameras = [sample.intrinsics for sample in samples]
        return cls([sample.rgb for sample in samples], [sample.normals for sample in samples], skin, cameras)

    def answers(self, estimator: NormalEstimator, mirrored: bool = True) -> list[NormalMap]:
        """An estimator's for every photograph."""
        seen = zip(self.rgb, self.cameras, strict=True)
        return [estimator.estimate(rgb, camera, mirrored=mirrored) for rgb, camera in seen]


def normals_row(name: str, path: Path, mirrored: bool, test: Photographs, reference: Sequence[NormalMap]) -> Row:
    """Degrees to the truth, degrees to the reference, IoU of the face mask with the reference's."""
    estimator = NormalEstimator(path, threads=1)
    found = test.answers(estimator, mirrored)

    def away(others: Sequence[Float32s]) -> float:
        pairs = zip(found, others, test.skin, strict=True)
        return float(np.concatenate([angles(ours.normals, other)[skin] for ours, other, skin in pairs]).mean())

    both = sum(int((a.face_mask & b.face_mask).sum()) for a, b in zip(found, reference, strict=True))
    either = sum(int((a.face_mask | b.face_mask).sum()) for a, b in zip(found, reference, strict=True))
    ms = median_ms(lambda: estimator.estimate(test.rgb[0], test.cameras[0], mirrored=mirrored))
    return Row(name, ms, (away(test.normals), away([one.normals for one in reference]), both / either))


def normals_rows(checkpoint: Path, folder: Path, count: int) -> list[Row]:
    """The ways to run the normals network."""
    test = Photographs.paint(count)
    net, config, _ = load_mean(checkpoint)
    whole, half, eight = (folder / f"{name}.onnx" for name in ("float", "half", "eight"))
    export_onnx(net, config.size, whole)
    half_precision(whole, half)
    shown = [cv2.resize(rgb.astype(np.float32), (config.size,) * 2).transpose(2, 0, 1)[None] for rgb in calibration()]
    quantise(whole, eight, [{"rgb": np.asarray(x / 255, np.float32)} for x in shown], ("Conv",), ("/head/",))
    reference = test.answers(NormalEstimator(whole, threads=1))
    return [
        normals_row(
            f"{label}, {'photo and mirror image' if mirrored else 'photo alone'}", path, mirrored, test, reference
        )
        for label, path in (
            ("float32", whole),
            ("float16", half),
            ("8 bits, all but the head", eight),
            ("**8 bits, fine parts in float32 (shipped)**", BUNDLED_NORMALS),
        )
        for mirrored in (True, False)
    ]


def arrangement_rows(path: Path) -> list[Row]:
    """The bare network by batch, binding and optimisation: CPU ms a picture."""
    one = session(path)
    shape = [1 if not isinstance(side, int) else side for side in one.get_inputs()[0].shape]
    name = one.get_inputs()[0].name
    picture = np.random.default_rng(0).random(shape, dtype=np.float32)
    two = np.repeat(picture, 2, axis=0)
    bound = one.io_binding()
    bound.bind_cpu_input(name, picture)
    for output in one.get_outputs():
        bound.bind_output(output.name)
    plain = onnxruntime.SessionOptions()
    plain.intra_op_num_threads = 1
    plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    bare = onnxruntime.InferenceSession(str(path), plain, providers=["CPUExecutionProvider"])
    return [
        Row("one picture", median_ms(lambda: one.run(None, {name: picture})), ()),
        Row("two pictures as a batch, each", median_ms(lambda: one.run(None, {name: two})) / 2, ()),
        Row("one picture, inputs and outputs bound", median_ms(lambda: one.run_with_iobinding(bound)), ()),
        Row(
            "one picture, ONNX Runtime's graph optimisation off", median_ms(lambda: bare.run(None, {name: picture})), ()
        ),
    ]


def two_threads(path: Path) -> str:
    """What a crop takes by the clock when two threads work on it."""
    estimator = NormalEstimator(path, threads=2)
    crop = np.random.default_rng(0).integers(0, 255, (256, 256, 3)).astype(np.uint8)
    both, alone = (
        median_ms(lambda mirrored=mirrored: estimator.estimate(crop, mirrored=mirrored), time.perf_counter)  # type: ignore[misc]
        for mirrored in (True, False)
    )
    return (
        f"The shipped network on two threads, by the clock: {both:.1f} ms for photo and mirror image, "
        f"{alone:.1f} ms for the photo alone."
    )


# --- n2fnet.onnx


def n2fnet_rows(checkpoint: Path, head: Head, folder: Path, count: int) -> list[Row]:
    """mm to the truth (rigidly placed), mm to float32."""
    config = Config()
    renderer = NormalRenderer(head, 256)
    test, shown = (
        make_chunk(head, renderer, config.space, config.corruption, (VALIDATION_STREAM, seed), count, exact_crop=True)
        for seed in (700, 500)
    )
    maps = np.ascontiguousarray(test.normals.astype(np.float32).transpose(0, 2, 3, 1))
    masks = (maps != 0).any(axis=3)
    face = np.flatnonzero(head.region("face") & ~head.region("hidden"))[::4]
    truth = _face(head, test.shape, test.expression, test.eyelids, vector_from_matrix(test.jaw.astype(float)), face)
    whole, half, convolutions, all_of_it = (folder / f"n2f_{name}.onnx" for name in ("float", "half", "conv", "all"))
    to_onnx(exported_model(checkpoint, head)[0], head, whole)
    half_precision(whole, half)
    inputs = [{"normals": x[None]} for x in shown.normals.astype(np.float32)]
    quantise(whole, convolutions, inputs, ("Conv",), N2FNET_SPARED)
    quantise(whole, all_of_it, inputs, ("Conv", "MatMul", "Gemm"), N2FNET_SPARED)
    rows: list[Row] = []
    reference: NDArray[np.float64] | None = None
    for label, path in (
        ("float32", whole),
        ("float16", half),
        ("8-bit convolutions", convolutions),
        ("8 bits, products too", all_of_it),
        ("**shipped**", BUNDLED_WEIGHTS),
    ):
        regressor = Regressor(path, threads=1)
        cameras = test.intrinsics.astype(np.float64)
        found = [regressor.estimate(maps[i], masks[i], cameras[i]).parameters for i in range(count)]
        ours = np.stack([pose_head(head, one)[face] for one in found])
        reference = ours if reference is None else reference
        ms = median_ms(lambda regressor=regressor: regressor.estimate(maps[0], masks[0], test.intrinsics[0]))  # type: ignore[misc]
        rows.append(Row(label, ms, (_apart(ours, truth), _apart(ours, reference))))
    return rows


def _face(
    head: Head,
    shape: Float32s,
    expression: Float32s,
    eyelids: Float32s,
    jaw: NDArray[np.float64],
    face: NDArray[np.int64],
) -> NDArray[np.float64]:
    count = len(shape)
    still = HeadParameters.neutral(head, (count,))
    posed = HeadParameters(
        shape.astype(float), expression.astype(float), still.neck, jaw, still.eyes, eyelids.astype(float)
    )
    return np.asarray(pose_head(head, posed)[:, face])


def _apart(ours: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Mean mm between the same points (n, V, 3) after the best rigid motion (Kabsch)."""
    ours, others = (points - points.mean(axis=1, keepdims=True) for points in (ours, others))
    u, _, vt = np.linalg.svd(np.einsum("nvi,nvj->nij", ours, others))
    flip = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= flip[:, None]
    return float(1e3 * np.linalg.norm(ours @ u @ vt - others, axis=2).mean())


# --- docs/network_variants.md


def _table(title: str, columns: Sequence[str], rows: Sequence[Row], digits: Sequence[int]) -> str:
    lines = [f"## {title}", "", "| | CPU ms | " + " | ".join(columns) + " |" if columns else "| | CPU ms |"]
    lines.append("|" + " --- |" * (2 + len(columns)))
    for row in rows:
        values = [f"{value:.{places}f}" for value, places in zip(row.measures, digits, strict=True)]
        lines.append("| " + " | ".join([row.name, f"{row.ms:.1f}", *values]) + " |")
    return "\n".join(lines)


def main(
    out: Annotated[Path, typer.Option(help="The table to write.")] = Path("docs/network_variants.md"),
    extractor: Annotated[Path, typer.Option(help="The normals network's checkpoint.")] = Path("runs/extractor/last.pt"),
    n2fnet: Annotated[Path, typer.Option(help="N2FNet's checkpoint.")] = Path("runs/n2fnet/best.pt"),
    count: Annotated[int, typer.Option(help="Pictures to measure the errors on.")] = 48,
) -> None:
    """Measure all variants of both networks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        normals = normals_rows(extractor, folder, count)
        arranged, clock = arrangement_rows(BUNDLED_NORMALS), two_threads(BUNDLED_NORMALS)
        regressed = n2fnet_rows(n2fnet, load_head(), folder, count)
    parts = [
        "# Speed of the networks",
        "",
        "Written by `python -m inference_core.training.variants`. CPU time of one thread, median of "
        f"{TURNS}, on {platform.machine()} with ONNX Runtime {onnxruntime.__version__}; read the ratios. What the "
        "whole chain costs on your machine: `n2f bench`.",
        "",
        _table(
            "Normals and mask: a crop, with enlarging and cleaning the mask",
            ("degrees to the truth", "degrees to float32 with mirror image", "IoU of both masks"),
            normals,
            (2, 2, 3),
        ),
        "",
        clock,
        "",
        NORMALS_NOTES,
        "",
        _table("The normals network alone, by how it is called", (), arranged, ()),
        "",
        _table(
            "N2FNet: an estimate, with masking and shrinking", ("mm to the truth", "mm to float32"), regressed, (3, 3)
        ),
        "",
        N2FNET_NOTES,
        "",
    ]
    out.write_text("\n".join(parts), encoding="utf-8")
    print(out.read_text(encoding="utf-8"))


NORMALS_NOTES = f"""Unseen painted photographs. Photos are reconstructed with the mirror image; performances can do
without it (`NormalEstimator.estimate(crop, mirrored=False)`).
Processors without float16 arithmetic compute it as float32 and pay for the way back and forth. The fine parts
({", ".join(f"`{part}`" for part in FINE_PARTS)})
are few operations, but their rounding shows from frame to frame. Weights take 7 of the 8 bits, so that processors
without VNNI, whose 16-bit sums would overflow, give the same answer; how fast those are was not measured."""

N2FNET_NOTES = """Unseen renders, spoiled normals. The shipped weights are stored in float16 and computed in float32.
8 bits gain little, because most of the time goes into many small operations, and cost accuracy where 36 tokens are
multiplied. A performance asks N2FNet only now and then; the fit carries on from the frame before."""

if __name__ == "__main__":
    typer.run(main)
