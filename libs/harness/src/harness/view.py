"""What the guard looks at: who acts, where the consultation stands, what was shown and done."""

from dataclasses import dataclass

from harness.roles import Role
from harness.sources import Sources
from harness.states import State


@dataclass(frozen=True)
class View:
    """Everything that decides what may be done."""

    role: Role
    state: State
    sources: Sources
    shown: int  # lines the role has seen
    done: frozenset[str]  # keys of actions done in this episode
    drafted: int  # statements and proposals in the draft
    tools: frozenset[str]  # served by the driver
    calls_left: int
    team: tuple[str, ...]  # roles the coordinator may choose from
    prose: int = 0  # tokens of a free turn; 0: none
    thought: int = 0  # tokens of a scratch; 0: none
    grounds: tuple[str, ...] = ()  # facts that a free text may rest on
