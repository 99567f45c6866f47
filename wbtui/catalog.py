"""What can be named in a configuration, and what of it must be known without torch?

A net is one file under wbtui/models/nets: its `NETS` literal is read here without importing it (importing would load
torch), so adding that file adds the net, its feature size and its cost.
"""

import ast
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from wbtui.errors import UsageError

SourceName = Literal["digits", "glyphs", "cifar10", "cifar100", "mnist", "fashion_mnist", "npz", "folder"]
LossName = Literal["ce", "cb", "focal", "ldam", "balanced_softmax", "la", "vs"]

_NETS_FOLDER = Path(__file__).parent / "models" / "nets"


@dataclass(frozen=True)
class Source:
    """What is known of a source before it is read; 0 = only the data tell."""

    classes: int
    image_size: int
    channels: int
    any_size: bool = False
    """Whether its images are brought to the side that data.image_size says; others stay as they are."""
    more_classes: int = 0
    """Classes that it has where it takes fewer unless more are asked for."""

    @property
    def most_classes(self) -> int:
        """Classes that can be asked for; 0 = only the data tell."""
        return self.more_classes or self.classes


SOURCES: dict[str, Source] = {
    "digits": Source(classes=10, image_size=8, channels=1),
    "glyphs": Source(classes=20, image_size=16, channels=1, any_size=True, more_classes=36),
    "cifar10": Source(classes=10, image_size=32, channels=3),
    "cifar100": Source(classes=100, image_size=32, channels=3),
    "mnist": Source(classes=10, image_size=28, channels=1),
    "fashion_mnist": Source(classes=10, image_size=28, channels=1),
    "npz": Source(classes=0, image_size=0, channels=0),
    "folder": Source(classes=0, image_size=0, channels=0, any_size=True),
}


@dataclass(frozen=True)
class Net:
    """One net as its file declares it."""

    name: str
    module: str
    """Dotted name of the file that builds it."""

    width: int
    """Base width unless the configuration gives one."""

    depth: int
    """Layers or blocks unless the configuration gives them; 0: fixed by the name."""

    features_per_width: int
    """D = features_per_width * width."""

    mflop: float
    """MFLOP (multiply-adds count two) of one forward pass at `flop_size`, at the net's own width."""

    flop_size: int
    """Side in pixels at which `mflop` was counted; cost goes with its square for convolutional nets."""

    summary: str
    """One line for people."""

    halvings: int = 0
    """How often it halves the side of an image; 0: it takes images of any size."""

    width_step: int = 1
    """Base widths are multiples of it."""

    def require_image_size(self, size: int) -> None:
        """Refuse images of `size` x `size` pixels that the net could not halve as often as it does.

        Raises:
            UsageError: the side is smaller than 2 ** halvings pixels.
        """
        smallest = 2**self.halvings
        if size < smallest:
            raise UsageError(
                f"model.name = {self.name!r} halves images {self.halvings} times and needs {smallest}x{smallest} "
                f"pixels or more; these are {size}x{size}. Choose mlp or residual_mlp, or larger images"
            )

    def feature_size(self, width: int = 0) -> int:
        """D, the length of the feature h, at a base width (0: the net's own)."""
        return self.features_per_width * (width or self.width)

    def forward_mflop(self, size: int, width: int = 0) -> float:
        """About how many MFLOP one image of `size` x `size` pixels costs forward."""
        scale = ((width or self.width) / self.width) ** 2
        return self.mflop * scale * ((size / self.flop_size) ** 2 if self.flop_size else 1.0)


@cache
def nets() -> dict[str, Net]:
    """Every net by name, from the `NETS` literal of each file under wbtui/models/nets."""
    found: dict[str, Net] = {}
    for path in sorted(_NETS_FOLDER.glob("[a-z]*.py")):
        for name, facts in _declared(path).items():
            found[name] = Net(name=name, module=f"wbtui.models.nets.{path.stem}", **facts)
    return found


def _declared(path: Path) -> dict[str, dict[str, Any]]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "NETS":
            declared: dict[str, dict[str, Any]] = ast.literal_eval(node.value)
            return declared
    raise ValueError(f"{path}: expected a literal NETS = {{name: {{...}}}} at the top level")


def net(name: str) -> Net:
    """The net of that name; ValueError names the nearest one."""
    if name not in nets():
        raise ValueError(
            f"no net is called {name!r}{nearest(name, nets())}; expected one of {', '.join(nets())}"
        )
    return nets()[name]


def nearest(name: str, known: Iterable[str]) -> str:
    """A half sentence with the nearest known name, or nothing where none is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
