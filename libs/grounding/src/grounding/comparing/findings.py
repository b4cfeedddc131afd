"""Findings of films and letters, what was advised against and what was given for what.

The structured facts decide what they state of a finding without a place or a film; all else is for the record's texts.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import languages

from grounding import facts
from grounding.commands import speaks_to_software
from grounding.comparing import meaning, prescriptions
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.problems import is_of, told
from grounding.comparing.record import Record
from grounding.reading import names
from grounding.reading.nodes import Node

ITEMS = ("condition", "finding", "findings")
_KINDS = (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_IMAGING_FINDING)
_WORD = re.compile(r"[a-z]+")
_DETERMINERS = frozenset(("the", "her", "his", "a", "an", "in", "of", "on", "at", "over", "involving"))
_NO_REASON = "no entry and no text says what it was given for"
_NOWHERE = "neither the record nor its texts say so"


def items(node: Node) -> list[Node]:
    """The findings that it names, one by one."""
    top = [each for role in ("observed", "conditions", *ITEMS) for each in node.all(role)]
    return [inner for each in top for inner in each_of(each)]


def each_of(node: Node) -> list[Node]:
    """The findings of one phrase."""
    return [node] if node.kinds & set(ITEMS) else [part for part in node.parts if part.kinds & set(ITEMS)]


def has_place(item: Node) -> bool:
    """Whether it says where or how much, which no entry of an image has."""
    return bool(item.all("side")) or any(part.text.isalpha() for part in item.parts if not part.kinds)


def finding(node: Node, record: Record) -> list[Outcome]:
    return [_finding(each, node, record) for each in items(node)]


def _finding(item: Node, node: Node, record: Record) -> Outcome:
    entries = _entries(item, node, record)
    if entries and facts.is_absent(entries[-1]):
        return contradicted("negation", "the record says that it is absent", entries[-1:])
    return supported("finding", entries[-1:]) if entries else unsupported("finding", _NOWHERE)


def no_finding(node: Node, record: Record) -> list[Outcome]:
    return [_no_finding(each, node, record) for each in items(node)]


def _no_finding(item: Node, node: Node, record: Record) -> Outcome:
    entries = _entries(item, node, record)
    if entries and not facts.is_absent(entries[-1]):
        return contradicted("negation", told(entries[-1]), entries[-1:])
    return supported("negation", entries[-1:]) if entries else unsupported("negation", _NOWHERE)


def _entries(item: Node, node: Node, record: Record) -> list[ClinicalFact]:
    """Entries of a finding at the time that is named; of a film those that films have."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    own = [fact for fact in named(item, record) if all(is_of(fact, span) for span in spans)]
    if node.all("film"):
        own = [fact for fact in own if fact.kind == pb.FACT_KIND_IMAGING_FINDING]
    return own if spans else [fact for fact in own if not facts.has_ended(fact, record.today)]


def named(item: Node, record: Record) -> list[ClinicalFact]:
    """The patient's own entries of a finding with its side and place."""
    said = {each.says("side") for each in item.all("side")}
    words = {part.text for part in item.parts if not part.kinds and part.text.isalpha()} - _DETERMINERS
    entries = record.of(meaning.keys(item, names.PROBLEM, names.IMAGING), *_KINDS)
    own = [fact for fact in entries if not facts.is_family_history(fact) and (not said or facts.sides(fact) == said)]
    return [fact for fact in own if words <= set(_WORD.findall(facts.searchable(fact).lower()))]


def only_in_texts(_: Node, __: Record) -> list[Outcome]:
    return [unsupported("text", "no text of the record says so")]


def quoted(node: Node, record: Record) -> list[Outcome]:
    """The very words of a document of that name and day, and their language."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    keys = frozenset().union(*(meaning.keys(each, *names.KINDS) for each in (*node.all("things"), *node.all("obs"))))
    dated = [each for each in record.of(keys) if all(is_of(each, span) for span in spans)]
    texts = {each.fact_id: record.sources.text_of(each.fact_id) for each in dated}
    wanted = [" ".join(str(quote.value).split()) for quote in node.all("quote")]
    tongues = {part.text.casefold() for part in node.all("language")}
    own = [each for each in dated if _holds(texts[each.fact_id], wanted, tongues)]
    return [supported("quote", own[-1:])] if own else [contradicted("quote", "no such document has these words")]


def _holds(text: str, wanted: Sequence[str], tongues: set[str]) -> bool:
    here = " ".join(text.split())
    in_tongue = tongues <= {languages.of(text).casefold() or languages.ENGLISH.casefold()}
    return in_tongue and all(each in here for each in wanted) and not speaks_to_software(text)


def treated(node: Node, record: Record) -> list[Outcome]:
    """Given for something; what an allergy made needed only a text says."""
    if node.all("cause"):
        return [*prescriptions.took(node, record), unsupported("relation", _NO_REASON)]
    reasons = tuple(each for role in ("conditions", "condition") for each in node.all(role))
    return prescriptions.took(replace(node, roles={**node.roles, "reason": reasons}), record)
