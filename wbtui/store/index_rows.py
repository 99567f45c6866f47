"""What stands in the index file, and what of it can be used, whoever wrote it?"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbtui.store import bounded, jsonio
from wbtui.store.errors import StoreReadError
from wbtui.store.summary import RunSummary
from wbtui.store.summary_row import from_row
from wbtui.store.text import plain

INDEX = "index.json"
INDEX_VERSION = 6
"""To be raised where a row gets a field, or a field another meaning, and where `setting_digest` says another thing of
the same config.toml."""
META, ROWS = "meta", "runs"
"""Its tables."""
_MAX_INDEX = 256 << 20

Signature = tuple[int, ...]
Tables = dict[str, dict[str, Any]]
Stamp = tuple[int, ...] | None


@dataclass(frozen=True)
class IndexRow:
    """A run's row, and what its folder looked like when it was made."""

    signature: Signature
    summary: RunSummary


def stamp(path: Path) -> Stamp:
    """Another one when the file was replaced; None where there is none."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def read_tables(path: Path) -> Tables | None:
    """The tables, in TinyDB's format; None where there is no file.

    Needs no lock: the file is only ever replaced as a whole.

    Raises:
        StoreReadError: broken.
    """
    try:
        tables = jsonio.decode(bounded.read_bytes(path.parent, path.name, _MAX_INDEX))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreReadError(f"not JSON: {plain(str(error))}") from error
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise StoreReadError("no tables in it")
    for table in tables.values():
        for key, row in table.items():
            if not (key.isascii() and key.isdigit() and len(key) < 16 and isinstance(row, dict)):
                raise StoreReadError("a row without a number")
    return tables


def read_rows(index: Path, runs: Path) -> dict[str, IndexRow]:
    """Rows by run id. A row that makes no sense is left out, and so read from its folder.

    Raises:
        FileNotFoundError: no index.
        StoreReadError: broken, or of another version.
    """
    tables = read_tables(index) if os.path.lexists(index) else None
    if tables is None:
        raise FileNotFoundError(index)
    version = [row.get("version") for row in tables.get(META, {}).values()]
    if version != [INDEX_VERSION]:
        raise StoreReadError(f"version {plain(str(version))[:40]}, expected {INDEX_VERSION}")
    rows: dict[str, IndexRow] = {}
    for stored in tables.get(ROWS, {}).values():
        signature = stored.get("signature")
        if isinstance(signature, list) and {*map(type, signature)} <= {int}:
            with contextlib.suppress(ValueError):
                summary = from_row(stored.get("summary"), runs)
                rows[summary.id] = IndexRow(tuple(signature), summary)
    return rows
