"""Which class wins at one strength, and how sure is it?

Chunked, float32, one reused buffer. Rounding follows float32: `z * scale + shift` with scale and shift rounded once,
and of equal scores the lowest class id wins, as in `argmax`.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from wbtui.adjustment.family import Affine
from wbtui.adjustment.scored import ScoredSet
from wbtui.metrics import top_probability


def predict_affine(scored: ScoredSet, affine: Affine) -> npt.NDArray[np.int64]:
    """argmax_k of the adjusted logits, (N,)."""
    predictions = np.empty(scored.n_images, dtype=np.int64)
    for rows, adjusted in _adjusted_chunks(scored, affine):
        adjusted.argmax(axis=1, out=predictions[rows])
    return predictions


def confidence_affine(scored: ScoredSet, affine: Affine) -> npt.NDArray[np.float64]:
    """The top softmax probability of the adjusted logits, (N,)."""
    confidence = np.empty(scored.n_images)
    for rows, adjusted in _adjusted_chunks(scored, affine):
        confidence[rows] = top_probability(adjusted)
    return confidence


def _adjusted_chunks(scored: ScoredSet, affine: Affine) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """Row slices with their adjusted logits; each is overwritten by the next."""
    # Factors and summands spread over a chunk: numpy takes twice as long where it has to broadcast them.
    shape = (min(scored.chunk_rows, scored.n_images), scored.n_classes)
    buffer = np.empty(shape, dtype=np.float32)
    scale = None if affine.scale is None else np.tile(affine.scale, (shape[0], 1))
    shift = None if affine.shift is None else np.tile(affine.shift, (shape[0], 1))
    for start in range(0, scored.n_images, scored.chunk_rows):
        rows = slice(start, min(start + scored.chunk_rows, scored.n_images))
        chunk = scored.logits[rows]
        out = buffer[: len(chunk)]
        if scale is not None:
            chunk = np.multiply(chunk, scale[: len(chunk)], out=out)
        if shift is not None:
            chunk = np.add(chunk, shift[: len(chunk)], out=out)
        yield rows, np.asarray(chunk)
