"""How the scanned jaw moves: its hinge, and what its bone does in jawOpen, jawLeft and jawForward."""

from __future__ import annotations

import numpy as np

HINGE = np.array([0.0, -0.0105, -0.0373])  # m, head space
OPEN = 0.4455  # rad
SIDE = 0.0940  # rad about +Y
FORWARD = np.array([0.0, -0.0024, 0.0087])  # m
"""Rigid motion of ICT-FaceKit's lower front teeth (its vertices 20079 to 20618; all lower teeth and the gums, 19247 to
21450, for jawForward) in its expressions jawOpen, jawLeft and jawForward, in head space of the mean. They turn rigidly
to 0.06 mm. Sideways the scanned teeth slide as well as turn; the turn about the hinge that moves the incisors as far
(7.0 mm) stands for both."""
