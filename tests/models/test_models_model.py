"""Does a built model keep its promises: seeds, fp32 features, memory format, no dependence on values?"""

import pytest
import torch

from wbtui.config import ModelConfig
from wbtui.errors import UsageError
from wbtui.models import CosineHead, EtfHead, LinearHead, build_model, num_parameters


def built(name="resnet8", seed=0, classes=10, channels=3, size=16, **model):
    torch.manual_seed(seed)
    return build_model(ModelConfig(name=name, **model), classes, channels, size)


@pytest.mark.parametrize("name", ["resnet8", "resnet34", "mlp", "residual_mlp"])
@pytest.mark.parametrize("head", ["linear", "cosine", "etf"])
def test_a_seed_fixes_every_weight(name, head):
    first, again, other = (built(name, seed, width=4, head=head, classes=4) for seed in (7, 7, 8))
    for key, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
    assert not torch.equal(first.head.weight, other.head.weight)
    assert not torch.equal(next(first.backbone.parameters()), next(other.backbone.parameters()))


def test_convolutions_start_kaiming_normal_with_fan_out():
    weight = built("resnet34").backbone.layer4[2].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)
    assert abs(weight.mean().item()) < 1e-4


@pytest.mark.parametrize("name", ["resnet8", "resnet34", "mlp", "residual_mlp"])
@pytest.mark.parametrize("head", ["linear", "cosine", "etf"])
def test_features_and_logits_stay_fp32_under_autocast(name, head):
    model = built(name, size=8, width=16, head=head).eval()
    images = torch.randn(4, 3, 8, 8)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logits, features = model(images)
    assert features.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(logits, model.head(features))  # the head itself never ran in bf16
    with torch.no_grad():
        torch.testing.assert_close(features, model.features(images), rtol=0.1, atol=0.1)


def test_pooling_under_autocast_is_not_rounded_to_bf16():
    model = built("resnet8").eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = model.features(torch.randn(4, 3, 16, 16))
    assert (features.bfloat16().float() != features).any()


def test_channels_last_stays_channels_last_through_the_net():
    model = built("resnet20").to(memory_format=torch.channels_last).eval()
    formats = []
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(
                lambda _, given, made: formats.append(made.is_contiguous(memory_format=torch.channels_last))
            )
    images = torch.randn(2, 3, 16, 16).to(memory_format=torch.channels_last)
    with torch.no_grad():
        model(images)
    assert len(formats) == 19
    assert all(formats)


@pytest.mark.parametrize("name", ["resnet8", "resnet34", "mlp", "residual_mlp"])
@pytest.mark.parametrize("head", ["linear", "cosine", "etf"])
def test_forward_never_reads_a_value_back(name, head):
    # On the meta device tensors have no values: waiting for the device or branching on a value fails there.
    model = built(name, width=4, classes=4, head=head).to("meta")
    logits = model.head(model.backbone(torch.empty(4, 3, 16, 16, device="meta")))
    assert logits.shape == (4, 4)


def test_config_chooses_the_head():
    assert isinstance(built(head="linear").head, LinearHead)
    assert isinstance(built(head="etf").head, EtfHead)
    cosine = built(head="cosine", cosine_scale=16.0).head
    assert isinstance(cosine, CosineHead)
    assert cosine.scale == 16.0
    assert built(bias=False).head.bias is None


def test_a_fixed_etf_has_only_its_bias_to_train():
    linear, etf = built(head="linear"), built(head="etf")
    assert num_parameters(linear) - num_parameters(etf) == 64 * 10
    assert [name for name, _ in etf.head.named_parameters()] == ["bias"]


def test_more_classes_than_dimensions_refuse_an_etf():
    with pytest.raises(UsageError, match=r"resnet8 has 64 dimensions, the data 65 classes"):
        built(head="etf", classes=65)
    built(head="etf", classes=64)
