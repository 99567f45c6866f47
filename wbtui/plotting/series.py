"""What is a curve before it is drawn?"""

from dataclasses import dataclass, replace

import numpy as np

from wbtui.plotting.palette import DEFAULT, SeriesStyle
from wbtui.plotting.scale import Floats
from wbtui.plotting.smoothing import ema


@dataclass(frozen=True, eq=False)
class Series:
    """Points joined by lines in the order of x, and how they are told from others."""

    name: str
    x: Floats
    """(n,); points whose x is not finite leave a gap."""
    y: Floats
    """(n,); NaN and infinities leave a gap."""
    colour: int = DEFAULT
    """0xRRGGBB or `DEFAULT`."""
    dash: int = 0
    """Index into `palette.DASHES`."""
    marker: int | None = None
    """Index into the markers of the glyph set; None draws none."""
    faint: bool = False
    """Whether the curve stands behind the others, dim and without a place in the legend."""

    def __post_init__(self) -> None:
        x, y = np.asarray(self.x, dtype=np.float64), np.asarray(self.y, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(
                f"series {self.name!r}: x and y must be one row of equal length, got {x.shape} and {y.shape}"
            )
        known = x[np.isfinite(x)]
        if np.any(known[1:] < known[:-1]):
            order = np.argsort(x, kind="stable")
            x, y = x[order], y[order]
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)

    @classmethod
    def styled(cls, name: str, x: Floats, y: Floats, style: SeriesStyle) -> "Series":
        """Return the series in a style of `palette.series_style`."""
        return cls(name, x, y, colour=style.colour, dash=style.dash, marker=style.marker)

    def raw(self) -> "Series":
        """Return what stays faint behind a smoothed curve."""
        return replace(self, faint=True, marker=None, dash=0)

    def smoothed(self, factor: float) -> "Series":
        """Return the debiased moving average of the full data."""
        return replace(self, y=ema(self.y, factor))
