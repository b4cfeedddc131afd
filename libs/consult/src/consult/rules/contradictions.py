"""Facts that cannot all hold, put to the physician as a question. Nothing is decided here."""

from collections.abc import Callable

from grounding import Sources, Statement, facts, phrases
from grounding.kinds import allergy
from grounding.statements import Name, Part, Reaction, Value, Words, join
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.context_pb2 import Contradiction
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    PROVENANCE_READ_FROM_IMAGE,
    PROVENANCE_READ_FROM_TEXT,
    ClinicalFact,
)

from consult.rule import Rule
from consult.rules import parts

_ORIGIN = {
    PROVENANCE_READ_FROM_TEXT: ", read from a document",
    PROVENANCE_READ_FROM_IMAGE: ", read from a scanned page",
}


def open_contradictions(sources: Sources) -> list[Statement]:
    """Each open contradiction that memory found, both sides with day and origin, as a question.

    Source: the record itself; for penicillin allergy labels AAAAI/ACAAI Drug Allergy: 2022 practice parameter update,
    J Allergy Clin Immunol 2022;150:1333-1393.
    """
    return [_question(sources, each) for each in sources.contradictions if _known(sources, each)]


def unconfirmed_allergies(sources: Sources) -> list[Statement]:
    """An allergy that was read from a document, which may be about somebody else, as a question.

    Source: the record itself; for allergy labels AAAAI/ACAAI Drug Allergy: 2022 practice parameter update.
    """
    return [
        parts.statement(
            wire.STATEMENT_KIND_QUESTION,
            *(
                Words("An allergy entry needs to be confirmed: "),
                *_allergy(fact),
                Words("; does it belong to this patient?"),
            ),
        )
        for fact in sources.active(FACT_KIND_ALLERGY)
        if is_unconfirmed(fact) and fact.fact_id not in sources.disputed
    ]


def is_unconfirmed(fact: ClinicalFact) -> bool:
    """An allergy said to be there that no message states in a field of its own."""
    return fact.kind == FACT_KIND_ALLERGY and fact.provenance in _ORIGIN and not facts.is_absent(fact)


def _question(sources: Sources, contradiction: Contradiction) -> Statement:
    sides = [sources.fact(fact_id) for fact_id in contradiction.fact_ids]
    describe = _DESCRIBE.get(contradiction.rule, _entry)
    entries = join(" and ", (describe(sources, fact) for fact in sides))
    guidance: tuple[Part, ...] = ()
    if contradiction.rule == "no-known-allergies":
        guidance = parts.quoted(sources, ("aaaai-2022-penicillin-allergy",), ("allergy", "penicillin", "history"))
    return parts.statement(
        wire.STATEMENT_KIND_QUESTION,
        *(Words("The record holds contradictory entries: "), *entries, Words("; which of them is correct?")),
        *(_without_stop(guidance)),
    )


def _allergy(fact: ClinicalFact) -> tuple[Part, ...]:
    """`penicillin, reaction anaphylaxis, severe (2025-02-14, read from a document)`."""
    reaction: tuple[Part, ...] = (Words(", reaction "), Reaction(fact.fact_id)) if fact.note else ()
    return (*allergy.allergen(fact), *reaction, *phrases.severity(fact), *_origin(fact))


def _medication(sources: Sources, fact: ClinicalFact) -> tuple[Part, ...]:
    """`amlodipine ordered on ... and not renewed since`, `amlodipine stopped on ...`."""
    return (Name(fact.fact_id), Words(" "), *phrases.medication_state(sources, fact, joint=" and "))


def _demographic(_: Sources, fact: ClinicalFact) -> tuple[Part, ...]:
    return (Name(fact.fact_id), Words(" "), Value(fact.fact_id))


def _entry(_: Sources, fact: ClinicalFact) -> tuple[Part, ...]:
    negation: tuple[Part, ...] = (Words("no "),) if facts.is_absent(fact) else ()
    return (*negation, Name(fact.fact_id), *_origin(fact))


_DESCRIBE: dict[str, Callable[[Sources, ClinicalFact], tuple[Part, ...]]] = {
    "no-known-allergies": lambda _, fact: _allergy(fact),
    "active-and-ended": _medication,
    "demographic-mismatch": _demographic,
}


def _origin(fact: ClinicalFact) -> tuple[Part, ...]:
    """` (2025-02-14, read from a document)`."""
    return phrases.in_brackets(fact, _ORIGIN.get(fact.provenance, ""))


def _known(sources: Sources, contradiction: Contradiction) -> bool:
    """Both sides are among the facts of this episode."""
    return len(contradiction.fact_ids) > 1 and all(map(sources.has_fact, contradiction.fact_ids))


def _without_stop(guidance: tuple[Part, ...]) -> tuple[Part, ...]:
    """A question mark has ended the sentence already."""
    return (Words(" "), *guidance[1:]) if guidance else ()


RULES = (
    Rule(
        open_contradictions,
        place=90,
        cites={
            "aaaai-2022-penicillin-allergy": "penicillin allergy label verification anaphylaxis",
        },
    ),
    Rule(unconfirmed_allergies, place=100),
)
