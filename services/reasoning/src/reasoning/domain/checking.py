"""Checks a text that another system wrote against a patient's whole record, sentence by sentence.

Guarantee: each span carries its verdict, the reason, its claims, and pointers to what it rests on or what the record
says instead; the answer is bounded, whatever the text, and says what of the record was not read.
"""

import re
from collections import Counter
from collections.abc import Sequence

from grounding import Judged, Sources, Verdict, Verifier, judge, worst_of
from grounding.explain import Asserted
from grounding.render import cite_fact, cite_passage
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.reasoning_service_pb2 import Argument, Assertion, CheckedSpan, CheckResponse
from longitude.record.v1.context_pb2 import Note

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


def check(text: str, sources: Sources, degraded: Sequence[str] = ()) -> CheckResponse:
    """TooManySentencesError when it has too many of them."""
    judged = judge(text, Verifier(sources))
    counts = Counter(_COUNTED[each.verdict] for each in judged)
    spans = [_span(each, sources) for each in judged]
    return CheckResponse(verdict=worst_of(judged).to_proto(), spans=spans, degraded=degraded, **counts)


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
