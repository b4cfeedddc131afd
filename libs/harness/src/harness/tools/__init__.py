"""The reading tools: each module of this folder is one."""

from collections.abc import Mapping

from grounding.folder import declared

from harness.tool import Tool

TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in declared(__name__, "TOOL", Tool)}


def of_role(role: str) -> frozenset[str]:
    """The tools that a role has."""
    return frozenset(name for name, tool in TOOLS.items() if role in tool.roles)
