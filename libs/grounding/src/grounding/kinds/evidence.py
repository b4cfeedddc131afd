"""A passage of the evidence library in its own words."""

from collections.abc import Sequence

from longitude.reasoning.v1 import assessment_pb2 as wire

from grounding.kind import Choice, Kind
from grounding.sources import Sources
from grounding.spans import sentences
from grounding.statements import Origin, Part, Quote, Statement, Words


def statement(sources: Sources, passage_id: str, terms: Sequence[str] = ()) -> Statement:
    """With its source and grade."""
    return Statement(wire.STATEMENT_KIND_EVIDENCE, (Words("Evidence: "), *quotation(sources, passage_id, terms)))


def quotation(sources: Sources, passage_id: str, terms: Sequence[str] = ()) -> tuple[Part, ...]:
    """The sentence of the passage that names most of the terms (the first, without terms), and where it is from."""
    text = sources.passage(passage_id).text
    spans = sentences(text, clauses=False)
    wanted = [term.lower() for term in terms]
    best = max(spans, key=lambda span: sum(term in text[span.start : span.end].lower() for term in wanted))
    return (Quote(passage_id, best.start, best.end), Words(" ("), Origin(passage_id), Words(")"))


KIND = Kind(
    word="evidence",
    proto=wire.STATEMENT_KIND_EVIDENCE,
    handle="E",
    roles={"diagnostician": ("draft",), "pharmacist": ("check",)},
    choose=lambda passage, _: Choice("evidence", passage_id=passage.passage_id),
    say=lambda sources, choice: statement(sources, choice.passage_id),
)
