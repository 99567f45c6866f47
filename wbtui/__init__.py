"""wbtui: start, watch, re-score and compare experiments on long-tailed recognition."""

__version__ = "0.1.0"
