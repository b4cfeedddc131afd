"""Allergies: to what, since when, how severe, with which reaction, how many, and that there are none."""

from collections.abc import Sequence

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import Note
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import reactions

from grounding import facts
from grounding.comparing import meaning
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.problems import is_as_stated, is_of, told
from grounding.comparing.record import Record
from grounding.reading import names
from grounding.reading.nodes import Node

_REACTIONS = frozenset({names.PROBLEM, names.REACTION, names.ANSWER})
_SEVERITIES = {"severe": "severe", "severely": "severe", "moderate": "moderate", "moderately": "moderate",
               "mild": "mild", "mildly": "mild"}  # fmt: skip
# Words that grade an allergy otherwise than a record does.
_UNGRADED = frozenset({"marked", "slight", "significant", "serious"})
# Words by which a denial is of drugs alone.
# What says of an absence that it is one of the record.
_WRITTEN = frozenset(("recorded", "documented", "listed", "record", "file", "chart", "charted", "entered"))
_OF_DRUGS = frozenset(("drug", "drugs", "medication", "medications", "nkda"))
_CULPRITS = ("regimens", "conditions", "allergens")


def _allergies(record: Record) -> list[ClinicalFact]:
    return [fact for fact in record.of_kind(pb.FACT_KIND_ALLERGY) if not facts.has_ended(fact, record.today)]


def allergy(node: Node, record: Record) -> list[Outcome]:
    """An allergy, and its reaction where one is said."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    named = [
        inner for role in ("regimens", "conditions", "allergens") for each in node.all(role) for inner in _named(each)
    ]
    outcomes = [each for one in named for each in _allergy(one, node, node.all("reaction"), spans, record)]
    return [*outcomes, *_only(node, len(named), record)]


def _only(node: Node, named: int, record: Record) -> list[Outcome]:
    """That there is no other allergy."""
    if not node.says("only"):
        return []
    entries = [fact for fact in _allergies(record) if not facts.is_absent(fact)]
    actual = len({facts.name_of(fact) for fact in entries})
    if actual == named and all(meaning.amount(each).value == actual for each in node.all("n")):
        return [supported("count", entries)]
    return [contradicted("count", f"the record has {actual} allergies", entries)]


def _named(node: Node) -> list[Node]:
    inner = [each for kind in ("regimen", "condition", "allergens") for each in node.within(kind)]
    return inner or [node]


def _allergy(
    named: Node, node: Node, reactions: Sequence[Node], spans: Sequence[Span], record: Record
) -> list[Outcome]:
    keys = meaning.keys(named, *names.KINDS)
    entries = [fact for fact in _allergies(record) if names.keys_of(fact) & keys and not facts.is_absent(fact)]
    entries = [fact for fact in entries if is_as_stated(fact, node, record)]
    if not entries:
        return [unsupported("allergy", "the record has no such allergy")]
    dated = [fact for fact in entries if all(is_of(fact, span) for span in spans)]
    if spans and (not dated or (_is_first(node) and dated[0] is not entries[0])):
        return [contradicted("date", told(entries[0]), entries)]
    outcomes = [supported("allergy", (dated or entries)[-1:])]
    words = {part.text for part in node.parts}
    if words & _UNGRADED:
        return [unsupported("severity", "how severe it is the record says otherwise")]
    severities = {_SEVERITIES[word] for word in words & _SEVERITIES.keys()}
    if severities - {facts.severity(entries[-1])}:
        told_so = facts.severity(entries[-1]) or "nothing of how severe it is"
        outcomes.append(contradicted("severity", f"the record says {told_so}", entries[-1:]))
    for reaction in reactions:
        said = {part.text.lower() for one in _named(reaction) for part in one.parts if part.kinds & _REACTIONS}
        if all(any(word in entry.note.lower() for entry in entries) for word in said) and said:
            outcomes.append(supported("reaction", entries[-1:]))
        else:
            reason = f"the record has {entries[-1].note}" if entries[-1].note else "the record states no reaction"
            outcomes.append(
                contradicted("reaction", reason, entries[-1:]) if entries[-1].note else unsupported("reaction", reason)
            )
    return outcomes


def _is_first(node: Node) -> bool:
    return any(part.text in ("first", "onset") for part in node.parts)


def reaction(node: Node, record: Record) -> list[Outcome]:
    """`Anaphylaxis to penicillin in February 2025.`"""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    recorded = [each for one in node.all("allergens") for each in _as_recorded(one, spans, record)]
    return recorded or [each for regimens in node.all("regimens") for one in _named(regimens)
            for each in _allergy(one, node, node.all("conditions"), spans, record)]  # fmt: skip


def _as_recorded(node: Node, spans: Sequence[Span], record: Record) -> list[Outcome]:
    """An allergy, or that there is none, in the words in which it was recorded: `anaphylaxis to penicillin`."""
    token = node.all("allergen")[0]
    if token.kinds & {names.DRUG, names.CLASS}:
        return [unsupported("allergy", "whether an allergy or a drug is meant is not clear")]
    keys = meaning.keys(token, names.ALLERGEN)
    if any(facts.is_absent(fact) for fact in record.of(keys, pb.FACT_KIND_ALLERGY)):
        return no_allergy(node, record)
    return _allergy(token, node, (), spans, record)


def no_allergy(node: Node, record: Record) -> list[Outcome]:
    """No known allergies: contradicted by any allergy of the record, and by an open contradiction."""
    entries = _allergies(record)
    keys = {key for each in node.all("allergens") for key in meaning.keys(each, *names.KINDS)}
    present = [fact for fact in entries if not facts.is_absent(fact)]
    if any(names.keys_of(fact) & keys for fact in present):
        return [unsupported("allergy", "what is said of it is not clear")]
    drugs_only = not {word for part in node.parts for word in part.text.split()}.isdisjoint(_OF_DRUGS)
    if present and drugs_only and not any(map(_is_of_drug, present)):
        return [unsupported("absence", "the record has allergies to other things, and does not deny those to drugs")]
    if present:
        return [contradicted("absence", f"the record has an allergy: {facts.name_of(present[-1])}", present[-1:])]
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    stated = [fact for fact in entries if all(span.includes(facts.starts_on(fact)) for span in spans if span.readings)]
    if stated:
        return [supported("absence", stated[-1:])]
    words = {word for part in node.parts for word in part.text.split()}
    none_written = not (entries or record.cited or words.isdisjoint(_WRITTEN) or record.mentions("allerg"))
    return [supported("absence") if none_written else unsupported("absence", "the record does not say so")]


def _is_of_drug(fact: ClinicalFact) -> bool:
    return not names.kinds_of(names.keys_of(fact)).isdisjoint((names.DRUG, names.CLASS))


def count_allergies(node: Node, record: Record) -> list[Outcome]:
    """How many allergies the record has."""
    entries = [fact for fact in _allergies(record) if not facts.is_absent(fact)]
    actual = len({facts.name_of(fact) for fact in entries})
    said = meaning.amount(node.all("n")[0])
    if said.value == actual and entries:
        return [supported("count", entries)]
    return [contradicted("count", f"the record has {actual}", entries)]


def not_allergic(node: Node, record: Record) -> list[Outcome]:
    """No allergy to something: where it is recorded, or where the record states that there are none at all."""
    if node.says("texts"):
        return [unsupported("text", "no text of the record says so")]
    keys = {key for role in _CULPRITS for each in node.all(role) for key in meaning.keys(each, *names.KINDS)}
    entries = _allergies(record)
    own = [fact for fact in entries if names.keys_of(fact) & keys]
    against = [fact for fact in own if not facts.is_absent(fact)]
    if against:
        return [contradicted("negation", told(against[-1]), against[-1:])]
    if own:
        return [supported("negation", own[-1:])]
    if entries and all(map(facts.is_absent, entries)):
        return [supported("negation", entries[-1:])]
    return [unsupported("negation", "the record does not say so")]


def _may_react(note: Note) -> bool:
    """Whether a line of a text speaks of an allergy and of a reaction."""
    lines = (line.casefold() for line in note.text.splitlines() if "allerg" in line.casefold())
    return any(word in line for line in lines for word in reactions.WORDS)


def no_reaction(node: Node, record: Record) -> list[Outcome]:
    """That the record states no reaction to an allergen, or not how severe it is."""
    keys = {key for role in _CULPRITS for each in node.all(role) for key in meaning.keys(each, *names.KINDS)}
    entries = [fact for fact in _allergies(record) if names.keys_of(fact) & keys and not facts.is_absent(fact)]
    graded = any(part.text in ("severity", "details") for part in node.parts)
    stated = [fact for fact in entries if fact.note or (graded and facts.severity(fact))]
    if stated:
        return [contradicted("reaction", f"the record has {stated[-1].note or facts.severity(stated[-1])}", stated)]
    if entries and not record.cited and not any(map(_may_react, record.sources.notes)):
        return [supported("reaction", entries[-1:])]
    return [unsupported("reaction", "whether a reaction is known is not clear")]
