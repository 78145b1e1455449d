"""ARKit's 52 shapes for a FLAME head, each as one direction beside FLAME's own expressions.

What ARKit calls one shape is on our heads a joint, a lid or an expression. Here jaw, gaze and lids are put into the
shapes, so that they can be played without bones: jawOpen is FLAME's own jaw turned, eyeLookUpLeft turns the ball and
lifts the lid. mouthClose closes what jawOpen opens. The rest comes from the Open Head by deformation transfer.
"""

from __future__ import annotations

import numpy as np

from inference_core.flame.model import FlameModel
from inference_core.flame.registration import Registration
from inference_core.flame.seams import CONTACT, gap, lip_seam
from inference_core.flame.transfer import transfer
from inference_core.formats.arkit import JAW_NAMES, JAW_OPEN, TURNS
from inference_core.head.model import Floats, Head
from inference_core.head.rotations import matrix_from_vector

JAW_TURNS = {name: TURNS[name][1] for name in JAW_NAMES}
_LOOKS = {"Up": 25.0, "Down": 30.0, "In": 30.0, "Out": 30.0}  # degrees, the Open Head's full eyeLook
_SMALLEST_JAW = 0.001  # m: where the jaw joint moves less, FLAME keeps the jaw in its expressions (2023 without jaw)
_PRESS = 0.0001  # m, closed lips press on each other


def arkit_shapes(
    open_head: Head, registration: Registration, model: FlameModel, lids: Floats
) -> tuple[tuple[str, ...], Floats]:
    """ARKit's names (52) and their directions (V, 3, 52), m. lids (V, 3, 2): the head's own."""
    own = transfer(open_head, registration, open_head.whole_expression_dirs.astype(np.float64))
    shapes = {name: own[:, :, column] for column, name in enumerate(open_head.expression_names)}
    shapes["eyeBlinkLeft"], shapes["eyeBlinkRight"] = lids[:, :, 0], lids[:, :, 1]
    shapes |= _looks(open_head, registration, model)
    shapes |= _jaw(open_head, registration, model)
    shapes["mouthClose"] = _sealed(shapes["jawOpen"], shapes["mouthClose"], model)
    names = tuple(sorted(shapes))
    return names, np.stack([shapes[name] for name in names], axis=-1)


def _looks(open_head: Head, registration: Registration, model: FlameModel) -> dict[str, Floats]:
    """Each eye in each direction: the ball about its joint, the lids as on the Open Head."""
    following = transfer(open_head, registration, open_head.pose_dirs[:, :, 18:].astype(np.float64))
    joints = model.joint_regressor @ model.template
    shapes = {}
    for side, (name, joint, to_left) in enumerate((("Left", 3, "Out"), ("Right", 4, "In"))):
        for way, degrees in _LOOKS.items():
            sign = 1.0 if way in ("Down", to_left) else -1.0
            axis = 0 if way in ("Up", "Down") else 1
            turn = matrix_from_vector(np.eye(3)[axis] * sign * np.radians(degrees))
            lids = following[:, :, 9 * side : 9 * side + 9] @ (turn - np.eye(3)).ravel()
            rigid = (model.template - joints[joint]) @ (turn - np.eye(3)).T
            shapes[f"eyeLook{way}{name}"] = lids + model.skin_weights[:, joint, None] * rigid
    return shapes


def _jaw(open_head: Head, registration: Registration, model: FlameModel) -> dict[str, Floats]:
    """The jaw's three shapes by FLAME's own joint and correctives."""
    weights, pose, template = model.skin_weights, model.pose_dirs.astype(np.float64), model.template
    pivot = (model.joint_regressor @ template)[2]
    if float((weights[:, 2] * np.linalg.norm(template - pivot, axis=1)).max()) * JAW_OPEN < _SMALLEST_JAW:
        weights, pose = open_head.skin_weights.astype(np.float64), open_head.pose_dirs.astype(np.float64)
        template, pivot = open_head.template.astype(np.float64), open_head.joint_template[2]
    shapes = {}
    for name, vector in JAW_TURNS.items():
        turn = matrix_from_vector(np.array(vector)) - np.eye(3)
        corrected = template + pose[:, :, 9:18] @ turn.ravel()
        shapes[name] = corrected + weights[:, 2, None] * ((corrected - pivot) @ turn.T) - template
    if len(template) != len(model.template):
        moved = transfer(open_head, registration, np.stack(list(shapes.values()), axis=-1))
        shapes = {name: moved[:, :, column] for column, name in enumerate(shapes)}
    return shapes


def _sealed(opened: Floats, sculpted: Floats, model: FlameModel) -> Floats:
    """mouthClose: together with jawOpen the lips touch. What is still open is shared by both lips.

    sculpted (V, 3): the Open Head's, which a jaw that is open turns; here it is undone by the jaw's share.
    """
    turn = matrix_from_vector(np.array([JAW_OPEN, 0.0, 0.0])) - np.eye(3)
    result = sculpted + model.skin_weights[:, 2, None] * (sculpted @ turn.T)
    seam = lip_seam(model.template, model.triangles)
    # Again: the lips move sideways as well, so what was opposite each other no longer is.
    contact, press = seam.rings[CONTACT], np.array([0.0, 0.5 * _PRESS, 0.0])
    for _ in range(3):
        above, below = gap(model.template + opened + result, contact)
        result = result + seam.carried(model.template, contact, -0.5 * above - press, -0.5 * below + press)
    return result
