"""What a supervisor is asked to run, as it travels to its process."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

from native_stack.identity import ProcessIdentity


@dataclass(frozen=True, slots=True)
class Request:
    """`owner`, when given, is the process whose end also ends the stack; `elsewhere` names sockets of other stacks.

    `certificates` is the folder of the authority; `trusted` may do everything on Kafka.
    """

    directory: str
    parts: tuple[str, ...]
    models: tuple[str, ...]
    free_ports: bool
    owner: ProcessIdentity | None
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    certificates: str = ""
    trusted: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The request in that line."""
        raw = json.loads(text)
        owner = ProcessIdentity(**raw["owner"]) if raw["owner"] else None
        values = {"parts": tuple(raw["parts"]), "models": tuple(raw["models"]), "owner": owner}
        values["trusted"] = tuple(raw["trusted"])
        return cls(**raw | values)
