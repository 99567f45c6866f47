"""How are the scalars of ten thousand epochs kept small? Their names once, their values as plain doubles."""

from array import array
from collections.abc import Iterator, Mapping


class Scalars(Mapping[str, float]):
    """Value by name of what one epoch measured.

    Args:
        places: Name → index of its value; epochs that measured the same share it.
        values: The values.
    """

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[str, int], values: "array[float]") -> None:
        self._places, self._values = places, values

    def __getitem__(self, name: str) -> float:
        return self._values[self._places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places
