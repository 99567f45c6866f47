"""Does every method score as its formula says, image by image?"""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.adjustment import METHODS, AdditiveMultiplicative, ScoredSet, given_prior, label_of, method_named
from wbtui.adjustment.methods import one_vs_one
from wbtui.errors import UsageError

torch.set_num_threads(1)


def adjusted_by_loop(name, z, strength, counts, norms, bias):
    """The adjusted logits of one image in Python floats."""
    total = sum(counts)
    out = []
    for k, value in enumerate(z):
        p = counts[k] / total
        match name:
            case "none":
                out.append(value)
            case "additive":
                out.append(value - strength * math.log(p))
            case "multiplicative":
                out.append(value * p**-strength)
            case "additive_multiplicative":
                out.append(value * p**-0.5 - strength * math.log(p))
            case "tau_norm":
                out.append((value - bias[k]) / norms[k] ** strength + bias[k])
            case "tau_norm_no_bias":
                out.append((value - bias[k]) / norms[k] ** strength)
            case _:
                pytest.fail(f"no formula for {name!r}: write it here, apart from the method's own code")
    return out


def matches_by_loop(z, strength, counts, feature_norms):
    """Number of 1-vs-1 matches each class wins, straight from the formula."""
    n = len(z)
    rho = math.acos(-1 / (n - 1))
    a = [counts[k] ** strength * feature_norms[k] for k in range(n)]

    def theta(c, d):
        return rho * a[d] / (a[c] + a[d])

    def kappa(c, d):
        return math.sin(theta(c, d)) + math.cos(rho) * math.sin(theta(d, c))

    return [sum(z[c] * kappa(c, d) > z[d] * kappa(d, c) for d in range(n) if d != c) for c in range(n)]


AFFINE = [name for name in METHODS if name != "one_vs_one"]


@pytest.mark.parametrize("name", AFFINE)
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0, 1.9])
@pytest.mark.parametrize("centre", [3.0, -1.0])
def test_labels_and_confidence_agree_with_a_loop_over_images(make, name, strength, centre):
    scored = make(1, 150, 7, centre=centre)
    predictions = METHODS[name].predict(scored, None, strength)
    confidence = METHODS[name].confidence(scored, None, strength)
    for i, z in enumerate(scored.logits.tolist()):
        facts = scored.train_counts.tolist(), scored.classifier_norms.tolist(), scored.bias.tolist()
        adjusted = adjusted_by_loop(name, z, strength, *facts)
        assert predictions[i] == int(np.argmax(adjusted))
        top = max(adjusted)
        assert confidence[i] == pytest.approx(1 / sum(math.exp(v - top) for v in adjusted), rel=2e-4)


@pytest.mark.parametrize("strength", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("centre", [4.0, 0.0, -3.0])
@pytest.mark.parametrize("chunk", [6 * 9, 1 << 20])
def test_one_vs_one_agrees_with_playing_every_match(make, monkeypatch, strength, centre, chunk):
    monkeypatch.setattr(one_vs_one, "_CHUNK_VALUES", chunk)
    scored = make(2, 200, 6, centre=centre)
    predictions = METHODS["one_vs_one"].predict(scored, None, strength)
    for i, z in enumerate(scored.logits.tolist()):
        matches = matches_by_loop(
            z, strength, scored.train_counts.tolist(), scored.class_mean_feature_norms.tolist()
        )
        assert predictions[i] == int(np.argmax(matches))


def test_one_vs_one_cycles_and_ties_go_to_the_lowest_class():
    logits = np.zeros((1, 4), dtype=np.float32)
    scored = ScoredSet("test", logits, np.array([0]), np.full(4, 5), class_mean_feature_norms=np.ones(4))
    assert METHODS["one_vs_one"].predict(scored, None, 1.0).tolist() == [0]


def test_hand_made_logits_with_known_answers():
    # p = 0.9, 0.1: additive needs τ (log 0.9 - log 0.1) > 1, that is τ > 0.4551; multiplicative needs 9^γ > 3/2.
    logits = np.array([[3.0, 2.0]], dtype=np.float32)
    scored = ScoredSet("test", logits, np.array([1]), np.array([90, 10]))
    assert [METHODS["additive"].predict(scored, None, t)[0] for t in (0.45, 0.46)] == [0, 1]
    assert [METHODS["multiplicative"].predict(scored, None, t)[0] for t in (0.18, 0.19)] == [0, 1]


def test_multiplying_negative_logits_hurts_the_rare_class():
    logits = np.array([[-2.0, -1.9]], dtype=np.float32)
    scored = ScoredSet("test", logits, np.array([1]), np.array([90, 10]))
    assert METHODS["multiplicative"].predict(scored, None, 0.0)[0] == 1
    assert METHODS["multiplicative"].predict(scored, None, 1.0)[0] == 0


@pytest.mark.parametrize(
    ("name", "strength"), [("additive", 1.0), ("multiplicative", 0.65), ("tau_norm", 1.9)]
)
def test_labels_are_those_of_softmax_and_argmax_in_torch(make, name, strength):
    scored = make(3, 4000, 50)
    method = METHODS[name]
    affine = method.family(scored, None).affine(strength)
    adjusted = torch.from_numpy(scored.logits)
    if affine.scale is not None:
        adjusted = adjusted * torch.from_numpy(affine.scale)
    if affine.shift is not None:
        adjusted = adjusted + torch.from_numpy(affine.shift)
    plain = torch.softmax(adjusted, dim=1).argmax(dim=1).numpy()
    differs = plain != method.predict(scored, None, strength)
    # Softmax rounds too: only images whose two best logits are within its rounding may go another way.
    two = adjusted.topk(2, dim=1).values.numpy()
    tied = two[:, 0] - two[:, 1] <= 1e-6 * np.maximum(1.0, np.abs(two[:, 0]))
    assert not (differs & ~tied).any()
    assert tied.sum() < 20


@pytest.mark.parametrize("name", list(METHODS))
def test_an_exact_tie_goes_to_the_lowest_class(name):
    logits = np.full((1, 3), 2.0, dtype=np.float32)
    scored = ScoredSet(
        "test",
        logits,
        np.array([2]),
        np.full(3, 10),
        classifier_norms=np.ones(3),
        class_mean_feature_norms=np.ones(3),
    )
    assert METHODS[name].predict(scored, None, 1.0).tolist() == [0]


@pytest.mark.parametrize("name", AFFINE)
def test_a_single_class_is_always_right(make, name):
    scored = make(4, 5, 1)
    assert METHODS[name].predict(scored, None, 1.0).tolist() == [0] * 5


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 9), st.integers(1, 7), st.sampled_from(AFFINE))
def test_any_shape_gives_one_label_an_image(n_images, n_classes, name):
    logits = np.random.default_rng(0).normal(size=(n_images, n_classes)).astype(np.float32)
    scored = ScoredSet(
        "test",
        logits,
        np.zeros(n_images, dtype=np.int64),
        np.arange(1, n_classes + 1),
        classifier_norms=np.ones(n_classes),
    )
    predictions = METHODS[name].predict(scored, None, 0.5)
    assert predictions.shape == (n_images,)
    assert ((predictions >= 0) & (predictions < n_classes)).all()


def test_a_given_prior_takes_the_place_of_the_training_counts(make):
    scored = make(5, 300, 6)
    flat = METHODS["additive"].predict(scored, given_prior(np.ones(6), 6), 2.0)
    assert (flat == scored.logits.argmax(axis=1)).all()
    assert (flat != METHODS["additive"].predict(scored, None, 2.0)).any()


def test_both_strengths_join_into_one_method(make):
    scored = make(6, 300, 6)
    both = AdditiveMultiplicative(gamma=0.0)
    assert (both.predict(scored, None, 1.2) == METHODS["additive"].predict(scored, None, 1.2)).all()
    only = AdditiveMultiplicative(gamma=0.6)
    assert (only.predict(scored, None, 0.0) == METHODS["multiplicative"].predict(scored, None, 0.6)).all()


def test_memory_mapped_logits_are_read_in_chunks(make, tmp_path):
    scored = make(7, 3000, 40)
    np.save(tmp_path / "z.npy", scored.logits)
    mapped = np.load(tmp_path / "z.npy", mmap_mode="r")
    again = ScoredSet("test", mapped, scored.labels, scored.train_counts)
    for name in ("none", "additive", "multiplicative"):
        assert (METHODS[name].predict(again, None, 1.0) == METHODS[name].predict(scored, None, 1.0)).all()


def test_every_method_says_what_it_is():
    assert next(iter(METHODS)) == "none"
    for name, method in METHODS.items():
        assert method.name == name
        assert method.title
        assert method.strength_source
        assert type(method).__doc__
        assert 0.0 <= method.offered_strength(100) <= method.highest_strength


@pytest.mark.parametrize(
    ("name", "n_classes", "strength"),
    [
        ("multiplicative", 10, 1.6),
        ("multiplicative", 100, 0.65),
        ("multiplicative", 20, 1.6),
        ("multiplicative", 40, 0.65),
        ("additive", 7, 1.0),
        ("tau_norm", 100, 1.9),
        ("tau_norm_no_bias", 100, 1.0),
        ("one_vs_one", 10, 1.0),
        ("one_vs_one", 100, 0.7),
        ("additive_multiplicative", 100, 0.5),
        ("none", 100, 0.0),
    ],
)
def test_the_offered_strength_is_published_for_the_nearest_number_of_classes(name, n_classes, strength):
    assert METHODS[name].offered_strength(n_classes) == strength


def test_a_method_is_found_by_its_name_and_by_its_label():
    assert method_named("τ-norm no bias").name == method_named("tau_norm_no_bias").name == "tau_norm_no_bias"
    assert [label_of(name) for name in ("tau_norm", "one_vs_one", "additive", "of others")] == [
        "τ-norm",
        "1-vs-1",
        "additive",
        "of others",
    ]


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="'' is not known"):
        method_named("")
    with pytest.raises(
        UsageError,
        match=r"'addtive' is not known .did you mean 'additive'.., expected one of: none, additive",
    ):
        method_named("addtive")


@pytest.mark.parametrize(
    ("name", "message"),
    [("tau_norm", "stores no classifier norms"), ("one_vs_one", "no norms of class-mean")],
)
def test_missing_facts_by_class_are_refused(name, message):
    scored = ScoredSet("test", np.zeros((2, 3), np.float32), np.zeros(2, int), np.ones(3, int))
    with pytest.raises(UsageError, match=message):
        METHODS[name].predict(scored, None, 1.0)


def test_zero_norms_and_two_classes_are_refused():
    logits = np.zeros((2, 3), np.float32)
    zeros = ScoredSet(
        "test",
        logits,
        np.zeros(2, int),
        np.ones(3, int),
        classifier_norms=np.array([1.0, 0.0, 1.0]),
        class_mean_feature_norms=np.array([1.0, 1.0, 0.0]),
    )
    with pytest.raises(UsageError, match="norm of class 1 is 0"):
        METHODS["tau_norm_no_bias"].predict(zeros, None, 1.0)
    with pytest.raises(UsageError, match="feature of class 2 is 0"):
        METHODS["one_vs_one"].predict(zeros, None, 1.0)
    two = ScoredSet("test", np.zeros((2, 2), np.float32), np.zeros(2, int), np.ones(2, int))
    with pytest.raises(UsageError, match="at least 3"):
        METHODS["one_vs_one"].predict(two, None, 1.0)


@pytest.mark.parametrize(
    ("name", "strength"), [("multiplicative", 60.0), ("multiplicative", 1e4), ("additive", 1e38)]
)
def test_a_strength_beyond_float32_is_refused(make, name, strength):
    with pytest.raises(UsageError, match="range of float32"):
        METHODS[name].predict(make(), None, strength)


@pytest.mark.parametrize("name", ["tau_norm", "tau_norm_no_bias"])
def test_a_head_without_a_bias_has_one_of_0(make, name):
    scored = make(3, 100, 5, centre=0.0)
    without, level = (dataclasses.replace(scored, bias=bias) for bias in (None, np.zeros(5)))
    found, expected = (METHODS[name].confidence(one, None, 1.0) for one in (without, level))
    assert found == pytest.approx(expected)


def test_a_class_that_a_method_leaves_alone_keeps_the_others_adjusted():
    # Of class 0 neither the factor (norm 1) nor the summand (bias 0) changes anything.
    scored = ScoredSet(
        "test",
        np.array([[2.0, 3.0, 1.0]], np.float32),
        np.array([0]),
        np.array([5, 3, 1]),
        classifier_norms=np.array([1.0, 2.0, 0.5]),
        bias=np.array([0.0, 1.0, -1.0]),
    )
    for name, expected in (("tau_norm", [2.0, 2.0, 3.0]), ("tau_norm_no_bias", [2.0, 1.0, 4.0])):
        top = 1 / np.exp(np.array(expected) - max(expected)).sum()
        assert METHODS[name].confidence(scored, None, 1.0) == pytest.approx([top], rel=1e-6)
