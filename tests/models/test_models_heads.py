"""Do the classifiers compute what their formulas say?"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from wbtui.models import CosineHead, EtfHead, LinearHead
from wbtui.models.etf import etf_weight, random_rotation, rotation_to_class_means


def linear(bias=True, seed=0):
    torch.manual_seed(seed)
    return LinearHead(6, 4, bias=bias)


@given(classes=st.integers(2, 40), extra=st.integers(0, 30), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_etf_rows_have_norm_one_and_equal_pairwise_cosines(classes, extra, seed):
    torch.manual_seed(seed)
    weight = EtfHead(classes + extra, classes).weight.double().numpy()
    expected = np.full((classes, classes), -1 / (classes - 1))
    np.fill_diagonal(expected, 1.0)
    np.testing.assert_allclose(weight @ weight.T, expected, atol=1e-6)


def test_etf_is_a_buffer_that_its_state_keeps():
    torch.manual_seed(0)
    head = EtfHead(8, 5)
    assert [name for name, _ in head.named_parameters()] == ["bias"]
    assert list(EtfHead(8, 5, bias=False).parameters()) == []
    other = EtfHead(8, 5)
    other.load_state_dict(head.state_dict())
    assert torch.equal(other.weight, head.weight)
    features = torch.randn(3, 8)
    torch.testing.assert_close(head(features), features @ head.weight.T)  # the bias starts at 0


def test_random_rotations_have_no_preferred_direction():
    torch.manual_seed(0)
    entries = torch.stack([random_rotation(5, 3)[0, 0] for _ in range(2000)])
    assert abs(entries.mean().item()) < 5 * 0.45 / 2000**0.5  # without the signs of R the mean is about -0.37


@pytest.mark.parametrize("classes", [1, 9])
def test_an_etf_that_cannot_be_is_refused(classes):
    with pytest.raises(ValueError, match=f"C = {classes} classes in D = 8"):
        random_rotation(8, classes)


def test_alignment_recovers_a_turned_etf():
    torch.manual_seed(1)
    truth = etf_weight(random_rotation(12, 7))
    head = EtfHead(12, 7)
    head.align(3.0 * truth)
    torch.testing.assert_close(head.weight.double(), truth, atol=1e-6, rtol=0)


def test_alignment_beats_every_other_rotation_tried():
    rng = np.random.default_rng(2)
    means = torch.from_numpy(rng.random((4, 6)) + 1.0)  # a cone: all means point much the same way
    directions = torch.nn.functional.normalize(means, dim=1)
    aligned = (etf_weight(rotation_to_class_means(means)) * directions).sum().item()
    others = [torch.from_numpy(ortho_group.rvs(6, random_state=i)[:, :4]) for i in range(200)]
    assert aligned > max((etf_weight(rotation) * directions).sum().item() for rotation in others)


def test_no_small_turn_improves_an_alignment():
    """At the maximum of tr(UᵀT) the matrix UᵀT is symmetric and has no negative eigenvalue, T = Mᵀ(I - 11ᵀ/C)."""
    means = torch.from_numpy(np.random.default_rng(2).normal(size=(4, 6)))
    directions = torch.nn.functional.normalize(means, dim=1)
    turned = rotation_to_class_means(means).T @ (directions - directions.mean(dim=0)).T
    torch.testing.assert_close(turned, turned.T)
    assert torch.linalg.eigvalsh(turned).min() > -1e-12


@pytest.mark.parametrize("missing", [float("nan"), 0.0])
def test_alignment_does_without_the_mean_of_an_empty_class(missing):
    torch.manual_seed(3)
    means = torch.rand(5, 9)
    means[2] = missing
    head = EtfHead(9, 5)
    head.align(means)
    torch.testing.assert_close(head.norms(), torch.ones(5))
    assert ((head.weight @ means.nan_to_num().T).diagonal()[[0, 1, 3, 4]] > 0).all()
    # No say at all: the maximum of tr(UᵀT) is the sum of singular values of T without that class's direction.
    directions = torch.nn.functional.normalize(means.nan_to_num(nan=0.0).double(), dim=1)
    target = (directions - directions.mean(dim=0)).T
    reached = (rotation_to_class_means(means) * target).sum()
    torch.testing.assert_close(reached, torch.linalg.svdvals(target).sum())


@pytest.mark.parametrize("bias", [True, False])
def test_linear_head_is_wh_plus_b(bias):
    head, features = linear(bias), torch.randn(3, 6)
    expected = features.numpy() @ head.weight.detach().numpy().T
    expected = expected + (head.bias.detach().numpy() if bias else 0.0)
    np.testing.assert_allclose(head(features).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(head.norms(), np.linalg.norm(head.weight.detach().numpy(), axis=1), rtol=1e-6)
    assert (head.bias_or_none is not None) is bias
    assert not bias or not head.bias_or_none.requires_grad


def test_fresh_draws_anew_and_the_seed_says_what():
    head = linear()
    before = head.weight.detach().clone()
    head.add_class_scale().data.mul_(3)
    torch.manual_seed(5)
    head.fresh()
    drawn = head.weight.detach().clone()
    assert not torch.equal(before, drawn)
    assert drawn.abs().max() <= 6**-0.5
    assert torch.equal(head.class_scale, torch.ones(4))
    torch.manual_seed(5)
    plain = torch.nn.Linear(6, 4)  # fresh is torch's own start, of the bias too
    head.bias.data.fill_(9.0)
    torch.manual_seed(5)
    head.fresh()
    assert torch.equal(head.weight, drawn)
    assert torch.equal(head.weight, plain.weight)
    assert torch.equal(head.bias, plain.bias)


def test_class_scale_multiplies_whole_logits_and_trains():
    head, features = linear(), torch.randn(3, 6)
    before = head(features).detach()
    scale = head.add_class_scale()
    torch.testing.assert_close(head(features), before)  # it starts at 1
    scale.data = torch.tensor([1.0, -2.0, 3.0, 0.5])
    torch.testing.assert_close(head(features), before * scale.data)
    head(features).sum().backward()
    torch.testing.assert_close(scale.grad, before.sum(dim=0))
    assert head.add_class_scale() is scale
    # What readers are told describes the classifier as it acts: z = W'h + b' with these norms and this bias.
    torch.testing.assert_close(head.bias_or_none, head.bias.detach() * scale.data)
    torch.testing.assert_close(head.norms(), head.weight.detach().norm(dim=1) * scale.data.abs())
    assert not head.bias_or_none.requires_grad
    assert not head.norms().requires_grad
    assert "class_scale" in head.state_dict()
    without = linear(bias=False)
    without.add_class_scale()
    assert without.bias_or_none is None


def test_cosine_head_ignores_lengths():
    torch.manual_seed(0)
    head, features = CosineHead(6, 4, scale=30.0), torch.randn(3, 6)
    cosine = head.cosine(features).detach().numpy()
    w, h = head.weight.detach().numpy(), features.numpy()
    expected = (h @ w.T) / np.linalg.norm(h, axis=1)[:, None] / np.linalg.norm(w, axis=1)
    np.testing.assert_allclose(cosine, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(head(features).detach().numpy(), 30 * expected, rtol=1e-5, atol=1e-5)
    head.weight.data.mul_(7.0)
    torch.testing.assert_close(head.cosine(5 * features).detach().numpy(), cosine)
    torch.testing.assert_close(head.norms(), torch.full((4,), 7.0))
    assert head.bias_or_none is None
    assert not head.cosine(torch.zeros(1, 6)).isnan().any()  # a dead feature is a right angle to everything
