"""Presets and configurations as somebody would write them."""

from pathlib import Path


def write(path: Path, text: str) -> Path:
    """A file of this text, in a folder that may have to be made; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path
