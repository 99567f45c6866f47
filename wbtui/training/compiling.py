"""How are forward and backward of full batches compiled for a processor?

torch.compile fuses what stands between convolutions (BatchNorm, ReLU, sums of shortcuts), where eager kernels pass over
each map several times. It pays where convolutions leave time to save; benchmarks/results/train_speed.txt has by how
much. Compiling takes about a minute and some seconds from the cache, which is kept in the user's cache folder.
"""

import os
from collections.abc import Callable
from typing import cast

import platformdirs
import torch
from torch import Tensor

from wbtui.errors import RunFailedError
from wbtui.models.model import WbModel

Features = Callable[[Tensor], Tensor]


def compiled_features(model: WbModel) -> Features:
    """`model.features` for training on batches of one size; nothing is compiled before its first call.

    A net with its thread count: compiled loops share out their work as torch's threads stand now.
    """
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(platformdirs.user_cache_path("wbtui") / "compiled"))
    options: dict[str, str | int | bool | Callable[..., object]] = {
        "cpp_wrapper": True,  # the calls between kernels in C++ as well
        "cpp.threads": torch.get_num_threads(),
        "compile_threads": 1,  # no workers that would outlive a killed trainer
    }
    compiled = torch.compile(model.features, dynamic=False, fullgraph=True, options=options)
    return cast(Features, compiled)


def compile_now(features: Features, inputs: Tensor) -> None:
    """Call compiled features forward and backward, which compiles them.

    Moves BatchNorm statistics and leaves gradients, as any step does.

    Raises:
        RunFailedError: the compiler is missing or fails.
    """
    import torch._dynamo.exc

    try:
        features(inputs).sum().backward()  # type: ignore[no-untyped-call]  # torch's own
    except torch._dynamo.exc.TorchDynamoException as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = [line for line in lines if "error: " in line] or lines[:1]
        why = told[0] if told else type(error).__name__
        raise RunFailedError(
            f"engine = 'compiled': torch.compile failed: {why}; expected a C++ compiler with OpenMP and Python's "
            "headers, or engine = 'eager'"
        ) from error
