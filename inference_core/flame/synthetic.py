"""A test head in FLAME's own form: `python -m inference_core.flame.synthetic BASIS OUT`.

BASIS is an .npz with FLAME 2023 Open's template, triangles and first identity directions (CC BY 4.0). Expressions,
correctives, weights and joints come from the Open Head by our registration. OUT is a pickle as FLAME's are; with
`--chumpy` its arrays are chumpy's, as in the old files. What real FLAME files hold is not in it: no figure measured on
it is a figure of FLAME's.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from inference_core.flame.model import EXPRESSIONS, JOINTS, SHAPES
from inference_core.flame.registration import register
from inference_core.flame.transfer import smoothed, transfer, transfer_values
from inference_core.head import BUNDLED_HEAD, load_head
from inference_core.head.model import Floats

_SUPPORT = 600, 15  # of the nearest so many vertices every 15th says where a joint is: cheeks and jaw too, so that
# joints follow the expression, as FLAME's do
_BALLS = ((3, slice(3931, 4477)), (4, slice(4477, 5023)))


def make_model(basis: Path) -> dict[str, Any]:
    """The dictionary of a FLAME file (keys as FLAME's, float64, J_regressor sparse)."""
    with np.load(basis, allow_pickle=False) as file:
        template = file["v_template"].astype(np.float64)
        triangles = file["faces"].astype(np.int32)
        identity = file["shapedirs"].astype(np.float64)
    open_head = load_head(BUNDLED_HEAD)
    registration = register(open_head, template, triangles)
    count = len(template)
    directions = np.zeros((count, 3, SHAPES + EXPRESSIONS))
    directions[:, :, : identity.shape[2]] = identity
    own = open_head.expression_dirs.astype(np.float64)
    # As FLAME's: directions of mixed expressions, both ways, one standard deviation each.
    mixing = np.linalg.qr(np.random.default_rng(2023).normal(size=(own.shape[2], own.shape[2])))[0]
    expressions = transfer(open_head, registration, own * open_head.expression_sigma)
    directions[:, :, SHAPES : SHAPES + own.shape[2]] = expressions @ mixing
    weights = smoothed(
        transfer_values(open_head, registration, open_head.skin_weights.astype(np.float64)), triangles, 2
    )
    for joint, part in _BALLS:
        weights[part] = np.eye(JOINTS)[joint]
    weights /= weights.sum(axis=1, keepdims=True)
    regressor = _regressor(template, transfer_joints(open_head.joint_template, open_head.template, registration.laid))
    return {
        "v_template": template,
        "f": triangles.astype(np.uint32),
        "shapedirs": directions,
        "posedirs": transfer(open_head, registration, open_head.pose_dirs.astype(np.float64)),
        "J_regressor": sparse.csc_matrix(regressor),
        "J": regressor @ template,
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]], dtype=np.int64),
        "weights": weights,
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


def transfer_joints(joints: Floats, source: NDArray[Any], laid: Floats) -> Floats:
    """Joints (J, 3) moved as the vertices around them are, m."""
    distance = np.linalg.norm(source[None] - joints[:, None], axis=2)
    share = np.exp(-((distance / 0.03) ** 2)) + 1e-9
    share /= share.sum(axis=1, keepdims=True)
    return np.asarray(joints + share @ (laid - source))


def _regressor(template: Floats, goals: Floats) -> Floats:
    """(5, V) rows that sum to one and give the joints: least-norm weights on the nearest vertices."""
    rows = np.zeros((JOINTS, len(template)))
    for joint in range(JOINTS):
        ball = dict(_BALLS).get(joint)
        if ball is not None:
            rows[joint, ball] = 1.0 / (ball.stop - ball.start)
            continue
        distance = np.linalg.norm(template[:3931] - goals[joint], axis=1)
        near = np.argsort(distance, kind="stable")[: _SUPPORT[0] : _SUPPORT[1]]
        conditions = np.concatenate([np.ones((1, len(near))), template[near].T])
        rows[joint, near] = np.linalg.lstsq(conditions, np.array([1.0, *goals[joint]]), rcond=None)[0]
    return rows


def save(model: dict[str, Any], path: Path, protocol: int = 2, chumpy: bool = False) -> None:
    """Write a model as a pickle; with `chumpy` as the old files are: some arrays are chumpy.ch.Ch, one is a Select."""
    values = dict(model)
    if chumpy:
        with _chumpy_module() as (ch, select):
            values["shapedirs"] = select(ch(model["shapedirs"]), model["shapedirs"].shape)
            for key in ("v_template", "posedirs", "weights"):
                values[key] = ch(model[key])
            path.write_bytes(pickle.dumps(values, protocol=protocol))
        return
    path.write_bytes(pickle.dumps(values, protocol=protocol))


class _chumpy_module:  # noqa: N801  (a context manager)
    """Modules named as chumpy's with classes that pickle as chumpy's do, for the time of writing."""

    def __enter__(self) -> tuple[Any, Any]:
        top, ch, reordering = (types.ModuleType(n) for n in ("chumpy", "chumpy.ch", "chumpy.reordering"))

        class Ch:
            def __init__(self, x: Any) -> None:
                self.x = x
                self._dirty_vars: set[str] = set()
                self._itr = None

        class Select:
            def __init__(self, a: Any, shape: tuple[int, ...]) -> None:
                self.a, self.idxs, self.preferred_shape = a, np.arange(int(np.prod(shape))), shape

        Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
        Select.__module__, Select.__qualname__ = "chumpy.reordering", "Select"
        ch.Ch, reordering.Select = Ch, Select  # type: ignore[attr-defined]
        self._names = {"chumpy": top, "chumpy.ch": ch, "chumpy.reordering": reordering}
        sys.modules.update(self._names)
        return Ch, Select

    def __exit__(self, *_: object) -> None:
        for name in self._names:
            sys.modules.pop(name, None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("basis", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--chumpy", action="store_true")
    chosen = parser.parse_args()
    save(make_model(chosen.basis), chosen.out, chumpy=chosen.chumpy)
