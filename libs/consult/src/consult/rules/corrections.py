"""Results that a laboratory corrected: the reader must not go on with the old number."""

from grounding import Sources, Statement, phrases
from grounding.statements import Name, Value, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FACT_KIND_RESULT, FACT_STATUS_CORRECTED

from consult.rule import Rule
from consult.rules import parts


def corrected_results(sources: Sources) -> list[Statement]:
    """A corrected result beside the one it replaced, where the value changed.

    Source: HL7 v2 table 0085 (OBX-11 `C`: a correction replaces a final result).
    """
    replaced = {each.superseded_by: each.fact for each in sources.recorded if each.superseded_by}
    found = []
    for fact in sources.of_kind(FACT_KIND_RESULT):
        old = replaced.get(fact.fact_id)
        if fact.status != FACT_STATUS_CORRECTED or old is None or old.quantity == fact.quantity:
            continue
        found.append(
            parts.statement(
                wire.STATEMENT_KIND_CHANGE,
                *(
                    Words("Corrected result: "),
                    Name(fact.fact_id),
                    Words(" "),
                    Value(fact.fact_id),
                    *phrases.in_brackets(fact),
                    *phrases.comment(fact),
                ),
                *(Words(" replaces "), Value(old.fact_id), *phrases.in_brackets(old)),
            )
        )
    return found


RULES = (Rule(corrected_results, place=130),)
