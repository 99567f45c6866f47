"""docs/filters.md names every key there is, and every filter on it can be read."""

import re
import shlex
from pathlib import Path

from wbtui.report.fields import ALIASES, FIELDS
from wbtui.report.filters import parse_filter

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "filters.md").read_text("utf-8")


def test_every_key_and_alias_is_on_the_page_and_no_other() -> None:
    table = PAGE.split("## Keys")[1].split("## Examples")[0]
    cells = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(row[1] for row in cells))) == set(FIELDS)
    assert set(re.findall(r"`(\w+)`", " ".join(row[2] for row in cells))) == set(ALIASES)


def test_every_example_can_be_read() -> None:
    commands = re.findall(r"^wbtui (?:ls|export) -f .+|^wbtui report .+", PAGE, flags=re.MULTILINE)
    assert len(commands) == 7
    for command in commands:
        words = shlex.split(command)
        parse_filter(words[words.index("-f") + 1] if "-f" in words else words[2])
    for word in re.findall(r"^\| `([^`]+)`", PAGE.split("## Keys")[0], flags=re.MULTILINE):
        parse_filter(word.replace("\\|", "|"))
