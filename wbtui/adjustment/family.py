"""Which one-parameter families of scores can be adjusted, and solved exactly?"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wbtui.errors import UsageError

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Affine:
    """z'_k = scale_k z_k + shift_k in float32; None where it changes nothing, so that the pass is skipped."""

    scale: npt.NDArray[np.float32] | None
    shift: npt.NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Family:
    """Scores of class k as a function of the strength t, with u_k = base_scale_k z_k + base_shift_k.

    additive: u_k - t c_k + offset_k; multiplicative: u_k exp(-t c_k) + offset_k.
    """

    kind: Literal["additive", "multiplicative"]

    slope: Vector
    """c, (C,): the larger, the more the class loses as t grows (log p_k, log ‖w_k‖)."""

    base_scale: Vector
    """(C,) positive factors of the logits, ones where there are none."""

    base_shift: Vector
    """(C,) summands after the factors, zeros where there are none."""

    offset: Vector
    """(C,) what the strength does not touch; zeros but for multiplicative families that keep a bias."""

    @property
    def exact(self) -> bool:
        """Whether the strengths at which a class wins are one interval.

        Two additive scores cross once, two multiplicative ones of one sign too (in the logarithm). With an offset
        that differs between classes u_y e^{-t c_y} - u_k e^{-t c_k} + const has up to two roots (Descartes' rule
        for exponential sums), the winning set may fall apart, and only a grid can tell.
        """
        return bool(np.ptp(self.offset) == 0.0)

    @property
    def identity_base(self) -> bool:
        """Whether u = z."""
        return bool((self.base_scale == 1.0).all() and (self.base_shift == 0.0).all())

    def affine(self, strength: float) -> Affine:
        """The family at one strength.

        Raises:
            UsageError: a factor leaves the range of float32.
        """
        if self.kind == "additive":
            scale, shift = self.base_scale, self.base_shift - strength * self.slope + self.offset
        else:
            with np.errstate(over="ignore", invalid="ignore"):  # refused below: infinity, and 0 times it
                factor = np.exp(-strength * self.slope)
                scale, shift = self.base_scale * factor, self.base_shift * factor + self.offset
        limit = float(np.finfo(np.float32).max)
        if not (np.abs(scale) < limit).all() or not (np.abs(shift) < limit).all():
            raise UsageError(
                f"strength {strength:g}: the adjusted logits leave the range of float32; expected a strength "
                "of a few units at most"
            )
        return Affine(
            scale=None if (scale == 1.0).all() else scale.astype(np.float32),
            shift=None if (shift == 0.0).all() else shift.astype(np.float32),
        )


def additive_family(slope: Vector, base_scale: Vector | None = None) -> Family:
    """base_scale_k z_k - t c_k."""
    zeros = np.zeros(slope.shape)
    scale = np.ones(slope.shape) if base_scale is None else base_scale
    return Family("additive", slope, base_scale=scale, base_shift=zeros, offset=zeros)


def multiplicative_family(
    slope: Vector, base_shift: Vector | None = None, offset: Vector | None = None
) -> Family:
    """(z_k + base_shift_k) exp(-t c_k) + offset_k."""
    zeros = np.zeros(slope.shape)
    return Family(
        "multiplicative",
        slope,
        base_scale=np.ones(slope.shape),
        base_shift=zeros if base_shift is None else base_shift,
        offset=zeros if offset is None else offset,
    )
