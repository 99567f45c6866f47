"""How is torchvision imported where its C++ operators do not load, as beside a CPU build of torch?

The registry's torchvision is built against CUDA. Beside a CPU build of torch its operator library does not
load, and its import fails at `torchvision::nms`, which it refines without asking whether it is there. With
the schemas of those operators declared, its Python parts (data sets, nets, transforms) import and work; the
operators themselves stay absent.
"""

import importlib
import sys
from types import ModuleType

import torch

from wbtui.errors import UsageError

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

# A schema lives as long as the library object that declared it.
_declared: list[torch.library.Library] = []


def torchvision_module(name: str) -> ModuleType:
    """A module of torchvision, `datasets` or `models`; 2 to 5 s the first time.

    Raises:
        UsageError: torchvision is absent or does not fit the installed torch.
    """
    try:
        return importlib.import_module(f"torchvision.{name}")
    except ImportError as error:
        raise UsageError(
            f"torchvision cannot be imported ({error}); install it: pip install torchvision"
        ) from error
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _declared:
            raise _misfit(error) from error
    _declare_operators()
    try:
        return importlib.import_module(f"torchvision.{name}")
    except (ImportError, RuntimeError, AttributeError) as error:
        raise _misfit(error) from error


def _declare_operators() -> None:
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)
    for module in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
        del sys.modules[module]  # half imported


def _misfit(error: Exception) -> UsageError:
    return UsageError(
        f"torchvision does not fit torch {torch.__version__} ({error}); install the pair that belongs "
        "together: pip install -U torch torchvision"
    )
