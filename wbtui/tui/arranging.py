"""In which order do panels and columns stand, and which of them, when somebody has chosen?"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar


class Keyed(Protocol):
    """What can be arranged."""

    @property
    def key(self) -> str:
        """Its name in the view."""


Item = TypeVar("Item", bound=Keyed)


def arranged(
    items: Sequence[Item], order: Sequence[str], hidden: Collection[str] = frozenset()
) -> tuple[Item, ...]:
    """Items in the wanted order without the hidden ones; those that nobody ordered come last."""
    places: Mapping[str, int] = {key: place for place, key in enumerate(order)}
    ordered = sorted(items, key=lambda item: places.get(item.key, len(places)))
    return tuple(item for item in ordered if item.key not in hidden)


def reordered(before: Sequence[str], order: Sequence[str]) -> tuple[str, ...]:
    """Keys in a new order; those that were not there to be ordered, panels of other runs, keep their places."""
    fresh = iter(order)
    offered = frozenset(order)
    kept = [next(fresh) if key in offered else key for key in before]
    return (*kept, *fresh)
