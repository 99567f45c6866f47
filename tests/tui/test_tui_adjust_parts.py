"""What the Adjust screen is made of, without a screen: steps, samples, the desk, words."""

import csv
import time

import numpy as np
import pytest

from wbtui.adjustment import METHODS, NegativeLogits
from wbtui.metrics import AccuracySummary
from wbtui.metrics.intervals import Interval
from wbtui.report.adjust_tables import strengths_over_seeds
from wbtui.report.markup import to_csv, to_markdown
from wbtui.tui import adjust_trials as moves
from wbtui.tui.actions import ADJUST_METHODS, actions_of
from wbtui.tui.adjust_bench import Exact, sample
from wbtui.tui.adjust_lines import figure_parts, method_label, table_header, table_line, trials_table
from wbtui.tui.adjust_seeds import SeedFold, fold_header, fold_line, with_folds
from wbtui.tui.adjust_trials import Trial
from wbtui.tui.desk import Desk
from wbtui.tui.ink import parts_width
from wbtui.tui.keymap import resolve_keys
from wbtui.tui.screens.adjust import AdjustScreen


def test_every_action_has_a_method_help_and_a_key_that_can_be_another() -> None:
    keys: dict[str, str] = {}
    for action in actions_of("adjust"):
        assert hasattr(AdjustScreen, f"action_{action.method.partition('(')[0]}"), action.id
        assert action.help.endswith(".")
        for key in action.keys.split(","):
            assert keys.setdefault(key, action.id) == action.id
    assert resolve_keys({"adjust.save": "ctrl+s"}, "x").keys == {"adjust.save": "ctrl+s"}


def test_steps_go_to_round_strengths_and_stay_within_the_search() -> None:
    trial = Trial("x", "additive", 0.873)
    assert moves.stepped(trial, 0.05).strength == pytest.approx(0.9)
    assert moves.stepped(trial, -0.05).strength == pytest.approx(0.85)
    assert moves.stepped(Trial("x", "additive", 0.9), 0.05).strength == pytest.approx(0.95)
    assert moves.stepped(Trial("x", "additive", 0.0), -0.05).strength == 0.0
    assert moves.stepped(Trial("x", "additive", 2.98), 0.05).strength == 3.0
    assert moves.stepped(Trial("x", "none"), 0.05) == Trial("x", "none")


def test_a_sample_holds_every_class_evenly() -> None:
    from wbtui.adjustment import ScoredSet

    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(500), 20))
    scored = ScoredSet(
        "test", rng.normal(size=(10_000, 500)).astype(np.float32), labels, np.arange(500, 0, -1)
    )
    small = sample(scored)
    assert small.logits.size <= 1_000_000
    assert set(small.images_by_class()) == {4}
    assert sample(small) is small


def test_the_desk_forgets_what_was_asked_before_it_could_begin() -> None:
    answers: list[int] = []
    problems: list[str] = []
    desk = Desk("test", lambda call, *arguments: call(*arguments), problems.append)
    desk.ask("slow", lambda: time.sleep(0.2), lambda _: None)
    for number in range(50):
        desk.ask("step", lambda number=number: number, answers.append)  # type: ignore[misc]
    desk.ask("wrong", lambda: 1 // 0, answers.append)
    deadline = time.monotonic() + 10
    while desk.busy and time.monotonic() < deadline:
        time.sleep(0.01)
    assert answers == [49]
    assert "ZeroDivisionError" in problems[0]
    desk.close()


@pytest.mark.parametrize(
    ("width", "ending"),
    [
        (120, "  95 % of All 83.2 to 88.8"),
        (83, "Tail 84.0 ↑+21.5 [83.2,88.8]"),
        (80, "Tail 84.0 ↑+21.5 [83,89]"),
        (70, "Tail 84.0 ↑+21.5"),
    ],
)
def test_the_interval_is_whole_or_not_there(width: int, ending: str) -> None:
    before = AccuracySummary(np.empty(0), 0.808, 0.985, 0.82, 0.625)
    now = AccuracySummary(np.empty(0), 0.862, 0.875, 0.88, 0.84)
    rest = Exact(1.13, now, Interval(0.862, 0.832, 0.888, 0.95), 0.1)
    parts = figure_parts(moves.Outcome(now, before, exact=True, rest=rest), width)
    assert "".join(text for text, _ in parts).endswith(ending)
    assert parts_width(parts) <= width


def test_the_help_names_the_methods_in_their_order() -> None:
    begins = ("nothing", "additive,", "additive and mult", "multiplicative,", "1-vs-1", "τ-norm", "τ-norm")
    assert len(ADJUST_METHODS) == len(METHODS)
    for title, begin in zip(ADJUST_METHODS, begins, strict=True):
        assert title.startswith(begin)
    assert [name for name in METHODS if "no_bias" in name] == list(METHODS)[-1:]
    told = [action.help for action in actions_of("adjust") if action.method.startswith("method(")]
    assert told == [f"Adjust by: {title}." for title in ADJUST_METHODS]


def test_what_negative_logits_do_is_said_without_what_they_do_not() -> None:
    brief = NegativeLogits(without_rival=0.0, lost=0.012, all_negative=0.0).brief()
    assert brief == "negative logits limit multiplying: 1.2% of images can never become right"
    assert "less than 0.1%" in NegativeLogits(0.0, 0.0001, 0.0).brief()


def test_other_seeds_follow_in_their_own_place() -> None:
    first = Trial("a", "additive", 0.4, basis="given", follows=False)
    second = Trial("a", "multiplicative", 0.7, basis="given", follows=False)
    other = Trial("b", "additive", 0.9, basis="given", follows=False)
    assert moves.with_seeds([first, second, other], 0, ["b"]) == [
        first,
        second,
        moves.replace(first, run_id="b"),
    ]
    found = moves.with_seeds([first, second, other], 1, ["b", "c"])
    assert found == [first, second, other, *(moves.replace(second, run_id=one) for one in "bc")]
    chosen = moves.replace(first, basis="validation")
    assert moves.with_seeds([chosen], 0, ["b"])[1].follows
    full = [first] * moves.MOST_TRIALS
    assert moves.with_seeds(full, 0, ["b"]) == full


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("ascii_only", [False, True])
def test_on_100_cells_the_seeds_name_their_method_in_full(method: str, ascii_only: bool) -> None:
    accuracy = AccuracySummary(np.full(3, 0.5), 0.5, 0.5, 0.5, 0.5)
    outcomes = (moves.Outcome(accuracy, accuracy, True),) * 2
    fold = SeedFold("digits_lt wd_fr_etf", (Trial("a", method), Trial("b", method)), outcomes)
    line = fold_line(fold, 99, ascii_only=ascii_only)
    assert method_label(method, ascii_only=ascii_only) in "".join(text for text, _ in line)


@pytest.mark.parametrize(
    ("strengths", "told"),
    [
        ((1.34338, 1.36904, 1.19082), "1.30±0.10"),
        ((0.861, 1.065), "0.96±0.14"),
        ((0.05, 0.06), "0.055±0.007"),
        ((1.0, 1.0), "1 "),
    ],
)
def test_strengths_over_seeds_are_written_as_in_the_command(strengths: tuple[float, ...], told: str) -> None:
    accuracy = AccuracySummary(np.full(3, 0.5), 0.5, 0.5, 0.5, 0.5)
    outcomes = (moves.Outcome(accuracy, accuracy, True),) * len(strengths)
    fold = SeedFold("wd", tuple(Trial(str(one), "additive", one) for one in strengths), outcomes)
    line = "".join(text for text, _ in fold_line(fold, 119))
    assert f" {told}" in line
    assert strengths_over_seeds(strengths) == told.strip().replace("±", " ± ")


@pytest.mark.parametrize("width", [60, 79, 119])
def test_spreads_in_ascii_stand_in_full_below_their_titles(width: int) -> None:
    accuracies = [AccuracySummary(np.full(3, one), one, one, one, one) for one in (0.0, 1.0)]
    outcomes = tuple(moves.Outcome(one, accuracies[0], True) for one in accuracies)
    fold = SeedFold("ce", (Trial("a", "additive"), Trial("b", "additive")), outcomes)
    header, line = (
        "".join(text for text, _ in parts)
        for parts in (fold_header(width, ascii_only=True), fold_line(fold, width, ascii_only=True))
    )
    assert "50.0+-70.7" in line
    assert "±" not in line
    assert line.index("50.0+-70.7") + len("50.0+-70.7") == header.index("All") + len("All")
    assert len(header) == len(line) <= max(width, 2 + 13 + 13 + 11)


def test_no_figure_above_the_pictures_is_cut_off_on_60_cells() -> None:
    before, after = (AccuracySummary(np.full(3, one), one, one, one, one) for one in (0.1, 0.9))
    for exact in (True, False):
        outcome = moves.Outcome(after, before, exact)
        roomy, narrow = (figure_parts(outcome, width) for width in (80, 60))
        assert [text for text, _ in roomy].count(" ↑+80.0") == 4
        assert [text for text, _ in narrow].count(" ↑+80.0") == 1
        assert [text for text, _ in narrow].count("90.0") == 4
        assert parts_width(narrow) <= 60


def test_a_number_that_is_not_there_is_empty_in_csv_and_a_dash_to_people() -> None:
    accuracy = AccuracySummary(np.full(3, 0.5), 0.5, 0.5, 0.5, 0.5)
    trials = [Trial(run, method, 0.35) for method in ("none", "additive") for run in "ab"]
    outcomes = dict.fromkeys(trials, moves.Outcome(accuracy, accuracy, True))
    folds = [SeedFold("ce", tuple(trials[:2]), (moves.Outcome(accuracy, accuracy, True),) * 2)]
    table = with_folds(trials_table(trials, outcomes, {"a": "a", "b": "b"}), folds)
    rows = list(csv.DictReader(to_csv(table).splitlines()))
    assert [row["strength"] for row in rows] == ["", "", "0.35", "0.35", ""]
    for name in ("gamma", "low", "high", "ece"):
        assert {row[name] for row in rows} == {""}
    assert "| a | none | - | - | 50.0 |" in to_markdown(table)


def test_seeds_beside_another_preset_stay_apart_where_their_name_is_cut() -> None:
    accuracy = AccuracySummary(np.full(3, 0.5), 0.5, 0.5, 0.5, 0.5)
    outcomes = (moves.Outcome(accuracy, accuracy, True),) * 2
    for variant in ("ce", "wd_fr"):
        fold = SeedFold(f"cifar10_lt {variant}", (Trial("a"), Trial("b")), outcomes)
        line = "".join(text for text, _ in fold_line(fold, 79, preset="cifar10_lt"))
        assert line.split()[0].startswith(variant)
        assert " n=2 " in line


def test_seeds_on_60_cells_show_the_tail() -> None:
    accuracy = AccuracySummary(np.full(3, 0.5), 0.4, 0.8, 0.5, 0.1)
    fold = SeedFold("ce", (Trial("a"), Trial("b")), (moves.Outcome(accuracy, accuracy, True),) * 2)
    for ascii_only, spread in ((False, "±0.0"), (True, "+-0.0")):
        parts = fold_header(59, ascii_only=ascii_only), fold_line(fold, 59, ascii_only=ascii_only)
        header, line = ("".join(text for text, _ in one) for one in parts)
        assert header.split()[-1] == "Tail"
        assert line.split()[-1] == f"10.0{spread}"
        assert f" 40.0{spread} " in line


@pytest.mark.parametrize("width", [59, 64, 65, 70, 71, 79, 97, 119])
def test_a_setting_shows_the_figures_of_all_groups_at_every_width(width: int) -> None:
    before, after = (AccuracySummary(np.full(3, one), one, one, one, one) for one in (0.1, 0.9))
    header = "".join(text for text, _ in table_header(width))
    for method in METHODS:
        gamma = 0.25 if method == "additive_multiplicative" else 0.0
        trial, outcome = Trial("a", method, 0.35, gamma), moves.Outcome(after, before, True)
        line = "".join(text for text, _ in table_line(trial, outcome, "7f3a wd s0", False, width))
        for title in ("All", "Head", "Med", "Tail"):
            assert line[: header.index(f" {title} ") + 1 + len(title)].endswith(" 90.0"), title
        assert ("ΔAll" in header) == ("+80.0" in line) == (width >= 65)
        assert len(header) == len(line) <= width


@pytest.mark.parametrize("width", [60, 79, 119])
def test_the_number_of_seeds_stays_in_sight_however_long_their_name(width: int) -> None:
    accuracy = AccuracySummary(np.full(3, 0.5), 0.5, 0.5, 0.5, 0.5)
    outcomes = (moves.Outcome(accuracy, accuracy, True),) * 2
    for setting in ("ce", "wd_fr_etf (weight_decay 0.005, learning_rate 0.1)"):
        fold = SeedFold(setting, (Trial("a", "additive"), Trial("b", "additive")), outcomes)
        line = "".join(text for text, _ in fold_line(fold, width))
        assert " n=2 " in line
        assert "50.0" in line


@pytest.mark.parametrize(
    ("basis", "criterion", "shown", "written"),
    [
        ("validation", "all", "chosen on validation", "chosen on validation"),
        ("validation", "few", "on validation by Tail", "on validation by Few"),
        ("validation", "harmonic", "on validation by harmonic", "on validation by harmonic mean"),
        ("oracle", "few", "oracle on test by Tail", "oracle on test by Few"),
        ("given", "few", "by hand, test in sight", "by hand, test in sight"),
    ],
)
def test_what_was_maximised_is_said_on_the_screen_and_in_what_is_copied(
    basis: str, criterion: str, shown: str, written: str
) -> None:
    accuracy = AccuracySummary(np.full(3, 0.5), 0.5, 0.5, 0.5, 0.5)
    trials = tuple(Trial(one, "additive", 1.0, basis=basis, criterion=criterion) for one in "ab")
    outcome = moves.Outcome(accuracy, accuracy, True)
    outcomes = dict.fromkeys(trials, outcome)
    fold = SeedFold("ce", trials, (outcome, outcome))
    lines = [table_line(trials[0], outcome, "a", saved=False, width=119), fold_line(fold, 119)]
    for line in lines:
        assert f" {shown} " in "".join(text for text, _ in line)
    table = with_folds(trials_table(trials, outcomes, {"a": "a", "b": "b"}), [fold])
    assert [row[-1].text for row in table.rows] == [written] * 3
