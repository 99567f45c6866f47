"""Figures of a study: their numbers against the run folders, and the SVG they become."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from finished_runs import CLASSES, COUNTS, EPOCHS, accuracies, classifier, make_run, predictions_of

from wbtui.adjustment import CRITERIA, method_named
from wbtui.errors import MissingPackageError
from wbtui.report.adjusting import Request
from wbtui.report.drawing import save_figures
from wbtui.report.imported import Sources, read_predictions
from wbtui.report.importing import Labels, make_imported_run
from wbtui.report.study import study_entries
from wbtui.report.study_figures import Line, MatrixPanel, Panel, StudyFigure, study_figures
from wbtui.store.predictions import Classifier, PredictionsMeta, SplitPredictions
from wbtui.store.reader import open_run
from wbtui.store.writer import RunWriter


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StudyFigure]:
    """Of two seeds of wd and one of ce, by name."""
    folder = tmp_path_factory.mktemp("runs")
    runs = [open_run(make_run(folder, *one)) for one in (("wd", 0), ("wd", 1), ("ce", 0))]
    methods = [Request(method_named("additive"), CRITERIA["all"])]
    return {one.name: one for one in study_figures(study_entries(runs, methods), methods)}


def line(figure: StudyFigure, panel: int, index: int) -> Line:
    found = figure.panels[panel]
    assert isinstance(found, Panel)
    return found.lines[index]


def test_a_preset_gets_the_papers_four_figures(figures: dict[str, StudyFigure]) -> None:
    assert set(figures) == {f"digits_lt-{name}" for name in ("fdr", "norms", "cosine", "additive")}
    assert [one.label for one in figures["digits_lt-fdr"].panels[0].lines] == ["wd, n = 2", "ce, n = 1"]  # type: ignore[union-attr]


def test_fdr_is_that_of_each_epoch(figures: dict[str, StudyFigure]) -> None:
    found = line(figures["digits_lt-fdr"], 0, 0)
    assert found.x.tolist() == list(range(1, EPOCHS + 1))
    assert found.mean == pytest.approx(10.0 * found.x)
    assert found.std == pytest.approx(0.0)
    assert np.isnan(line(figures["digits_lt-fdr"], 0, 1).std).all()


def test_norms_go_from_head_to_tail(figures: dict[str, StudyFigure]) -> None:
    assert line(figures["digits_lt-norms"], 0, 0).mean == pytest.approx(classifier().class_mean_feature_norms)
    assert line(figures["digits_lt-norms"], 1, 0).mean == pytest.approx(classifier().norms)
    (wd, _) = figures["digits_lt-cosine"].panels
    assert isinstance(wd, MatrixPanel)
    assert (wd.values == np.eye(CLASSES)).all()


def test_a_matrix_of_other_weights_than_those_of_the_table_says_so(
    figures: dict[str, StudyFigure], tmp_path: Path
) -> None:
    assert "last epoch" not in figures["digits_lt-cosine"].note
    folder = make_run(tmp_path / "selected")
    with RunWriter.open(folder) as writer:
        meta = PredictionsMeta("best_validation", EPOCHS - 1, "none")
        writer.predictions({"test": predictions_of("test", 0)}, classifier(), meta)
    seeds = [open_run(folder), open_run(make_run(tmp_path / "selected", "wd", 1))]
    (cosine,) = (one for one in study_figures(study_entries(seeds), ()) if one.name.endswith("cosine"))
    assert "after the last epoch" in cosine.note


def test_seeds_fold_head_first_and_over_the_epochs_that_they_share(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    counts, cosine = rng.permutation(COUNTS), rng.random((CLASSES, CLASSES)).astype(np.float32)
    means, norms = rng.random((2, CLASSES)).astype(np.float32)
    folders = [make_run(tmp_path, "wd", seed) for seed in range(2)]
    with RunWriter.open(folders[1]) as writer:
        writer.matrix("test.cosine", EPOCHS + 1, cosine)
        writer.epoch(EPOCHS + 1, 0, {"test.fdr": 1.0})
        test, meta = {"test": predictions_of("test", 1)}, PredictionsMeta("last", EPOCHS + 1, "none")
        writer.predictions(test, Classifier(counts, means, norms, None), meta)
    entries = study_entries([open_run(folder) for folder in folders])
    fdr, of_norms, of_cosine = study_figures(entries, ())
    assert line(fdr, 1, 0).x.tolist() == list(range(1, EPOCHS + 1))
    order = sorted(range(CLASSES), key=lambda k: -counts[k])
    sorted_already = classifier()
    for panel, pair in enumerate(
        ((sorted_already.class_mean_feature_norms, means[order]), (sorted_already.norms, norms[order]))
    ):
        found = line(of_norms, panel, 0)
        assert found.mean == pytest.approx(np.mean(pair, axis=0))
        assert found.std == pytest.approx(np.abs(pair[1] - pair[0]) / 2**0.5)
        assert found.x.tolist() == list(range(CLASSES))
    (matrix,) = of_cosine.panels
    assert isinstance(matrix, MatrixPanel)
    assert matrix.values == pytest.approx((np.eye(CLASSES) + cosine[order][:, order]) / 2)
    assert "last epoch" not in of_cosine.note


def test_seeds_of_different_numbers_of_classes_share_no_figure_by_class(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, "wd", seed) for seed in range(2)]
    with RunWriter.open(folders[1]) as writer:
        fewer = Classifier(np.array(COUNTS[1:]), np.ones(CLASSES - 1), np.ones(CLASSES - 1), None)
        writer.predictions({}, fewer, PredictionsMeta("last", EPOCHS, "none"))
    figures = study_figures(study_entries([open_run(folder) for folder in folders]), ())
    assert [one.name for one in figures] == ["digits_lt-fdr"]


def test_what_imported_predictions_do_not_tell_is_in_no_figure(tmp_path: Path) -> None:
    test = predictions_of("test", 0)
    np.savez(tmp_path / "x.npz", logits=test.logits, labels=test.labels, counts=np.array(COUNTS))
    imported = read_predictions(Sources(tmp_path / "x.npz"))
    folder = make_imported_run(tmp_path / "runs", imported, Labels("theirs", many_above=30, few_below=8))
    methods = [Request(method_named("additive"), CRITERIA["all"])]
    names = [one.name for one in study_figures(study_entries([open_run(folder)]), methods)]
    assert names == ["imported-additive"]


def test_accuracy_over_the_strength_is_that_of_each_seed(figures: dict[str, StudyFigure]) -> None:
    found = line(figures["digits_lt-additive"], 0, 0)
    log_p = np.log(np.array(COUNTS) / sum(COUNTS))

    def by_hand(seed: int, tau: float) -> float:
        test = predictions_of("test", seed)
        return 100 * accuracies(SplitPredictions(test.logits.astype(float) - tau * log_p, test.labels))["all"]

    assert (found.x[0], found.x[-1]) == (0.0, method_named("additive").highest_strength)
    for at in (0, 57, 211):
        seeds = [by_hand(seed, found.x[at]) for seed in range(2)]
        assert found.mean[at] == pytest.approx(np.mean(seeds))
        assert found.std[at] == pytest.approx(np.std(seeds, ddof=1))
    assert [y for _, y in found.marks] == [
        pytest.approx(by_hand(seed, x)) for seed, (x, _) in enumerate(found.marks)
    ]
    assert "oracle" in figures["digits_lt-additive"].note


def texts(path: Path) -> str:
    root = ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg")
    return " ".join(element.text or "" for element in root.iter() if element.tag.endswith("text"))


def test_figures_become_svg_with_their_text_and_the_same_bytes_again(
    figures: dict[str, StudyFigure], tmp_path: Path
) -> None:
    written = save_figures(list(figures.values()), tmp_path / "out")
    assert [path.name for path in written] == [f"{name}.svg" for name in figures]
    for path, one in zip(written, figures.values(), strict=True):
        shown = texts(path)
        assert all(panel.title in shown for panel in one.panels)
        assert "wd, n = 2" in shown
    again = save_figures(list(figures.values()), tmp_path / "again")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


def test_epochs_and_classes_are_counted_in_whole_numbers(tmp_path: Path) -> None:
    def ticks(name: str, *panels: Panel | MatrixPanel) -> list[float]:
        (path,) = save_figures([StudyFigure(name, panels, "note")], tmp_path)  # type: ignore[arg-type]
        return [float(word) for word in texts(path).split() if re.fullmatch(r"[\d.]+", word)]

    def panel(x: np.ndarray) -> Panel:
        return Panel("t", "x", "y", (Line("a", x, 100.0 * x, np.full(x.shape, np.nan)),))

    assert all(tick.is_integer() for tick in ticks("epochs", panel(np.arange(1.0, 16.0))))
    assert not all(tick.is_integer() for tick in ticks("strengths", panel(np.linspace(0.0, 3.0, 7))))
    beside = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]  # of the bar of colours
    found = ticks("classes", MatrixPanel("t", np.eye(2)))
    assert sorted(found) == sorted([0.0, 1.0, 0.0, 1.0, *beside])


def test_strangers_names_are_text_and_never_markup_or_a_path(tmp_path: Path) -> None:
    label = "_$\\frac{1}$ <b>&"
    panel = Panel("t", "x", "y", (Line(label, np.arange(3.0), np.arange(3.0), np.full(3, np.nan)),))
    (path,) = save_figures([StudyFigure("x", (panel,), "note $")], tmp_path)
    assert label in texts(path)
    folder = make_run(tmp_path / "runs")
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('preset = "digits_lt"', 'preset = "../../x"'))
    names = [one.name for one in study_figures(study_entries([open_run(folder)]), [])]
    assert names == ["_x-fdr", "_x-norms", "_x-cosine"]


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"--figures: .*pip install 'wbtui\[plots\]'"):
        save_figures([], tmp_path / "out")
