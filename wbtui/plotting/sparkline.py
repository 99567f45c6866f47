"""How does a curve look in one row of a table?"""

import numpy as np

from wbtui.plotting.canvas import Canvas, Painter
from wbtui.plotting.glyphs import GLYPHS, GlyphSet
from wbtui.plotting.scale import Floats, Scale, finite_bounds


def sparkline(values: Floats, width: int, *, glyphs: GlyphSet = GlyphSet.BRAILLE) -> Canvas:
    """Draw values as heights in one row, from the left, the least lowest; a constant stands in the middle.

    More values than columns are thinned so that the least and the greatest stay: each column shows, of its
    values, the one farthest from the median of all.

    Args:
        values: (n,); what is not finite leaves a gap.
        width: Columns.
        glyphs: Eight heights of blocks, or ASCII.

    Returns:
        (1, width)

    Raises:
        UsageError: Width outside what it may be.
    """
    painter = Painter(width, 1)
    values = np.asarray(values, dtype=np.float64)
    bounds = finite_bounds([values])
    if bounds is not None:
        shown = _thinned(values, width)
        fractions = np.clip(Scale.spanning(*bounds).fraction(shown), 0, 1)
        steps = np.array(list(GLYPHS[glyphs].steps))
        level = np.minimum(np.nan_to_num(fractions) * len(steps), len(steps) - 1).astype(np.int64)
        painter.glyphs[0, : len(shown)] = np.where(np.isnan(fractions), " ", steps[level])
    return painter.finish()


def _thinned(values: Floats, width: int) -> Floats:
    """Return at most `width` of the values, NaN for a column that has no finite one."""
    if len(values) <= width:
        return values
    finite = np.isfinite(values)
    quarter = values / 4  # so that differences and sums of the largest doubles stay finite
    middle = np.median(quarter[finite]) if finite.any() else 0.0
    distance = np.where(finite, np.abs(quarter - middle), -1.0)
    starts = -(-np.arange(width) * len(values) // width)
    order = np.lexsort((distance, np.arange(len(values)) * width // len(values)))
    # The last of each column after sorting by distance.
    farthest = order[np.append(starts[1:], len(values)) - 1]
    return np.where(finite[farthest], values[farthest], np.nan)
