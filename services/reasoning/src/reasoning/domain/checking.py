"""Checks a text that another system wrote against a patient's whole record, sentence by sentence.

Guarantee: each span carries its verdict, the reason, its claims, and pointers to what it rests on or what the record
says instead; the answer is bounded, whatever the text, and says what of the record was not read. A text that comes bit
by bit has the spans of the whole, however it was cut.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from grounding import Cutter, Judged, Piece, Sources, Verdict, Verifier, judge_piece, worst_of
from grounding.explain import Asserted
from grounding.render import cite_fact, cite_passage
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.reasoning_service_pb2 import Argument, Assertion, CheckedSpan, CheckSummary
from longitude.record.v1.context_pb2 import Note, Passage

MAX_TEXT = 100_000
# Of the record's letters and reports that are read for one text, in UTF-8: the newest few hundred pages.
MAX_NOTES_BYTES = 1024 * 1024
# Sources shown for one span, and fact ids for one claim.
_SOURCES = 5
_QUOTATION = re.compile(r"“([^”]{3,400})”")
_QUOTATIONS = 20
_COUNTED = {
    Verdict.SUPPORTED: "supported",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.UNSUPPORTED: "unsupported",
    None: "no_claim",
}


def quotations(text: str) -> tuple[str, ...]:
    """Different words in “ ”, to be looked for in the evidence library."""
    found = (match.group(1).strip() for match in _QUOTATION.finditer(text))
    return tuple(dict.fromkeys(filter(None, found)))[:_QUOTATIONS]


def unread(notes: Sequence[Note], *, are_all: bool) -> list[str]:
    """What an answer says where only the newest texts of a record were read."""
    return [] if are_all else [f"notes: only the texts of the {len(notes):,} newest documents were read"]


class Checking:
    """One text, whole or bit by bit. What a sentence quotes is looked up by the caller when the sentence is complete;
    the passages that are found are sources from that sentence on.
    """

    def __init__(self, sources: Callable[[tuple[Passage, ...]], Sources], degraded: Sequence[str] = ()) -> None:
        """`sources`: the record, with these passages of the evidence library."""
        self._with = sources
        self._degraded = degraded
        self._cutter = Cutter()
        self._asked: dict[str, None] = {}
        self._passages: dict[str, Passage] = {}
        self._judged: list[Judged] = []
        self._read(())

    def feed(self, text: str) -> list[Piece]:
        """The sentences that are complete with this; TooManySentencesError."""
        return list(self._cutter.feed(text))

    def end(self) -> list[Piece]:
        return list(self._cutter.end())

    def wanted(self, pieces: Sequence[Piece]) -> tuple[str, ...]:
        """What these sentences quote and no earlier one did, to be looked for in the evidence library."""
        new = [each for piece in pieces for each in quotations(piece.words) if each not in self._asked]
        asked = tuple(dict.fromkeys(new))[: _QUOTATIONS - len(self._asked)]
        self._asked |= dict.fromkeys(asked)
        return asked

    def spans(self, pieces: Sequence[Piece], quoted: Mapping[str, Sequence[Passage]]) -> list[CheckedSpan]:
        """The sentences judged in order; `quoted`: what was found for each that was wanted."""
        return [self._span(piece, quoted) for piece in pieces]

    def summary(self) -> CheckSummary:
        """Of all that was judged."""
        counts = Counter(_COUNTED[each.verdict] for each in self._judged)
        return CheckSummary(verdict=worst_of(self._judged).to_proto(), degraded=self._degraded, **counts)

    def _span(self, piece: Piece, quoted: Mapping[str, Sequence[Passage]]) -> CheckedSpan:
        looked_up = (passage for words in quotations(piece.words) for passage in quoted.get(words, ()))
        new = {each.passage_id: each for each in looked_up if each.passage_id not in self._passages}
        if new:
            self._passages |= new
            self._read(tuple(self._passages.values()))
        judged = judge_piece(piece, self._verifier)
        self._judged.append(judged)
        return _span(judged, self._sources)

    def _read(self, passages: tuple[Passage, ...]) -> None:
        self._sources = self._with(passages)
        self._verifier = Verifier(self._sources)


def _span(judged: Judged, sources: Sources) -> CheckedSpan:
    claims = [claim.to_proto() for claim in judged.claims]
    for claim in claims:
        del claim.fact_ids[_SOURCES:]
    return CheckedSpan(
        start=judged.start,
        end=judged.end,
        verdict=judged.verdict.to_proto() if judged.verdict else wire.VERDICT_NO_CLAIM,
        reason=judged.reason,
        claims=claims,
        citations=_citations(judged, sources),
        assertions=[_assertion(each) for each in judged.assertions],
        sections=judged.sections,
    )


def _assertion(asserted: Asserted) -> Assertion:
    arguments = [Argument(name=name, text=text) for name, text in asserted.arguments]
    return Assertion(start=asserted.start, end=asserted.end, kind=asserted.kind, arguments=arguments)


def _citations(judged: Judged, sources: Sources) -> list[wire.Citation]:
    """First of the claims that decided, then of those that point to least: a value before its concept."""
    ordered = sorted(judged.claims, key=lambda claim: (claim.verdict is not judged.verdict, len(claim.fact_ids)))
    fact_ids = dict.fromkeys(each for claim in ordered for each in claim.fact_ids)
    passage_ids = dict.fromkeys(each for claim in ordered for each in claim.passage_ids)
    facts = [cite_fact(sources.fact(each)) for each in list(fact_ids)[:_SOURCES]]
    return facts + [cite_passage(each, sources) for each in list(passage_ids)[:_SOURCES]]
