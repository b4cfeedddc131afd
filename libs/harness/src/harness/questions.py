"""What the physician may be asked about a fact: the kinds of fact for each purpose."""

from collections.abc import Mapping

from longitude.record.v1.fact_pb2 import FactKind

from harness.actions import QuestionPurpose

_ENTERED = frozenset({FactKind.FACT_KIND_PROBLEM, FactKind.FACT_KIND_ALLERGY, FactKind.FACT_KIND_MEDICATION})

QUESTIONS: Mapping[QuestionPurpose, frozenset["FactKind.ValueType"]] = {
    QuestionPurpose.CONFIRMATION: _ENTERED | {FactKind.FACT_KIND_IMAGING_FINDING},
    QuestionPurpose.REACTION: frozenset({FactKind.FACT_KIND_ALLERGY}),
    QuestionPurpose.ADHERENCE: frozenset({FactKind.FACT_KIND_MEDICATION}),
    QuestionPurpose.SOURCE: _ENTERED,
}
