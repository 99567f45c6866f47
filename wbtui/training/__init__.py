"""The trainer: stages, losses, the loop, checkpoints."""
