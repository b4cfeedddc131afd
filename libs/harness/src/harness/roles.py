"""The roles of a consultation as data: what each is told, which actions it has in which state, what it may spend."""

from collections.abc import Mapping
from dataclasses import dataclass

from longitude.record.v1.fact_pb2 import FactKind

from harness.forms import Form
from harness.states import State


@dataclass(frozen=True)
class Budget:
    """Upper bounds of one role in one episode."""

    turns: int
    tokens: int
    calls: int


@dataclass(frozen=True)
class Role:
    """`needs`: the role applies only where one of these kinds of fact is there (empty: always)."""

    name: str
    task: str
    forms: Mapping[State, frozenset[Form]]
    budget: Budget
    tools: frozenset[str] = frozenset()
    needs: frozenset["FactKind.ValueType"] = frozenset()


def _forms(*forms: Form) -> frozenset[Form]:
    return frozenset((*forms, Form.FINISH))


COORDINATOR = Role(
    name="coordinator",
    task="You are the coordinator. Choose who must look at this patient to answer the question.",
    forms={State.GATHER: _forms(Form.ASK)},
    budget=Budget(turns=5, tokens=60, calls=0),
)

HISTORIAN = Role(
    name="historian",
    task="You are the historian. Say which problems and changes since the last visit matter for the question.",
    forms={State.GATHER: _forms(Form.LOOK, Form.PROBLEM, Form.CHANGE, Form.ABSENCE, Form.ASK_PHYSICIAN)},
    tools=frozenset({"search_memory", "read_document", "compare_with_last_visit"}),
    budget=Budget(turns=6, tokens=120, calls=2),
)

DIAGNOSTICIAN = Role(
    name="diagnostician",
    task="You are the diagnostician. Say which results and trends answer the question, then what should be done.",
    forms={
        State.HYPOTHESISE: _forms(Form.TREND, Form.LATEST, Form.CHANGE, Form.PROBLEM, Form.CALCULATION, Form.LOOK),
        State.DRAFT: _forms(Form.EVIDENCE, Form.LATEST, Form.PROPOSE, Form.ASK_PHYSICIAN, Form.WRITE),
    },
    tools=frozenset({"read_timeline", "calculate", "compare_with_last_visit"}),
    budget=Budget(turns=11, tokens=240, calls=2),
)

PHARMACIST = Role(
    name="pharmacist",
    task="You are the pharmacist. Say which medications, allergies and evidence matter for the question.",
    forms={
        State.CHECK: _forms(
            *(Form.MEDICATION, Form.ALLERGY, Form.EVIDENCE, Form.CALCULATION, Form.LOOK, Form.PROPOSE),
            Form.ASK_PHYSICIAN,
        )
    },
    tools=frozenset({"search_evidence", "search_memory", "calculate"}),
    needs=frozenset({FactKind.FACT_KIND_MEDICATION, FactKind.FACT_KIND_ALLERGY}),
    budget=Budget(turns=8, tokens=140, calls=2),
)

IMAGING_LIAISON = Role(
    name="imaging_liaison",
    task="You are the imaging liaison. Say which findings on the films matter for the question.",
    forms={State.CHECK: _forms(Form.IMAGING, Form.LOOK)},
    tools=frozenset({"read_image_findings"}),
    needs=frozenset({FactKind.FACT_KIND_IMAGING_FINDING}),
    budget=Budget(turns=3, tokens=50, calls=1),
)

VERIFIER = Role(
    name="verifier",
    task="You are the verifier. Doubt what does not answer the question, or finish.",
    forms={State.VERIFY: _forms(Form.DOUBT)},
    budget=Budget(turns=4, tokens=50, calls=0),
)

ROLES = {role.name: role for role in (COORDINATOR, HISTORIAN, DIAGNOSTICIAN, PHARMACIST, IMAGING_LIAISON, VERIFIER)}
