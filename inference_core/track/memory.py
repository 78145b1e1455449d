"""What pass 1 knows after a frame, as plain values: a resumed run goes on from it as if it had never stopped.

Numbers survive JSON to the last bit. Networks keep nothing of their own but the square they look at next.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.sampling import Square
from inference_core.track.held import FaceTrack
from inference_core.track.people import AppearanceGallery, Person

KEPT_EVERY: Final = 100
"""Frames after which it is written down: what a kill costs at most."""

State = dict[str, Any]
"""Of JSON's own kinds."""


def array_state(values: NDArray[Any]) -> State:
    """An array with its shape and type."""
    return {"dtype": values.dtype.str, "shape": list(values.shape), "values": values.ravel().tolist()}


def array_from(state: State) -> NDArray[Any]:
    """The inverse."""
    return np.array(state["values"], dtype=np.dtype(state["dtype"])).reshape(state["shape"])


def square_state(square: Square | None) -> State | None:
    """A place in a picture."""
    return None if square is None else {"centre": square.centre.tolist(), "side": square.side, "roll": square.roll}


def square_from(state: State | None) -> Square | None:
    """The inverse."""
    return None if state is None else Square(np.array(state["centre"]), float(state["side"]), float(state["roll"]))


def person_state(person: Person) -> State:
    """Everything about somebody."""
    return {
        "number": person.number,
        "looks": [array_state(sample) for sample in person.looks.samples],
        "centre": array_state(person.centre),
        "side": float(person.side),
        "velocity": array_state(person.velocity),
        "time": float(person.time),
        "scene": person.scene,
        "sure_from": float(person.sure_from),
    }


def person_from(state: State) -> Person:
    """The inverse."""
    return Person(
        number=state["number"],
        looks=AppearanceGallery([array_from(sample) for sample in state["looks"]]),
        centre=array_from(state["centre"]),
        side=state["side"],
        velocity=array_from(state["velocity"]),
        time=state["time"],
        scene=state["scene"],
        sure_from=state["sure_from"],
    )


_PLAIN = ("person", "surprise", "time", "strange", "look_at", "_score", "_next_check", "_doubts", "_outside")


def held_state(held: FaceTrack) -> State:
    """A face that is held, and where its mesher looks next."""
    looks_at = held.mesher.looks_at if isinstance(held.mesher, FaceMesher) else None
    return {
        **{name: _plain(getattr(held, name)) for name in _PLAIN},
        "points": array_state(held.points),
        "velocity": array_state(held.velocity),
        "square": square_state(held._square),
        "mesher": square_state(looks_at),
    }


def held_from(state: State, mesher: FaceMesher) -> FaceTrack:
    """The inverse, with a mesher that is free."""
    mesher.looks_at = square_from(state["mesher"])
    held = FaceTrack(state["person"], mesher, array_from(state["points"]), state["_score"], state["time"])
    for name in _PLAIN:
        setattr(held, name, state[name])
    held.velocity = array_from(state["velocity"])
    held._square = square_from(state["square"])
    return held


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
