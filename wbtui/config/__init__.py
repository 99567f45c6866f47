"""What is one run? Every setting of it, typed, with its unit, its default and the combinations that cannot be.

A new option belongs in the smallest section that needs it, followed by its docstring: `wbtui config` prints that
docstring as the comment above the option. Nothing here imports torch.
"""

from wbtui.config.data import DataConfig
from wbtui.config.dotted import flatten, stage_of
from wbtui.config.model import ModelConfig
from wbtui.config.run import CheckpointConfig, DiagnosticsConfig, EvaluationConfig, RunConfig
from wbtui.config.stage import LossConfig, StageConfig

__all__ = [
    "CheckpointConfig",
    "DataConfig",
    "DiagnosticsConfig",
    "EvaluationConfig",
    "LossConfig",
    "ModelConfig",
    "RunConfig",
    "StageConfig",
    "flatten",
    "stage_of",
]
