"""Does a study make the papers' table?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from compared import on_terminal
from finished_runs import accuracies, make_run, predictions_of

from wbtui.adjustment import CRITERIA, method_named
from wbtui.report.adjusting import Request
from wbtui.report.chosen import finished
from wbtui.report.entries import Entry
from wbtui.report.markup import to_latex, to_markdown
from wbtui.report.study import study_entries, study_problems, study_tables
from wbtui.store.reader import open_run


def test_the_study_is_the_papers_table_with_n(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, variant, seed) for variant in ("ce", "wd_fr_etf") for seed in range(2)]
    folders.append(make_run(tmp_path, "wd", 5))
    folders.append(make_run(tmp_path, "wd", 6, finished=False))
    kept, left_out = finished([open_run(folder) for folder in folders])
    assert len(kept) == 5
    assert "s6" in left_out[0]
    found = study_entries(kept, [Request(method_named("additive"), CRITERIA["all"])])
    (table,) = study_tables(found)
    assert [column.title for column in table.columns] == [
        "method", "n", "Many", "Medium", "Few", "All", "FDR train", "FDR test",
    ]  # fmt: skip
    assert [(row[0].text, row[1].text) for row in table.rows] == [
        ("ce", "2"),
        ("ce + additive", "2"),
        ("wd_fr_etf", "2"),
        ("wd_fr_etf + additive", "2"),
        ("wd", "1"),
        ("wd + additive", "1"),
    ]
    for group, cell in zip(("many", "medium", "few", "all"), table.rows[0][2:6], strict=True):
        seeds = [100 * accuracies(predictions_of("test", seed))[group] for seed in range(2)]
        assert cell.text == f"{np.mean(seeds):.1f} ± {np.std(seeds, ddof=1):.1f}"
    assert [cell.text for cell in table.rows[0][6:]] == ["300 ± 1", "80.5 ± 0.7"]
    assert table.rows[4][5].text == f"{100 * accuracies(predictions_of('test', 5))['all']:.1f}"
    assert "n/a" not in to_latex(table) + to_markdown(table)
    assert r"wd\_fr\_etf" in to_latex(table)
    assert study_problems(found) == []


def test_a_best_mean_is_bold_where_seeds_tell_it_from_all_others(tmp_path: Path) -> None:
    def bold(*variants: str) -> tuple[dict[str, list[str]], str]:
        kept = [run for name in variants for run in runs[name]]
        (table,) = study_tables(study_entries(kept))
        named = {
            row[0].text: [c.title for c, cell in zip(table.columns, row, strict=True) if cell.best]
            for row in table.rows
        }
        return named, table.notes[1]

    runs = {"wd": [open_run(make_run(tmp_path, "wd", seed, tail_bias=0.0)) for seed in range(3)]}
    runs["ce"] = [open_run(make_run(tmp_path, "ce", seed)) for seed in range(3)]
    runs["vs"] = [open_run(make_run(tmp_path, "vs", 9, tail_bias=0.0))]
    told, words = bold("ce", "wd")
    assert told == {"ce": ["Many"], "wd": ["Few"]}
    assert words.startswith("bold: the best mean")
    assert bold("ce", "wd", "vs")[0] == {**told, "vs": []}
    assert bold("wd", "vs") == ({"wd": [], "vs": []}, bold("ce")[1])
    assert bold("ce")[1].startswith("nothing is bold")


def with_figures(entry: Entry, figures: Mapping[str, Sequence[float]]) -> Entry:
    """The same setting, with these figures, one a seed; NaN where a seed has none."""
    members = tuple(
        replace(
            one, figures=replace(one.figures, values={key: values[seed] for key, values in figures.items()})
        )
        for seed, one in enumerate(entry.members)
    )
    return replace(entry, members=members)


def test_bold_goes_by_the_mean_and_to_what_an_adjustment_leaves_as_it_was(tmp_path: Path) -> None:
    runs = [open_run(make_run(tmp_path, "wd", seed)) for seed in range(3)]
    runs += [open_run(make_run(tmp_path, "ce", seed)) for seed in range(2)]
    found = study_entries(runs, [Request(method_named("additive"), CRITERIA["all"])])
    wd = {
        "test.accuracy.all": (0.50, 0.51, 0.52),
        "train.fdr": (10.0, 10.2, np.nan),
        "test.fdr": (5.0, 5.2, 5.4),
    }
    ce = {"test.accuracy.all": (0.70, 0.705), "train.fdr": (20.0, 20.2), "test.fdr": (np.nan, np.nan)}
    entries = [
        with_figures(one, wd if one.label.startswith("wd") else ce)
        for one in found
        if one.label != "wd + additive"
    ]
    (table,) = study_tables(entries)
    assert [column.title for column in table.columns] == ["method", "n", "All", "FDR train", "FDR test"]
    assert [[(cell.text, cell.best) for cell in row[2:]] for row in table.rows] == [
        [("51.0 ± 1.0", False), ("10.1 ± 0.1 (n = 2)", False), ("5.20 ± 0.20", False)],
        [("70.2 ± 0.4", False), ("20.1 ± 0.1", True), ("-", False)],
        [("70.2 ± 0.4", False), ("20.1 ± 0.1", True), ("-", False)],
    ]
    (table,) = study_tables(entries[:2])
    assert [row[2].best for row in table.rows] == [False, True]
    (table,) = study_tables(entries[1:])  # one training, in two rows: there is nothing that it is better than
    assert not any(cell.best for row in table.rows for cell in row)


def test_whose_strength_a_published_one_is_is_said(tmp_path: Path) -> None:
    asked = Request(method_named("multiplicative"), CRITERIA["all"], "published")
    (table,) = study_tables(study_entries([open_run(make_run(tmp_path))], [asked]))
    assert table.notes[-1].startswith("multiplicative: nothing was chosen on these data; ")
    assert "CIFAR100-LT, Hasegawa & Sato 2024" in table.notes[-1]


def test_presets_of_a_study_stand_in_tables_of_their_own(tmp_path: Path) -> None:
    folders = [
        make_run(tmp_path, "ce"),
        make_run(tmp_path, "wd"),
        make_run(tmp_path, "ce", 1, "preset=other"),
    ]
    tables = study_tables(study_entries([open_run(folder) for folder in folders]))
    assert [(table.title, len(table.rows)) for table in tables] == [("digits_lt", 2), ("other", 1)]
    assert tables[0].rows[0][0].text == "ce"


def test_on_80_columns_a_study_keeps_n_and_all_and_names_what_finds_no_room(tmp_path: Path) -> None:
    for seed in range(2):
        make_run(tmp_path, "wd_fr_etf", seed, validation=False)
    runs = [open_run(folder) for folder in sorted(tmp_path.iterdir())]
    (table,) = study_tables(study_entries(runs, [Request(method_named("multiplicative"), CRITERIA["all"])]))
    heading, first, *lines = on_terminal(table)[1:]
    assert heading.split() == ["method", "n", "Many", "Medium", "Few", "All"]
    assert first.split()[:2] == ["wd_fr_etf", "2"]
    assert lines[0].split()[:4] == ["wd_fr_etf", "+", "multiplicative", "2"]
    assert lines[1].strip() == "1.6 (published)"
    assert lines[-1] == "no room for: FDR train, FDR test"
