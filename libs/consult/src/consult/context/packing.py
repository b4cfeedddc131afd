"""The part of a record that serves a question, within a token budget.

Sections in the order they are read: what the question asks for, what changes its meaning (open contradictions), the
dangers (allergies, critical values), patient, notes, evidence, problems, medications, other results, history
(encounters, procedures, what has ended). Each may first take its share of the budget (SHARES) in that order; what is
left over then goes to the lines that did not fit, in the same order. Every line carries the id of the one fact or
passage it rests on. A correction and the comment of a laboratory stand on the line of the value that they change.
Guarantees: deterministic for the same input; the tokens of the lines never exceed the budget. A line is written only
when the budget has room, and its tokens are counted only when the least that they can be fits.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial

from grounding import facts
from grounding.reading import names
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_DEMOGRAPHIC,
    FACT_KIND_IMAGING_FINDING,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_RESULT,
    FACT_STATUS_ENDED,
    ClinicalFact,
)

from consult import concepts, times
from consult.answering.wording import SOCIAL
from consult.context import phrases
from consult.context.tokens import TokenCounter, least

# The most of the budget that a section takes before the others have had their turn.
SHARES = {
    "asked": 0.55,
    "contradictions": 0.10,
    "dangers": 0.15,
    "patient": 0.05,
    "notes": 0.20,
    "evidence": 0.30,
    "problems": 0.10,
    "medications": 0.15,
    "results": 0.0,
    "history": 0.0,
}
_CURRENT = (FACT_KIND_PROBLEM, FACT_KIND_MEDICATION)
RESULTS = (FACT_KIND_RESULT, FACT_KIND_IMAGING_FINDING)
_NORMAL = ("", "N")


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    tokens: int
    fact_id: str = ""
    passage_id: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A piece of text found for the question, with the fact it rests on (its own, or its document's)."""

    text: str
    authored_at: datetime
    fact_id: str = ""
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may stand in a pack: the standing facts, and what searches found, best first.

    `asked`: the facts that the question asks for, `dangers`: those that must not be missed, the most telling first.
    """

    facts: Sequence[ClinicalFact]
    asked: Sequence[ClinicalFact] = ()
    dangers: Sequence[ClinicalFact] = ()
    contradictions: Sequence[tuple[str, Sequence[str]]] = ()
    notes: Sequence[Note] = ()
    passages: Sequence[Passage] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    lines: list[Line]
    # Standing facts that stand on no line.
    omitted: int

    @property
    def tokens(self) -> int:
        return sum(line.tokens for line in self.lines)


@dataclass(frozen=True)
class _Draft:
    """A line to be."""

    write: Callable[[], str]
    fact_id: str = ""
    passage_id: str = ""

    @cached_property
    def text(self) -> str:
        return " ".join(self.write().split())

    def within(self, room: int, count: TokenCounter) -> Line | None:
        """The line if it takes at most `room` tokens."""
        if room <= 0 or least(self.text) > room:
            return None
        tokens = count(self.text + "\n")
        return Line(self.text, tokens, self.fact_id, self.passage_id) if tokens <= room else None


@dataclass(frozen=True, slots=True)
class _Words:
    """What the lines of a record say: which orders were given again, and whose numbers where they are of several."""

    renewed: Collection[str]
    authority: bool


@dataclass(slots=True)
class _Purse:
    """What is left of the budget, and which lines were taken."""

    left: int
    count: TokenCounter
    taken: dict[tuple[str, int], list[Line]] = field(default_factory=dict)

    def take(self, place: tuple[str, int], drafts: Sequence[_Draft], within: int) -> int:
        """Take the lines together if they fit; return what they cost."""
        if place in self.taken:
            return 0
        room = limit = min(within, self.left)
        lines = []
        for draft in drafts:
            line = draft.within(room, self.count)
            if line is None:
                return 0
            lines.append(line)
            room -= line.tokens
        self.taken[place] = lines
        self.left -= limit - room
        return limit - room


def pack(candidates: Candidates, budget: int, now: datetime, count: TokenCounter) -> Pack:
    """Lines worth at most `budget` tokens. `now` decides what is current: the moment the record is read as of."""
    sections = _sections(candidates, now)
    purse = _Purse(budget, count)
    for name, items in sections.items():
        share = int(budget * SHARES[name])
        for n, drafts in enumerate(items):
            share -= purse.take((name, n), drafts, share)
    for name, items in sections.items():
        for n, drafts in enumerate(items):
            purse.take((name, n), drafts, purse.left)
    lines = [
        line for name, items in sections.items() for n, _ in enumerate(items) for line in purse.taken.get((name, n), [])
    ]
    shown = {line.fact_id for line in lines}
    return Pack(lines, sum(fact.fact_id not in shown for fact in candidates.facts))


Items = list[list[_Draft]]


def _sections(candidates: Candidates, now: datetime) -> Mapping[str, Items]:
    """Every section's items in order of worth. The lines of one item are taken together or not at all."""
    words = _Words(facts.renewed(candidates.facts), len({fact.patient.authority for fact in candidates.facts}) > 1)
    first = {fact.fact_id for fact in (*candidates.asked, *candidates.dangers)}
    rest = [fact for fact in candidates.facts if fact.fact_id not in first]
    asked = {fact.fact_id for fact in candidates.asked}
    others = [fact for fact in rest if fact.kind not in (FACT_KIND_DEMOGRAPHIC, *RESULTS)]
    current = [fact for fact in others if fact.kind in _CURRENT and _in_force(fact, now)]
    history = [fact for fact in others if not (fact.kind in _CURRENT and _in_force(fact, now))]

    def lines(shown: Sequence[ClinicalFact]) -> Items:
        return [[_fact_line(fact, words)] for fact in shown]

    return {
        "asked": lines(candidates.asked),
        "contradictions": _contradictions(candidates, words),
        "dangers": lines([fact for fact in candidates.dangers if fact.fact_id not in asked]),
        "patient": lines([fact for fact in rest if fact.kind == FACT_KIND_DEMOGRAPHIC]),
        "notes": [[_note_line(note)] for note in candidates.notes],
        "evidence": [[_passage_line(passage)] for passage in candidates.passages],
        "problems": lines(_of_kinds(current, FACT_KIND_PROBLEM)),
        "medications": lines(_of_kinds(current, FACT_KIND_MEDICATION)),
        "results": lines(_of_kinds(rest, *RESULTS)),
        "history": lines(sorted(history, key=_newest_first)),
    }


def _in_force(fact: ClinicalFact, now: datetime) -> bool:
    """Not ended. What is ordered for a later time is in force: it must not be missed."""
    _, end = times.interval(fact)
    return fact.status != FACT_STATUS_ENDED and (end is None or end > now)


def _of_kinds(present: Sequence[ClinicalFact], *kinds: int) -> list[ClinicalFact]:
    """Facts of these kinds: one of each concept first (the newest), then what repeats them. Of the first, what is out
    of range comes before the rest, and what surveys ask about somebody's life behind it; else the newest first.
    """
    newest = sorted((fact for fact in present if fact.kind in kinds), key=_newest_first)
    seen: set[str] = set()
    first: list[ClinicalFact] = []
    repeated: list[ClinicalFact] = []
    for fact in newest:
        (repeated if concepts.key(fact) in seen else first).append(fact)
        seen.add(concepts.key(fact))
    return sorted(first, key=lambda fact: (SOCIAL in names.keys_of(fact), fact.abnormal_flag in _NORMAL)) + repeated


def _newest_first(fact: ClinicalFact) -> tuple[float, str]:
    since = facts.known_since(fact)
    return (-since.timestamp() if since else 0.0, fact.fact_id)


def _contradictions(candidates: Candidates, words: _Words) -> Items:
    """Those about what the question asks for first."""
    known = {fact.fact_id: fact for fact in candidates.facts}
    asked = {fact.fact_id for fact in candidates.asked}
    ordered = sorted(candidates.contradictions, key=lambda each: asked.isdisjoint(each[1]))
    return [
        [
            _fact_line(known[fact_id], words, lead=f"Open contradiction ({rule}): ")
            for fact_id in fact_ids
            if fact_id in known
        ]
        for rule, fact_ids in ordered
    ]


def _fact_line(fact: ClinicalFact, words: _Words, lead: str = "") -> _Draft:
    return _Draft(partial(_fact_text, fact, words, lead), fact_id=fact.fact_id)


def _fact_text(fact: ClinicalFact, words: _Words, lead: str) -> str:
    return lead + phrases.line(fact, renewed=fact.fact_id in words.renewed, authority=words.authority)


def _note_line(note: Note) -> _Draft:
    return _Draft(lambda: f"Note {note.authored_at:%Y-%m-%d}: {note.text}", fact_id=note.fact_id)


def _passage_line(passage: Passage) -> _Draft:
    return _Draft(lambda: f"Evidence: {passage.title}. {passage.text}", passage_id=passage.passage_id)
