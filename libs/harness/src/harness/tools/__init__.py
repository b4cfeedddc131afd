"""The reading tools: each module of this folder is one."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

from harness.tool import Tool


def _read() -> Iterator[Tool]:
    for module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
        yield import_module(f"{__name__}.{module}").TOOL


TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in _read()}


def of_role(role: str) -> frozenset[str]:
    """The tools that a role has."""
    return frozenset(name for name, tool in TOOLS.items() if role in tool.roles)
