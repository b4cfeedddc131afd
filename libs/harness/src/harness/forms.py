"""The first word of an action as the model writes it, and the kind of statement that it makes."""

from collections.abc import Mapping
from enum import StrEnum

from longitude.reasoning.v1 import assessment_pb2 as wire


class Form(StrEnum):
    LATEST = "latest"
    TREND = "trend"
    CHANGE = "change"
    MEDICATION = "medication"
    ALLERGY = "allergy"
    PROBLEM = "problem"
    IMAGING = "imaging"
    EVIDENCE = "evidence"
    ABSENCE = "absence"
    CALCULATION = "calculate"
    PROPOSE = "propose"
    LOOK = "look"
    ASK_PHYSICIAN = "ask_physician"
    WRITE = "write"
    ASK = "ask"
    DOUBT = "doubt"
    FINISH = "finish"


# Forms that put something into the assessment.
KINDS: Mapping[Form, "wire.StatementKind.ValueType"] = {
    Form.LATEST: wire.STATEMENT_KIND_LATEST,
    Form.TREND: wire.STATEMENT_KIND_TREND,
    Form.CHANGE: wire.STATEMENT_KIND_CHANGE,
    Form.MEDICATION: wire.STATEMENT_KIND_MEDICATION,
    Form.ALLERGY: wire.STATEMENT_KIND_ALLERGY,
    Form.PROBLEM: wire.STATEMENT_KIND_PROBLEM,
    Form.IMAGING: wire.STATEMENT_KIND_IMAGING,
    Form.EVIDENCE: wire.STATEMENT_KIND_EVIDENCE,
    Form.ABSENCE: wire.STATEMENT_KIND_ABSENCE,
    Form.CALCULATION: wire.STATEMENT_KIND_CALCULATION,
    Form.PROPOSE: wire.STATEMENT_KIND_PROPOSAL,
    Form.ASK_PHYSICIAN: wire.STATEMENT_KIND_QUESTION,
    Form.WRITE: wire.STATEMENT_KIND_PROSE,
}
