"""Two drugs at once that do the same."""

from collections import defaultdict

from grounding import Sources, Statement
from grounding.statements import Part
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import ClinicalFact

from consult.rule import Rule
from consult.rules import parts
from consult.rules.classes import NSAID, RAAS_BLOCKERS, members

# Classes of which one drug at a time is enough, the passage that says so, and what its sentence speaks of.
_ONE_IS_ENOUGH: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = (
    (RAAS_BLOCKERS, "fda-dual-raas", ("renin", "risk")),
    ((NSAID,), "fda-two-nsaids", ("nsaid", "risk")),
)


def two_drugs_of_one_class(sources: Sources) -> list[Statement]:
    """Two different ACE inhibitors or ARBs, or two different NSAIDs, active or ordered at once.

    Source: FDA labels of ACE inhibitors and ARBs, section 7 (dual blockade of the renin-angiotensin system); FDA labels
    of NSAIDs, section 7 (other NSAIDs and salicylates).
    """
    found: list[Statement] = []
    for classes, passage_id, terms in _ONE_IS_ENOUGH:
        taken = _taken(sources, *classes)
        if len(taken) > 1:
            found += _together(sources, taken, classes, parts.quoted(sources, (passage_id,), terms))
    return found


def _together(
    sources: Sources, taken: list[ClinicalFact], classes: tuple[str, ...], guidance: tuple[Part, ...]
) -> list[Statement]:
    newest, other, *more = taken
    alert = parts.statement(
        wire.STATEMENT_KIND_ALERT,
        *(*parts.while_taking(sources, newest, other, classes, classes), *guidance),
        also=tuple(fact.fact_id for fact in more),
    )
    return [alert, parts.statement(wire.STATEMENT_KIND_PROPOSAL, *parts.avoid_together(newest, other))]


def _taken(sources: Sources, *classes: str) -> list[ClinicalFact]:
    """One fact per ingredient of these classes, the newest first."""
    entries: dict[frozenset[str], list[ClinicalFact]] = defaultdict(list)
    for fact in parts.newest_first(parts.in_use(sources)):
        if own := members(fact, *classes):
            entries[own].append(fact)
    return [parts.newest_first(same)[0] for same in entries.values()]


RULES = (
    Rule(
        two_drugs_of_one_class,
        place=70,
        rows=(
            "interactions/raas-two",
            "duplicates/two-ace-inhibitors",
            "duplicates/two-arbs",
            "duplicates/two-nsaids",
        ),
        cites={
            "fda-dual-raas": "dual blockade renin-angiotensin system ACE inhibitor ARB",
            "fda-two-nsaids": "two NSAIDs together gastrointestinal",
        },
    ),
)
