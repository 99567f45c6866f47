"""Tags, note and star of a run: how do several writers change them without losing anything?"""

import errno
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from wbtui.errors import UTF8, UsageError
from wbtui.store import atomic, bounded
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import FORMAT_VERSION, MAX_TEXT, NOTES, Notes
from wbtui.store.lock import file_lock
from wbtui.store.text import plain

_LOCK = ".notes.lock"
_LOCK_SECONDS = 10.0
_MAX_TAGS = 100
_MAX_TAG = 60


def read_notes(folder: Path) -> Notes:
    """notes.json; empty notes where there is none. A field of a wrong type reads as empty.

    Raises:
        StoreReadError: it is there, but no JSON object.
    """
    try:
        value = bounded.read_json(folder, NOTES)
    except FileNotFoundError:
        return Notes()
    note, tags = value.get("note"), value.get("tags")
    return Notes(
        note=note[:MAX_TEXT] if isinstance(note, str) else "",
        tags=_sorted(tag for tag in tags if isinstance(tag, str) and 0 < len(tag) <= _MAX_TAG)
        if isinstance(tags, list)
        else (),
        star=value.get("star") is True,
    )


def _sorted(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tags))[:_MAX_TAGS])


def check_note(note: str) -> None:
    """Refuse a note that cannot be written.

    Raises:
        UsageError: it is longer than MAX_TEXT characters, or none that UTF-8 can write (typed in another encoding).
    """
    try:
        note.encode()
    except UnicodeEncodeError:
        raise UsageError(f"the note {note!r:.80}: {UTF8}") from None
    if len(note) > MAX_TEXT:
        raise UsageError(f"the note has {len(note)} characters; expected at most {MAX_TEXT}")


def set_note(folder: Path, note: str) -> Notes:
    """Replace the note; see `_change` for errors.

    Raises:
        UsageError: as `check_note`.
    """
    check_note(note)
    return _change(folder, lambda notes: replace(notes, note=note))


def check_tags(tags: Iterable[str]) -> None:
    """Refuse tags that cannot be given.

    Raises:
        UsageError: a tag is empty, too long, or holds white space, a comma (which parts tags in a filter) or a
            character that cannot be shown.
    """
    for tag in tags:
        if (
            not tag
            or len(tag) > _MAX_TAG
            or not tag.isprintable()
            or any(character.isspace() or character == "," for character in tag)
        ):
            raise UsageError(
                f"tag {tag!r:.80}: expected 1 to {_MAX_TAG} characters without white space or commas, e.g. base"
            )


def edit_tags(folder: Path, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Notes:
    """Add and remove tags; a tag in both is removed.

    Raises:
        UsageError: as `check_tags`; or the run would have more than 100.
    """
    added, removed = set(add), set(remove)
    check_tags(added)

    def edit(notes: Notes) -> Notes:
        tags = (set(notes.tags) | added) - removed
        if len(tags) > _MAX_TAGS:
            raise UsageError(f"{plain(folder.name)}: {len(tags)} tags; expected at most {_MAX_TAGS}")
        return replace(notes, tags=_sorted(tags))

    return _change(folder, edit)


def set_star(folder: Path, star: bool) -> Notes:
    """Set or take away the star."""
    return _change(folder, lambda notes: replace(notes, star=star))


def _change(folder: Path, edit: Callable[[Notes], Notes]) -> Notes:
    """Read, edit and replace under the notes' lock; what is no notes, or a link, is replaced.

    Raises:
        StoreReadError: the notes are there, and the disk does not give them.
        StoreWriteError: the folder cannot be written.
        UsageError: another writer holds the lock for more than 10 s.
    """
    from filelock import Timeout  # what only reads notes does without

    try:
        with file_lock(folder / _LOCK, _LOCK_SECONDS):
            try:
                notes = read_notes(folder)
            except StoreReadError as error:
                why = error.__cause__
                if isinstance(why, OSError) and why.errno != errno.ELOOP:
                    raise  # they may be whole, and the disk gives them again in a moment
                notes = Notes()
            edited = edit(notes)
            atomic.write_json(
                folder / NOTES,
                {"version": FORMAT_VERSION, "note": edited.note, "tags": edited.tags, "star": edited.star},
            )
    except Timeout:
        raise UsageError(
            f"{bounded.shown(folder, _LOCK)}: another process has held this lock for "
            f"{_LOCK_SECONDS:.0f} s; try again"
        ) from None
    except OSError as error:
        raise StoreWriteError(folder / NOTES, error) from error
    return edited
