"""How a consultation runs: phases in order; the roles of one phase work at the same time.

The coordinator plans in the first phase. The mandatory roles of a flow run whatever it decides.
"""

from dataclasses import dataclass

from harness.states import State


@dataclass(frozen=True)
class Phase:
    state: State
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """`comparing`: there is an earlier visit to compare with, so that changes can be stated."""

    name: str
    phases: tuple[Phase, ...]
    mandatory: frozenset[str]
    comparing: bool


FIRST_VISIT = Flow(
    name="first_visit",
    phases=(
        Phase(State.GATHER, ("coordinator",)),
        Phase(State.GATHER, ("historian",)),
        Phase(State.HYPOTHESISE, ("diagnostician",)),
        Phase(State.CHECK, ("pharmacist", "imaging_liaison")),
        Phase(State.DRAFT, ("diagnostician",)),
        Phase(State.VERIFY, ("verifier",)),
    ),
    mandatory=frozenset({"historian", "diagnostician", "pharmacist", "verifier"}),
    comparing=False,
)

FOLLOW_UP = Flow(
    name="follow_up",
    phases=(
        Phase(State.GATHER, ("coordinator",)),
        Phase(State.GATHER, ("historian",)),
        Phase(State.HYPOTHESISE, ("diagnostician",)),
        Phase(State.CHECK, ("pharmacist", "imaging_liaison")),
        Phase(State.DRAFT, ("diagnostician",)),
        Phase(State.VERIFY, ("verifier",)),
    ),
    mandatory=frozenset({"diagnostician", "pharmacist", "verifier"}),
    comparing=True,
)

# The editor alone: which of the statements that rules made stand in front, and in which order.
SELECT = Flow(
    name="select", phases=(Phase(State.SELECT, ("editor",)),), mandatory=frozenset({"editor"}), comparing=False
)

# No role takes part: the episode holds what it started from and what its driver decided, and has no turn.
RULES = Flow(name="rules", phases=(), mandatory=frozenset(), comparing=False)

FLOWS = {flow.name: flow for flow in (FIRST_VISIT, FOLLOW_UP, SELECT, RULES)}
