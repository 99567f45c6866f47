"""Does a view come back as it was kept, whatever happened to its file?"""

from pathlib import Path

import pytest
from dashboard_helpers import TEXTS
from hypothesis import given
from hypothesis import strategies as st

from wbtui.tui.views import KeptViews, Views, load_views, save_views


@given(
    st.builds(
        Views,
        panels=st.lists(TEXTS, unique=True, max_size=4).map(tuple),
        pinned=st.lists(TEXTS, unique=True, max_size=4).map(tuple),
        colours=st.dictionaries(TEXTS, st.integers(0, 63), max_size=3),
        class_views=st.dictionaries(TEXTS, st.sampled_from(["bars", "curves", "heatmap"]), max_size=3),
        filter=TEXTS,
        theme=TEXTS,
        group=st.booleans(),
        smoothing=st.floats(0, 0.99),
        x_axis=st.sampled_from(["epoch", "time", "images"]),
    )
)
def test_views_come_back_as_they_were_kept(tmp_path_factory: pytest.TempPathFactory, views: Views) -> None:
    path = tmp_path_factory.mktemp("views") / "views.json"
    assert save_views(path, views) == ""
    assert load_views(path) == (views, "")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 9}', "\x00", '{"version": 1,'])
def test_views_that_make_no_sense_are_set_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / "views.json"
    path.write_text(text)
    views, problem = load_views(path)
    assert views == Views()
    assert "set aside" in problem
    assert not path.exists()
    assert next(tmp_path.glob("views.json.broken-*")).read_text() == text


def test_fields_of_a_wrong_type_are_forgotten_alone(tmp_path: Path) -> None:
    path = tmp_path / "views.json"
    path.write_text(
        '{"version": 1, "smoothing": 7, "x_axis": "moon", "pinned": "a", "group": true, "filter": "x"}'
    )
    assert load_views(path) == (Views(group=True, filter="x"), "")


def test_views_that_cannot_be_kept_say_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not kept" in save_views(tmp_path / "file" / "views.json", Views())


def test_the_folder_of_a_view_is_made_once_and_not_again_where_it_is_gone(tmp_path: Path) -> None:
    views = KeptViews(tmp_path / "runs" / "views.json")
    views.change(theme="a")
    assert views.write() == ""
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    views.change(theme="b")
    assert "not kept" in views.write()
    (tmp_path / "elsewhere").rename(tmp_path / "runs")  # which a view in its place would refuse
    views.change(theme="c")
    assert views.write() == ""
