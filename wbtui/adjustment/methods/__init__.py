"""The adjustment methods, by name: every file here with a `METHODS` tuple adds its own."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from wbtui.adjustment.methods.base import Method
from wbtui.catalog import nearest
from wbtui.errors import UsageError


def _found() -> dict[str, Method]:
    methods: list[Method] = []
    for module in iter_modules(__path__):
        methods += getattr(import_module(f"{__name__}.{module.name}"), "METHODS", ())
    return {method.name: method for method in sorted(methods, key=lambda m: (m.name != "none", m.name))}


METHODS: Mapping[str, Method] = MappingProxyType(_found())
"""Every method by name, "none" first."""


DEFAULT_METHOD = "additive"
"""What is begun with where nobody names one: unlike multiplying it has no trouble with negative logits."""


def method_named(name: str) -> Method:
    """The method called `name`, be it by its label.

    Raises:
        UsageError: there is none.
    """
    found = METHODS.get(name) or next((one for one in METHODS.values() if one.label == name != ""), None)
    if found is None:
        meant = nearest(name, METHODS)
        raise UsageError(f"method {name!r} is not known{meant}, expected one of: {', '.join(METHODS)}")
    return found


def label_of(name: str) -> str:
    """What lists and tables call a method; one that is not known, as in others' files, goes by its name."""
    return (METHODS[name].label or name) if name in METHODS else name
