"""A folder in which each module declares one thing: what stands in it is found, so that adding a file is enough."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def modules(package: str) -> Iterator[ModuleType]:
    """The modules of a package, by name."""
    for name in sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__)):
        yield import_module(f"{package}.{name}")


def declared(package: str, name: str, kind: type[T]) -> tuple[T, ...]:
    """What each module of a package declares under this name; TypeError names a module that declares none."""
    return tuple(_of(module, name, kind) for module in modules(package))


def _of(module: ModuleType, name: str, kind: type[T]) -> T:
    value = getattr(module, name, None)
    if not isinstance(value, kind):
        raise TypeError(f"{module.__name__} declares no {name}")
    return value
