"""In which order, and under which names, do classes stand on an axis?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from wbtui.metrics import head_first


@dataclass(frozen=True, eq=False)
class ClassAxis:
    """The classes of an axis, from left to right or from the top down."""

    order: npt.NDArray[np.int64]
    """(C,) class ids."""

    called: tuple[str, ...]
    """(C,) by class id: what people call a class, its id where nobody named it."""

    ends: tuple[str, str]
    """What stands at the first and at the last class."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """(C,) in the order of the axis."""
        return tuple(self.called[k] for k in self.order)


def class_axis(
    classes: int,
    counts: Sequence[int] | npt.NDArray[np.integer] | npt.NDArray[np.floating] | None,
    names: Sequence[str] = (),
) -> ClassAxis:
    """From head to tail where the images of the classes are known, by class id else.

    Args:
        classes: C.
        counts: (C,) n_k; of another length they are not known.
        names: (C,) by class id; of another length there are none.
    """
    known = counts is not None and len(counts) == classes
    order = head_first(np.asarray(counts)) if known else np.arange(classes)
    called = names if len(names) == classes else [str(k) for k in range(classes)]
    ends = ("head", "tail") if known else ("first", "last")
    return ClassAxis(order, tuple(called), ends)
