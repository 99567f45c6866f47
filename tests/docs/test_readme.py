"""README.md names every preset and variant that is shipped."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def shipped(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob("*.toml")}


def test_every_shipped_preset_has_a_row() -> None:
    table = README.split("| preset | data | net |")[1].split("\n\n")[0]
    names = " ".join(row.split("|")[1] for row in table.splitlines() if "`" in row)
    assert set(re.findall(r"`(\w+)`", names)) == shipped("presets")


def test_every_shipped_variant_is_named() -> None:
    listed = README.split("\nVariants: ")[1].split(".")[0]
    names = " ".join(re.findall(r"`([^`]+)`", listed))
    assert set(names.split()) == shipped("presets/variants")
