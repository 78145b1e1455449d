"""The fit's few constants, each with what it means. Crop pixels are those of the 256 px crop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

SHUT_JAW = 0.02
"""rad: shut teeth stand 0 to 2 mm apart."""
BARING_LIPS = 2.5
"""Times their usual width: lips that bare shut teeth are nowhere near rest."""
SEEN_OPENING = 1.0
"""px: the opening between lips in which teeth are seen is no guess of Face Mesh's."""


@dataclass(frozen=True)
class FitSettings:
    """How much each term is trusted. A standard deviation says how far a residual may lie off for the price of 1/2.

    Neighbouring landmarks and neighbouring normals err together, so their counts say too much: `point_share` and
    `normal_share` scale each whole term down to what its independent part is worth.
    """

    steps: int = 5
    shape_count: int = 150  # identity directions that are free; the rest keep the start's values
    worth: float = 0.01  # of the energy: a step that promises to lower it by less is the last
    tolerance: float = 3e-2  # stop when no parameter moves by more, in units of its own prior

    point_sigma: float = 1.6  # px, Face Mesh's own error, beside what the observation says of each point
    point_share: float = 0.35
    point_outlier: float = 3.0  # residuals beyond this many sigmas fade out (Geman-McClure)

    gap_sigma: float = 0.0  # px, of the openings between lips and between lids (model.GAPS); 0 leaves them out
    gap_outlier: float = 12.0  # a blink is far from the frame before it

    # Beside what the observation says of each normal; it is what the head's surface cannot follow. Exact normals count
    # a hundred times as much as a network's of ten degrees.
    normal_sigma: float = 0.02  # rad
    normal_share: float = 0.2
    normal_outlier: float = 0.5  # rad: a surface that far off is hair or glasses; it fades out (Geman-McClure)
    normal_spacing: float = 0.008  # m between the vertices whose normals are compared

    shape_sigma: float = 0.7  # about the start, where nobody has measured how far off N2FNet's answers are
    shape_scale: float = 1.0  # times that, or times the measured widths
    # One picture shows form, not size, and the other widths would shrink the head: it is held at the start's size.
    size_sigma: float = 0.003  # relative
    expression_scale: float = 1.5  # times the head's own expression_sigma
    expression_sparsity: float = (
        0.5  # pull towards 0, in 1/sigma: faces use few expressions at a time, curves stay clean
    )
    baring_scale: float = 1.0  # the same for what bares teeth, beside it
    baring_sparsity: float = 1.0  # times expression_sparsity
    jaw_sigma: tuple[float, float, float] = (0.2, 0.04, 0.02)  # rad
    eyelid_sigma: float = 0.5
    eye_sigma: float = 0.35  # rad
    vergence_sigma: float = 0.05  # rad, the eyes look at one place
    focal_sigma: float = 0.0  # of the logarithm; 0 keeps the given focal length

    expression_limits: tuple[float, float] = (0.0, 1.2)
    jaw_limits: tuple[float, float, float] = (0.6, 0.2, 0.1)  # rad; opening from 0, the others both ways
    eye_limits: tuple[float, float] = (0.6, 0.8)  # rad, pitch and yaw
    shape_limit: float = 4.0

    def with_teeth(self, shut: float) -> Self:
        """The same for a face that shows shut teeth between its lips, as surely as `shut` 0..1 says (Observation).

        Lips that part and a jaw that opens look alike to landmarks and normals. Where teeth fill the opening the jaw is
        up, and it is the lips that parted.
        """
        if shut == 0.0:
            return self
        pitch, *others = self.jaw_sigma
        opening = SEEN_OPENING / shut
        return replace(
            self,
            jaw_sigma=(pitch * (SHUT_JAW / pitch) ** shut, *others),
            baring_scale=BARING_LIPS**shut,
            baring_sparsity=1.0 - shut,
            gap_sigma=min(self.gap_sigma, opening) if self.gap_sigma > 0 else opening,
        )
