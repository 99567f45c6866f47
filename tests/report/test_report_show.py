"""What `wbtui ls` and `wbtui show` say of runs, and the pictures that `--plot` means."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finished_runs import COUNTS, EPOCHS, accuracies, classifier, make_run, predictions_of

from wbtui.errors import UsageError
from wbtui.plotting import bars
from wbtui.plotting.bars import BarOptions, BarPlot
from wbtui.plotting.columns import Overlay
from wbtui.plotting.glyphs import GlyphSet
from wbtui.plotting.text import to_text
from wbtui.report import overview
from wbtui.report.adjusting import load_material
from wbtui.report.figures import GROUP_TITLES, figures_of
from wbtui.report.listing import listing_json, listing_table
from wbtui.report.overview import overview_json, overview_tables
from wbtui.report.plots import Look, plots
from wbtui.report.table import Table
from wbtui.report.terminal import fitting_columns
from wbtui.report.values import json_text, percent
from wbtui.store.errors import StoreReadError
from wbtui.store.format import Metric, Result
from wbtui.store.history import Epoch
from wbtui.store.index import RunIndex
from wbtui.store.notes import edit_tags, set_note
from wbtui.store.predictions import PredictionsMeta
from wbtui.store.reader import Run, open_run
from wbtui.store.records import begin_attempt, write_result
from wbtui.store.writer import RunWriter


def words(tables: list[Table]) -> str:
    return "\n".join(" ".join(cell.text for cell in row) for table in tables for row in table.rows)


def test_the_listing_shows_final_figures_in_percent_and_keeps_fractions(tmp_path: Path) -> None:
    make_run(tmp_path, "wd", 1, digits="7f3a91c2")
    make_run(tmp_path, "ce", 0, digits="7f3b0000", finished=False)
    rows = RunIndex(tmp_path).listing().rows
    table = listing_table(rows, [row.id for row in rows])
    by_run = {
        row[0].text: {c.key: cell.text for c, cell in zip(table.columns, row, strict=True)}
        for row in table.rows
    }
    expected = accuracies(predictions_of("test", 1))
    assert by_run["7f3a"]["state"] == "finished"
    assert by_run["7f3a"]["all"] == percent(expected["all"])
    assert by_run["7f3a"]["few"] == percent(expected["few"])
    assert by_run["7f3a"]["epoch"] == f"{EPOCHS}/{EPOCHS}"
    assert by_run["7f3a"]["fdr"] == "81.0"
    assert by_run["7f3b"]["epoch"] == f"7/{EPOCHS}"
    assert json.loads(json_text(listing_json(rows)))[-1]["last"]["test.accuracy.all"] == pytest.approx(
        expected["all"]
    )


def test_the_preset_outlives_figures_where_it_tells_runs_apart(tmp_path: Path) -> None:
    make_run(tmp_path, "wd", 1, digits="7f3a91c2")
    make_run(tmp_path, "ce", 0, digits="8f3b0000")
    rows = RunIndex(tmp_path).listing().rows
    both = [rows[0], replace(rows[1], preset="glyphs_lt")]
    for shown, stays in ((rows, False), (both, True)):
        table = listing_table(shown, [row.id for row in shown])
        keys = [table.columns[index].key for index in fitting_columns(table, 77)]
        assert ("preset" in keys) is stays
        assert {"run", "seed", "all", "few"} <= set(keys)


def test_a_broken_folder_is_a_row_that_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "20261123-114500-x-y-s0-00000000"
    broken.mkdir()
    (broken / "config.toml").write_text("[[[")
    rows = RunIndex(tmp_path).listing().rows
    table = listing_table(rows, [row.id for row in rows])
    assert len(table.rows) == 1
    assert "config.toml" in table.notes[0]


def test_figures_are_final_ones_completed_from_the_epoch_of_the_same_weights(tmp_path: Path) -> None:
    figures = figures_of(open_run(make_run(tmp_path)))
    assert figures.final
    assert figures.epoch == EPOCHS
    assert figures.values["test.fdr"] == 80.0  # final, though epoch 20 measured 80.0 as well
    assert figures.values["train.fdr"] == 300.0  # final; epoch 20 said 200
    assert figures.values["bn.scale.mean"] == pytest.approx(0.8)  # not among the final ones


def test_what_was_measured_of_other_weights_is_no_figure_of_those_that_validation_prefers(
    tmp_path: Path,
) -> None:
    folder = make_run(tmp_path, finished=False)
    final = {"train.accuracy.all": 0.9}
    with RunWriter.open(folder) as writer:
        for name in ("train.accuracy.all", "train.feature_norm.spearman", "test.feature_norm.spearman"):
            writer.define(Metric(name, "rank_correlation"))
        measured = {"train.feature_norm.spearman": 0.1, "test.feature_norm.spearman": 0.2}
        writer.epoch(8, 0, measured)  # every so many epochs training images are measured too
        writer.epoch(9, 0, {"test.feature_norm.spearman": 0.3})
        writer.epoch(10, 0, measured)
        predictions = {"test": predictions_of("test", 0)}
        writer.predictions(predictions, classifier(), PredictionsMeta("best_validation", 9, "none"))
        writer.event("end", outcome="finished", reason="all epochs done", final=final, best={}, best_epoch=9)
    figures = figures_of(open_run(folder))
    assert figures.epoch == 9
    assert figures.values == {"test.feature_norm.spearman": 0.3, **final}


def test_a_run_at_work_has_figures_so_far_and_says_so(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path, finished=False))
    assert not figures_of(run).final
    text = words(overview_tables(run))
    assert "the run so far, epoch 7; none are final" in text


def test_show_tells_configuration_provenance_notes_state_and_figures(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "wd_fr_etf")
    set_note(folder, "a note with [red]markup[/red] and \x1b[31mescape")
    edit_tags(folder, add=["base"])
    tables = overview_tables(open_run(folder))
    text = words(tables)
    assert "finished: result.json: all epochs done" in text
    assert "WD 0.005, FR 0.001" in text
    assert "etf head" in text
    assert "torch 2.13.0" in text
    assert "280 train, 200 validation, 500 test" in text
    assert "[red]markup[/red]" in text
    assert "\x1b" not in text
    assert "tags base" in text
    final = tables[1]
    assert [row[0].text for row in final.rows] == ["train", "validation", "test"]
    assert final.rows[2][1].value == pytest.approx(accuracies(predictions_of("test", 0))["all"])


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("result.json", b"\x00\xff{garbage", "result.json"),
        ("result.json", b"[]", "result.json"),
        (
            "result.json",
            b'{"attempt": "one", "outcome": "finished"}',
            "attempt: expected an integer from 1, found 'one'",
        ),
        ("provenance.json", b"no", "provenance.json"),
        ("notes.json", b'{"tags": 3', "notes.json"),
    ],
)
def test_a_damaged_file_is_named_and_the_rest_is_shown(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    folder = make_run(tmp_path)
    (folder / name).write_bytes(data)
    tables = overview_tables(open_run(folder))
    text = words(tables)
    assert f"damaged {folder}/{name}" in text or f"/{name}: " in text
    assert said in text
    assert "WD 0.005" in text
    assert [row[0].text for row in tables[1].rows] == ["train", "validation", "test"]
    found = overview_json(open_run(folder))
    assert any(said in one for one in found["damaged"])
    assert found["figures"]["values"]["test.accuracy.all"]


def test_a_wrong_setting_is_told_where_the_run_is_shown(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(
        "\n".join(['seed = "abc"', *(one for one in text.splitlines() if not one.startswith("seed"))])
    )
    run = open_run(folder)
    assert "config.toml: seed = 'abc': expected a whole number" in words(overview_tables(run))
    with pytest.raises(StoreReadError, match="seed = 'abc': expected a whole number"):
        load_material(run)


def test_twelve_epochs_are_shown_unless_all_are_asked_for(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path))
    few, all_of_them = overview_tables(run)[2], overview_tables(run, all_epochs=True)[2]
    assert len(few.rows) == 12
    assert [few.rows[0][0].value, few.rows[-1][0].value] == [1, EPOCHS]
    assert len(all_of_them.rows) == EPOCHS
    assert few.title == f"By epoch, 12 of {EPOCHS} epochs"
    told = overview_tables(run, how_all=" (--epochs shows all)")
    assert [table.title for table in told if "--epochs" in table.title] == [
        f"{few.title} (--epochs shows all)"
    ]


def test_groups_are_called_as_the_reader_calls_them(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path))
    own = {"all": "All", "many": "Head", "medium": "Med", "few": "Tail"}
    for titles in (GROUP_TITLES, own):
        _, final, epochs = overview_tables(run, titles=titles)
        for table in (final, epochs):
            headings = [column.title for column in table.columns]
            first = headings.index("All")
            assert headings[first : first + 4] == list(titles.values())


def test_json_of_a_run_has_every_epoch_and_fractions(tmp_path: Path) -> None:
    value = json.loads(json_text(overview_json(open_run(make_run(tmp_path)))))
    assert value["state"]["name"] == "finished"
    assert [epoch["epoch"] for epoch in value["epochs"]] == list(range(1, EPOCHS + 1))
    assert 0 < value["figures"]["values"]["test.accuracy.all"] < 1
    assert value["config"]["preset"] == "digits_lt"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("accuracy", "test accuracy [%]"),
        ("test.fdr", "test.fdr  log"),
        ("feature_norm@class", "test.feature_norm@class, epoch 20"),
        ("test.cosine", "test.cosine, epoch 20"),
        ("loss", "loss"),
    ],
)
def test_plots_by_family_by_name_by_class_and_as_matrix(tmp_path: Path, wanted: str, said: str) -> None:
    run = open_run(make_run(tmp_path))
    (canvas,) = plots(run, wanted, Look(60, 12, GlyphSet.ASCII, colour=False))
    text = to_text(canvas)
    assert (canvas.width, canvas.height) == (60, 12)
    assert said in text
    assert text.isascii()


def test_bars_by_class_carry_the_training_counts(tmp_path: Path) -> None:
    (canvas,) = plots(open_run(make_run(tmp_path)), "feature_norm@class", Look(90, 12))
    assert f"n_k {min(COUNTS)} to {max(COUNTS)}" in to_text(canvas)


def test_bars_by_class_stand_from_head_to_tail_in_whatever_order_classes_are_numbered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[np.ndarray, Overlay]] = []

    def bar_plot(values: np.ndarray, options: BarOptions, overlay: Overlay) -> BarPlot:
        drawn.append((values, overlay))
        return bars.bar_plot(values, options, overlay)

    monkeypatch.setattr("wbtui.report.plots.bar_plot", bar_plot)
    folder = make_run(tmp_path)
    np.save(folder / "predictions" / "train_counts.npy", np.array(COUNTS[::-1]))
    plots(open_run(folder), "feature_norm@class", Look(90, 12))
    ((values, overlay),) = drawn
    assert values.tolist() == list(range(EPOCHS + len(COUNTS) - 1, EPOCHS - 1, -1))
    assert overlay.values.tolist() == list(COUNTS)


def test_several_plots_at_once_and_an_unknown_one_names_those_there_are(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path))
    assert len(plots(run, "accuracy, fdr", Look())) == 2
    with pytest.raises(UsageError, match=r"did you mean 'fdr'.*accuracy"):
        plots(run, "fddr", Look())
    with pytest.raises(UsageError, match="expected names"):
        plots(run, " , ", Look())


def test_every_name_that_a_refused_plot_offers_is_one(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path))
    run.history.metrics["bn.scale@layer"] = Metric("bn.scale@layer", "bn_scale", axis="layer", width=3)
    with pytest.raises(UsageError) as refused:
        plots(run, "nothing_like_it", Look())
    offered = str(refused.value).partition("expected one of ")[2].removesuffix(", or a metric's whole name")
    assert {"accuracy", "feature_norm@class", "bn.scale@layer", "test.cosine"} <= set(offered.split(", "))
    for name in offered.split(", "):
        if name != "bn.scale@layer":
            assert plots(run, name, Look())
    with pytest.raises(UsageError, match=r"bn\.scale@layer: not measured yet"):
        plots(run, "bn.scale@layer", Look())


def about(folder: Path) -> dict[str, str]:
    return {row[0].text: row[1].text for row in overview_tables(open_run(folder))[0].rows}


def test_the_command_is_shown_as_it_can_be_typed_again(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    command = ["wbtui", "run", "--name", "two words", "--set", "data.mean=[0.5, 0.5]"]
    path = folder / "provenance.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"command": command}))
    assert shlex.split(about(folder)["command"]) == command


def test_what_a_run_took_is_the_sum_of_its_attempts_without_what_lies_between(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    assert about(folder)["started"].endswith(", took 1:05")
    assert begin_attempt(folder) == 2
    with RunWriter.open(folder, 2) as writer:
        writer.resume(from_epoch=EPOCHS)
    assert about(folder)["started"].endswith(", attempt 2")
    write_result(folder, Result(2, "finished", "all epochs done", 0, None, 3e9, 3e9 + 20, EPOCHS, {}))
    assert about(folder)["started"].endswith(", took 1:25 over 2 attempts")
    (folder / "attempts/1/result.json").unlink()  # then the events say how long the first one worked
    assert about(folder)["started"].endswith(", took 0:20 over 2 attempts")


def test_the_overview_of_a_run_at_work_does_not_walk_through_its_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unwalked(tuple[Epoch, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[Epoch]:
            pytest.fail("walked through all epochs")

    run = open_run(make_run(tmp_path, finished=False))
    epochs = run.epochs
    measured = {name: value for epoch in epochs for name, value in epoch.scalars.items()}
    monkeypatch.setattr(Run, "epochs", Unwalked(epochs))
    monkeypatch.setattr(overview, "_EPOCH_ROWS", 3)  # of many epochs the table shows some
    assert figures_of(run).values == measured
    assert "3 of 7 epochs" in overview_tables(run)[-1].title


def test_how_many_classes_maxnorm_shortens_is_said_of_its_first_and_its_last_epoch(tmp_path: Path) -> None:
    folder = make_run(tmp_path, finished=False)
    assert "MaxNorm" not in words(overview_tables(open_run(folder)))
    with RunWriter.open(folder) as writer:
        norm = Metric("classifier.norm@class", "classifier_norm", axis="class", width=10)
        for metric in (
            norm,
            Metric("maxnorm.active", "maxnorm"),
            Metric("maxnorm.threshold", "classifier_norm"),
        ):
            writer.define(metric)
        writer.epoch(8, 1, {"maxnorm.active": 7.0, "maxnorm.threshold": 0.5})
        said = "MaxNorm active on 7 of 10 classes in epoch 8; δ 0.500"
        assert said in words(overview_tables(open_run(folder)))
        writer.epoch(9, 1, {"maxnorm.active": 3.0, "maxnorm.threshold": 0.5})
        writer.epoch(10, 1, {"maxnorm.active": 0.0, "maxnorm.threshold": 0.5})
    said = "MaxNorm active on 7 of 10 classes in epoch 8, on 0 of 10 classes in epoch 10; δ 0.500"
    assert said in words(overview_tables(open_run(folder)))


def test_a_flagged_ratio_says_what_it_is_over_and_means_little_only_where_images_are_few(
    tmp_path: Path,
) -> None:
    folder = make_run(
        tmp_path, "wd", 0, "model.width=64", finished=False
    )  # 256 dimensions, 200 and 500 images
    assert "dimensions" not in notes_of(folder)
    with RunWriter.open(folder) as writer:
        flags = {}
        for split, rank in (("validation", 190.0), ("test", 240.0)):
            for name, value in ((f"{split}.fdr.flagged", 1.0), (f"{split}.fdr.rank", rank)):
                writer.define(Metric(name, "fdr_parts"))
                flags[name] = value
        writer.epoch(8, 0, flags)
    said = notes_of(folder).splitlines()
    assert said == [
        "FDR on validation is over the 190 dimensions in which features vary within a class; of 200 images in 256 "
        "dimensions it means little",
        "FDR on test is over the 240 dimensions in which features vary within a class",
    ]


def notes_of(folder: Path) -> str:
    return "\n".join(note for table in overview_tables(open_run(folder)) for note in table.notes)
