"""In which order, and under which names, classes stand on an axis."""

import numpy as np
import pytest

from wbtui.report.class_axis import class_axis


def test_classes_stand_from_head_to_tail_under_their_names() -> None:
    axis = class_axis(3, np.array([7, 90, 7]), ("ape", "bee", "cow"))
    assert axis.order.tolist() == [1, 0, 2]
    assert axis.names == ("bee", "ape", "cow")
    assert axis.called == ("ape", "bee", "cow")
    assert axis.ends == ("head", "tail")


@pytest.mark.parametrize("names", [(), ("ape",)])
def test_a_class_without_a_name_is_called_by_its_id_not_by_its_place(names: tuple[str, ...]) -> None:
    assert class_axis(3, [7, 90, 8], names).names == ("1", "2", "0")


@pytest.mark.parametrize("counts", [None, [1, 2]])
def test_without_their_images_classes_stand_by_id_and_no_end_is_called_the_head(
    counts: list[int] | None,
) -> None:
    axis = class_axis(3, counts)
    assert axis.order.tolist() == [0, 1, 2]
    assert axis.ends == ("first", "last")
