"""Do the nets have the shapes, costs and functions that they declare?"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from wbtui import catalog
from wbtui.config import ModelConfig
from wbtui.errors import UsageError
from wbtui.models import WbModel, batchnorm_layers, build_model, num_parameters

NAMES = sorted(catalog.nets())
AT_224 = ("resnet50", "resnext50")


def built(name: str, seed: int = 0, classes: int = 10, channels: int = 3, size: int = 16, **model) -> WbModel:
    torch.manual_seed(seed)
    return build_model(ModelConfig(name=name, **model), classes, channels, size)


@pytest.mark.parametrize("name", NAMES)
def test_forward_cost_is_the_declared_one(name):
    net = catalog.net(name)
    size, channels = (net.flop_size, 3) if net.flop_size else (28, 1)
    model = built(name, channels=channels, size=size).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.backbone(torch.zeros(1, channels, size, size))
    assert counter.get_total_flops() / 1e6 == pytest.approx(net.mflop, rel=0.02)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("channels", "size", "width"), [(1, 8, 0), (3, 11, 6)])
def test_features_are_as_long_as_the_catalog_says(name, channels, size, width):
    if name in AT_224:
        size, width = 4 * size, 16
    model = built(name, channels=channels, size=size, width=width)
    logits, features = model(torch.randn(4, channels, size, size))
    assert features.shape == (4, catalog.net(name).feature_size(width))
    assert logits.shape == (4, 10)
    assert (features >= 0).all()


@pytest.mark.parametrize(
    ("name", "parameters"),
    # The published counts with a classifier of 10 classes on 3 channels: 0.27 M and 0.46 M (He et al. 2016);
    # torchvision's own of the nets for 224 pixels, without their classifiers.
    [
        ("resnet20", 269_722),
        ("resnet32", 464_154),
        ("resnet34", 21_276_992 + 5_130),
        ("resnet50", 23_508_032 + 20_490),
        ("resnext50", 22_979_904 + 20_490),
    ],
)
def test_parameter_counts_are_the_published_ones(name, parameters):
    assert num_parameters(built(name, size=32)) == parameters


def test_a_width_that_the_groups_do_not_divide_is_refused():
    with pytest.raises(ValidationError, match=r"width = 24: expected a multiple of 16 for resnext50"):
        ModelConfig(name="resnext50", width=24)
    assert ModelConfig(name="resnext50", width=48).feature_size == 32 * 48
    built("resnext50", size=32, width=48)
    built("resnet50", size=32, width=24)


def test_resnet34_has_the_papers_batchnorm_layers():
    layers = batchnorm_layers(built("resnet34"))
    assert len(layers) == 36
    assert sum(layer.weight.numel() for _, layer in layers) == 8_512
    assert layers[0][0] == "backbone.bn1"


TORCHVISION_COMPARISON = """
import sys, torch
try:
    from torchvision import models
except RuntimeError:  # a torchvision built against CUDA beside a CPU build of torch: declare what it asks for
    operators = torch.library.Library("torchvision", "DEF")
    operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    from torchvision import models
from wbtui.config import ModelConfig
from wbtui.models import build_model
torch.set_num_threads(1)
torch.manual_seed(3)
for name, size in (("resnet34", 32), ("resnet50", 64), ("resnext50", 64)):
    ours = build_model(ModelConfig(name=name), 10, 3, size).backbone
    theirs = {"resnet34": models.resnet34, "resnet50": models.resnet50, "resnext50": models.resnext50_32x4d}[name]()
    theirs.fc = torch.nn.Identity()
    if name == "resnet34":
        theirs.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
        theirs.maxpool = torch.nn.Identity()
    shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert {key: tuple(value.shape) for key, value in ours.state_dict().items()} == shapes, f"{name}: layers differ"
    for key, value in theirs.state_dict().items():
        spread, own = value.float().std().item(), ours.state_dict()[key].float().std().item()
        same = key == "conv1.weight" or value.numel() < 9 or abs(spread - own) <= 0.1 * spread
        assert same, f"{name}: {key} is initialised differently"
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(4, 3, size, size)
    for mode in (True, False):
        pair = ours.train(mode)(images), theirs.train(mode)(images)
        torch.testing.assert_close(*pair, msg=lambda said: f"{name}: {said}")
"""


def test_nets_of_torchvision_compute_what_torchvision_computes():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TORCHVISION_COMPARISON],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_option_a_shortcut_subsamples_and_adds_zero_channels():
    block = built("resnet8", channels=1, width=4).backbone.layer2[0]
    nn.init.zeros_(block.bn2.weight)  # leaves the shortcut alone
    maps = torch.rand(2, 4, 7, 7)
    out = block(maps)
    assert out.shape == (2, 8, 4, 4)
    torch.testing.assert_close(out[:, 2:6], maps[:, :, ::2, ::2])
    assert not out[:, :2].any()
    assert not out[:, 6:].any()


@pytest.mark.parametrize(("name", "size"), [("resnet8", 3), ("resnet34", 7), ("resnext50", 31)])
def test_too_small_images_are_refused_with_both_sizes(name, size):
    with pytest.raises(UsageError, match=rf"needs {size + 1}x{size + 1} pixels.*these are {size}x{size}"):
        built(name, size=size)
    built(name, size=size + 1)


@pytest.mark.parametrize(("name", "layers"), [("mlp", 5), ("residual_mlp", 11)])
def test_depth_of_the_perceptrons_is_configurable(name, layers):
    assert len(batchnorm_layers(built(name, width=8, depth=5))) == layers


def test_depth_of_a_resnet_is_refused():
    with pytest.raises(ValueError, match=r"depth = 3: resnet20 has its depth in its name; expected 0"):
        built("resnet20", depth=3)


def test_residual_blocks_skip():
    model = built("residual_mlp", channels=1, size=4, width=8, depth=1)
    nn.init.zeros_(model.backbone[2].bn2.weight)
    images = torch.randn(5, 1, 4, 4)
    torch.testing.assert_close(model.backbone(images), model.backbone[:2](images))


def test_one_file_adds_a_net(tmp_path: Path, monkeypatch):
    (tmp_path / "flat_net.py").write_text(
        "from torch import nn\n"
        'NETS = {"flat": {"width": 5, "depth": 0, "features_per_width": 2, "mflop": 0.1, "flop_size": 0, '
        '"summary": "a test"}}\n'
        "def build(name, channels, image_size, width, depth):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(channels * image_size**2, 2 * width))\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(catalog, "_NETS_FOLDER", tmp_path)
    monkeypatch.setattr("wbtui.models.nets.__path__", [str(tmp_path)])
    catalog.nets.cache_clear()
    try:
        logits, features = built("flat", channels=1, size=4, classes=3)(torch.randn(2, 1, 4, 4))
    finally:
        catalog.nets.cache_clear()
        sys.modules.pop("wbtui.models.nets.flat_net", None)
    assert features.shape == (2, 10)
    assert logits.shape == (2, 3)
