"""Which caller may ask what: the table `access.toml` of each service, and its reading.

    [roles]       # people, through a door
    physician = ["GetTimeline", "GetContext"]
    [processes]   # other services, for themselves or for a person whose role may ask the same
    reasoning = ["GetContext"]
    [looks]       # what shows a patient (servicekit.looks)
    GetTimeline = ["patient"]

What is not in the table is closed. What of a patient's record opens to whom is decided behind it, by the service.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Self

from contracts.errors import DeniedError, UnauthenticatedError

from servicekit.principal import Principal

ROLES = frozenset({"physician", "nurse", "auditor", "engineer", "researcher"})
# Processes through which people call; where plain text is spoken, no process is known.
NO_PROCESS = ""
DOORS = frozenset({"command", NO_PROCESS})

Table = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Access:
    """RPCs by role and by process; `looks`: those that show a patient, with the paths to whom."""

    roles: Table = field(default_factory=dict)
    processes: Table = field(default_factory=dict)
    looks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, implementations: Iterable[object]) -> Self:
        """The tables of the packages that implement the services."""
        packages = {type(each).__module__.partition(".")[0] for each in implementations}
        tables = [tomllib.loads(files(package).joinpath("access.toml").read_text("utf-8")) for package in packages]
        looks = {rpc: paths for table in tables for rpc, paths in table.get("looks", {}).items()}
        return cls(_merged(tables, "roles"), _merged(tables, "processes"), looks)

    def check(self, rpc: str, principal: Principal) -> None:
        """DeniedError where the caller may not ask this, UnauthenticatedError where a person is missing."""
        listed = rpc in self.processes.get(principal.process, ())
        if principal.person is None and not listed and principal.process in DOORS:
            raise UnauthenticatedError(f"{rpc} needs a person; `longitude login` says who you are")
        if not listed and principal.process not in DOORS:
            raise DeniedError(f"{rpc} is not open to {principal.process}")
        roles = principal.person.roles if principal.person is not None else frozenset()
        if principal.person is not None and not any(rpc in self.roles.get(role, ()) for role in roles):
            raise DeniedError(f"{rpc} is not open to the role {' or '.join(sorted(roles)) or '(none)'}")


def _merged(tables: Iterable[Mapping[str, Any]], part: str) -> Table:
    merged: dict[str, frozenset[str]] = {}
    for table in tables:
        for caller, rpcs in table.get(part, {}).items():
            merged[caller] = merged.get(caller, frozenset()) | frozenset(rpcs)
    return merged
