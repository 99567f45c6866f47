"""Does the float32 screen of rivals leave the ends of intervals as float64 finds them, and little to float64?"""

import dataclasses

import numpy as np
import pytest
from brute_force import brute_counts, groups_of

from wbtui.adjustment import (
    METHODS,
    ScoredSet,
    screening,
    strength_curve,
    winning,
)
from wbtui.adjustment.family import Family
from wbtui.adjustment.winning import winning_intervals


def test_rivals_closer_than_float32_can_tell_are_settled_in_float64():
    # Both rivals cross the true class within one part in 1e7 of each other; so do their mirror images.
    counts = np.array([1_000_003, 1_000_000, 10])
    log = np.log(counts / counts.sum())
    rows = []
    for shift in np.linspace(0, 4e-6, 60):
        rows.append([2.0 + shift, 2.0, 0.0])
    scored = ScoredSet("validation", np.array(rows, np.float32), np.full(60, 2), counts)
    low = winning_intervals(scored, METHODS["additive"].family(scored, None)).low
    z = scored.logits.astype(np.float64)
    exact = ((z[:, :2] - z[:, 2:]) / (log[:2] - log[2])).max(axis=1)
    # Class 2 has the highest id, so it loses ties and its interval opens one float later.
    assert (low == np.nextafter(exact, np.inf)).all()


@pytest.mark.parametrize("largest_bias", [1 / 3, 3e4 + 1 / 3])
def test_logits_that_nearly_cancel_their_bias_keep_their_precision(largest_bias):
    # u = z - b is near 1 for the true class, so log u is near 0, and two rivals are nearer than float32 can tell;
    # beside a large bias every fourth row is a few units in its last place.
    rng = np.random.default_rng(6)
    n = 4000
    bias = largest_bias * np.array([1.0, -0.27, 1e-5, 0.83])
    norms = np.array([3.0, 2.0, 1.0, 0.5])
    wanted = norms**0.003 * np.exp(rng.normal(0, 3e-7, (n, 4)))
    wanted[::4] = rng.uniform(1e-4, 1e-2, (n // 4, 4))
    scored = ScoredSet(
        "test",
        (wanted + bias).astype(np.float32),
        np.full(n, 2),
        np.array([9, 5, 3, 1]),
        classifier_norms=norms,
        bias=bias,
    )
    family = METHODS["tau_norm_no_bias"].family(scored, None)
    found = winning_intervals(scored, family)
    low, high = winning._whole_rows(scored.logits, scored.labels[:, None], family)
    assert (found.low == low).all()
    assert (found.high == high).all()


@pytest.mark.parametrize(
    "name", ["additive", "multiplicative", "additive_multiplicative", "tau_norm_no_bias"]
)
@pytest.mark.parametrize(
    "counts",
    [
        [1_000_003, 1_000_000, 999_997, 10],
        [10, 1_000_000, 1_000_003, 1_000_001],
        [9_000_000, 1_000_003, 1_000_000, 999_997],
        [1000, 300, 999, 10],
        [1_000_000, 1_000_000, 999_997, 10],
    ],
)
def test_scores_that_are_all_but_equal_at_some_strength_are_settled_in_float64(name, counts):
    rng, n, counts = np.random.default_rng(0), 3000, np.array(counts)
    norms, bias = (counts / counts.max()) ** 0.5, np.array([1 / 3, -0.1, 0.0, 1.0])
    facts = {"train_counts": counts, "classifier_norms": norms, "bias": bias}
    labels = rng.integers(0, 4, n)
    scored = ScoredSet("test", np.zeros((n, 4), np.float32), labels, **facts)
    family = METHODS[name].family(scored, None)
    # Scores of one size, apart by units of float32, at a strength of each image's own: where u of the family is so.
    units = 6e-8 * rng.integers(-4, 5, (n, 4)) * rng.choice([1, 3, 20], (n, 1))
    equal, moved = (
        rng.choice([0.5, 30.0, 300.0], (n, 1)) * (1 + units),
        rng.uniform(0, 2, (n, 1)) * family.slope,
    )
    u = equal + moved if family.kind == "additive" else equal * np.exp(moved)
    logits = ((u - family.base_shift) / family.base_scale).astype(np.float32)
    found = winning_intervals(dataclasses.replace(scored, logits=logits), family)
    low, high = winning._whole_rows(logits, labels[:, None], family)
    ever = low <= high
    assert 0.1 < ever.mean() < 0.9
    assert (found.low[ever] == low[ever]).all()
    assert (found.high[ever] == high[ever]).all()
    assert (found.low[~ever] > found.high[~ever]).all()


@pytest.mark.parametrize("name", ["additive", "multiplicative", "tau_norm_no_bias"])
@pytest.mark.parametrize("step", [None, 0.5])
def test_screened_rows_are_those_of_comparing_every_class_in_float64(make, name, step):
    scored = make(24, 900, 9, centre=0.5, step=step, counts=[90, 90, 40, 40, 40, 11, 5, 5, 5])
    family = METHODS[name].family(scored, None)
    found = winning_intervals(scored, family)
    low, high = winning._whole_rows(scored.logits, scored.labels[:, None], family)
    never = low > high
    assert (found.low[~never] == low[~never]).all()
    assert (found.high[~never] == high[~never]).all()
    assert (found.low[never] > found.high[never]).all()
    assert 0.1 < never.mean() < 0.9


def agrees_with_whole_rows(scored, name):
    family = METHODS[name].family(scored, None)
    found = winning_intervals(scored, family)
    low, high = winning._whole_rows(scored.logits, scored.labels[:, None], family)
    never = low > high
    return (
        (found.low[~never] == low[~never]).all()
        and (found.high[~never] == high[~never]).all()
        and (found.low[never] > found.high[never]).all()
        and 0 < never.mean() < 1
    )


@pytest.mark.parametrize("name", ["additive", "multiplicative", "tau_norm_no_bias"])
@pytest.mark.parametrize("table", [0, 1 << 22])
@pytest.mark.parametrize("chunk", [1, 150, 1 << 18])
def test_neither_the_size_of_a_chunk_nor_that_of_the_table_changes_an_end(
    make, monkeypatch, name, table, chunk
):
    monkeypatch.setattr(screening, "_TABLE_VALUES", table)
    monkeypatch.setattr(screening, "_CHUNK_VALUES", chunk)
    monkeypatch.setattr(winning, "CHUNK_VALUES", chunk)
    for counts in (None, [40, 900, 3, 3, 250, 11, 40, 8, 1]):
        for centre in (0.5, -6.0):
            scored = make(26, 157, 9, centre=centre, counts=counts)
            assert agrees_with_whole_rows(scored, name)
            curve, strengths = (
                strength_curve(scored, groups_of(scored), METHODS[name]),
                np.linspace(0.1, 2.9, 9),
            )
            assert (curve.correct_by_class(strengths) == brute_counts(name, scored, strengths)).all()


@pytest.mark.parametrize("name", ["additive", "multiplicative", "tau_norm_no_bias"])
@pytest.mark.parametrize("counts", [None, [90, 90, 40, 40, 40, 11, 5, 5, 5]])
@pytest.mark.parametrize("chunk", [50, 1 << 18])
def test_float64_is_left_one_rival_an_end_and_images_without_a_positive_score(
    make, monkeypatch, name, counts, chunk
):
    monkeypatch.setattr(screening, "_CHUNK_VALUES", chunk)
    scored = make(28, 2000, 9, centre=-1.0, counts=counts)
    family = METHODS[name].family(scored, None)
    u = scored.logits - (scored.bias if name == "tau_norm_no_bias" else 0.0)
    matters = (u > 0) | (name == "additive")
    own = np.arange(2000), scored.labels
    gap = family.slope - family.slope[scored.labels, None]
    ends = sum((side & matters)[matters[own]].any(axis=1).sum() for side in (gap > 0, gap < 0))

    batches = [found.images for found in screening.Screen(scored.logits, scored.labels, family).candidates()]
    assert ends <= sum(map(len, batches)) <= ends + 2
    assert (len(batches) > 1) == (chunk == 50)

    whole = []
    real = winning._whole_rows
    monkeypatch.setattr(winning, "_whole_rows", lambda *rows: whole.append(len(rows[0])) or real(*rows))
    winning_intervals(scored, family)
    alone = np.count_nonzero(~matters.any(axis=1))
    assert sum(whole) == alone
    assert (alone > 20) == (name != "additive")


def test_a_family_that_scales_and_shifts_is_refused_by_the_screen(make):
    scored, ramp = make(29, 10, 3), np.arange(3.0)
    family = Family("additive", ramp, base_scale=1 + ramp, base_shift=ramp, offset=np.zeros(3))
    with pytest.raises(ValueError, match="scales and shifts"):
        winning_intervals(scored, family)


@pytest.mark.parametrize("name", ["additive", "multiplicative", "tau_norm_no_bias"])
def test_logits_laid_out_otherwise_give_the_same_ends(make, name):
    scored = make(27, 300, 7, centre=1.0)
    wide = np.zeros((300, 20), dtype=np.float32)
    wide[:, 3:17:2] = scored.logits
    for logits in (np.asfortranarray(scored.logits), wide[:, 3:17:2]):
        assert agrees_with_whole_rows(dataclasses.replace(scored, logits=logits), name)


def test_an_image_whose_rivals_all_tie_is_exact_however_many_candidates_that_makes(make):
    counts = np.array([1000, 300, 100, 30, 10, 3])
    log = np.log(counts / counts.sum())
    logits = np.tile((2.0 * (log - log[2])).astype(np.float32), (50, 1))
    logits[:, 2] += np.linspace(-1e-6, 1e-6, 50, dtype=np.float32)
    scored = ScoredSet("validation", logits, np.full(50, 2), counts)
    assert agrees_with_whole_rows(scored, "additive")


@pytest.mark.parametrize("counts", [[9, 1], [1, 9], [5, 5]])
def test_a_negative_score_beside_a_zero_wins_at_no_strength(counts):
    scored = ScoredSet("validation", np.array([[-1.0, 0.0]], np.float32), np.array([0]), np.array(counts))
    found = winning_intervals(scored, METHODS["multiplicative"].family(scored, None))
    assert found.low[0] > found.high[0]


def test_an_end_at_zero_is_not_taken_for_a_tie_with_a_class_of_the_same_slope():
    # Class 0 is behind at every strength, by less than float32 is trusted with; class 2 ties at 0 and loses by its id.
    row = np.array([[1.0, 1.0, 1.0]], np.float32)
    row[0, 0] -= np.float32(6e-8)
    scored = ScoredSet("validation", row, np.array([1]), np.array([5, 5, 90]))
    assert winning_intervals(scored, METHODS["additive"].family(scored, None)).low[0] == 0.0


@pytest.mark.parametrize("name", ["additive", "multiplicative"])
def test_images_shared_out_to_threads_have_the_intervals_of_one(make, name, monkeypatch):
    scored = make(n_images=301)
    family = METHODS[name].family(scored, None)
    alone = winning_intervals(scored, family)
    monkeypatch.setattr(winning, "_THREAD_VALUES", scored.logits.size // 3)
    monkeypatch.setattr(winning, "usable_cores", lambda: 3)
    used = []
    real = winning._intervals
    monkeypatch.setattr(winning, "_intervals", lambda *part: used.append(len(part[1])) or real(*part))
    shared = winning_intervals(scored, family)
    assert sorted(used) == [100, 100, 101]
    assert (shared.low == alone.low).all()
    assert (shared.high == alone.high).all()
