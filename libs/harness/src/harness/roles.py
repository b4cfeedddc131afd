"""The roles of a consultation as data: what each is told, which actions it has in which state, what it may spend."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from grounding.kinds import KINDS
from longitude.record.v1.fact_pb2 import FactKind

from harness.states import State
from harness.tools import of_role
from harness.words import Act


@dataclass(frozen=True)
class Budget:
    """Upper bounds of one role in one episode."""

    turns: int
    tokens: int
    calls: int


@dataclass(frozen=True)
class Role:
    """What it may say and which tools it has follow from the kinds of statement and the tools, which name their roles.

    `acts`: what it may do beside, by state. `needs`: the role applies only where one of these kinds of fact is there
    (empty: always).
    """

    name: str
    task: str
    acts: Mapping[State, frozenset[Act]]
    budget: Budget
    needs: frozenset["FactKind.ValueType"] = frozenset()
    words: Mapping[State, frozenset[str]] = field(init=False)
    tools: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", {state: self._words(state) for state in self.acts})
        object.__setattr__(self, "tools", of_role(self.name))

    def _words(self, state: State) -> frozenset[str]:
        """First words of its actions in a state."""
        kinds = (word for word, kind in KINDS.items() if state in kind.roles.get(self.name, ()))
        return frozenset((*kinds, *self.acts[state], Act.FINISH))


COORDINATOR = Role(
    name="coordinator",
    task="You are the coordinator. Choose who must look at this patient to answer the question.",
    acts={State.GATHER: frozenset({Act.ASK})},
    budget=Budget(turns=5, tokens=60, calls=0),
)

HISTORIAN = Role(
    name="historian",
    task="You are the historian. Say which problems and changes since the last visit matter for the question.",
    acts={State.GATHER: frozenset({Act.LOOK, Act.ASK_PHYSICIAN})},
    budget=Budget(turns=6, tokens=120, calls=2),
)

DIAGNOSTICIAN = Role(
    name="diagnostician",
    task="You are the diagnostician. Say which results and trends answer the question, then what should be done.",
    acts={
        State.HYPOTHESISE: frozenset({Act.LOOK}),
        State.DRAFT: frozenset({Act.PROPOSE, Act.ASK_PHYSICIAN, Act.WRITE}),
    },
    budget=Budget(turns=11, tokens=240, calls=2),
)

PHARMACIST = Role(
    name="pharmacist",
    task="You are the pharmacist. Say which medications, allergies and evidence matter for the question.",
    acts={State.CHECK: frozenset({Act.LOOK, Act.PROPOSE, Act.ASK_PHYSICIAN})},
    needs=frozenset({FactKind.FACT_KIND_MEDICATION, FactKind.FACT_KIND_ALLERGY}),
    budget=Budget(turns=8, tokens=140, calls=2),
)

IMAGING_LIAISON = Role(
    name="imaging_liaison",
    task="You are the imaging liaison. Say which findings on the films matter for the question.",
    acts={State.CHECK: frozenset({Act.LOOK})},
    needs=frozenset({FactKind.FACT_KIND_IMAGING_FINDING}),
    budget=Budget(turns=3, tokens=50, calls=1),
)

VERIFIER = Role(
    name="verifier",
    task="You are the verifier. Doubt what does not answer the question, or finish.",
    acts={State.VERIFY: frozenset({Act.DOUBT})},
    budget=Budget(turns=4, tokens=50, calls=0),
)

# Statements that stand in front of an answer, at most.
MOST_SHOWN = 6

EDITOR = Role(
    name="editor",
    task="You are the editor. Lines with * are shown. If others answer better, show the best first.",
    acts={State.SELECT: frozenset({Act.SHOW, Act.THINK})},
    budget=Budget(turns=MOST_SHOWN, tokens=15 * MOST_SHOWN, calls=0),
)

ROLES = {
    role.name: role for role in (COORDINATOR, HISTORIAN, DIAGNOSTICIAN, PHARMACIST, IMAGING_LIAISON, VERIFIER, EDITOR)
}
