"""Real runs for these tests."""

from living_runs import runs, start

__all__ = ["runs", "start"]
