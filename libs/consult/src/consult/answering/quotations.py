"""What letters and reports say, in their own words: of the document that is asked for, or where no entry says it.

Guarantee: a quotation is whole sentences of one text, with what the text is, its day, and its language where that is
not English; a text that speaks to software is not quoted.
"""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grounding import Sources, Statement, facts, render, texts
from grounding.comparing.record import Record
from grounding.reading.tokens import tokens
from grounding.spans import Span
from grounding.statements import Day, Excerpt, Language, Name, Part, Words, join
from grounding.texts import Said, Text
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from terminology import documents, languages

from consult.answering.inquiry import Form, Inquiry
from consult.answering.wording import Ways
from consult.context.relevance import terms

# Letters from which on two words are of one stem.
_ALIKE = 7
# Lines of a text that say what it is, unless they are sentences.
_HEAD, _ENDS = 4, (".", ",", ":", ";")
# How a quotation ends that is no item of a list.
_SENTENCE = (".”", "!”")
# Characters and sentences of a quotation.
_LONGEST, _SENTENCES = 400, 3
# Documents that are read for a thing by any name, that are quoted, and that are named where none says it.
_READ, _QUOTED, _NEAREST = 10, 2, 3
# Words that any text is called by.
_ANY_TEXT = terms("letter letters report reports note notes document documents summary")
_MONTHS = terms(" ".join(calendar.month_name))
# Words from which on a line says something.
_SAYS = 3
# Of what is asked, the share that a sentence must hold.
_ENOUGH = 0.6
# Lines that lead what a report comes to.
_CONCLUSIONS = terms(
    "impression conclusion conclusions assessment opinion recommendation recommendations plan diagnosis diagnoses "
    "beurteilung empfehlung diagnose diagnosen zusammenfassung"
)


@dataclass(frozen=True, slots=True)
class _Headed:
    """A text with the stems of its names and of its first words."""

    text: Text
    head: frozenset[str]


def asked(inquiry: Inquiry) -> bool:
    """Whether what a document says is asked for."""
    return inquiry.asks(Form.DOCUMENT) and inquiry.asks(Form.STATED)


def around(inquiry: Inquiry, sources: Sources) -> list[Ways]:
    """What the document says of what is asked, else what it comes to; none where there is no such document."""
    every = _texts(inquiry, sources)
    unsaid = inquiry.words - _MONTHS
    topic = inquiry.topic or frozenset(each for each in unsaid if not any(_is_in(each, one) for one in every))
    candidates = _candidates(every, inquiry)
    told = _about(candidates, topic, inquiry, sources) if topic else []
    named = any(_is_in(each, one) for each in inquiry.origin - _ANY_TEXT for one in candidates[:1])
    return told or (_concluding(candidates[:1], sources) if named or not topic else [])


def nearest(inquiry: Inquiry, sources: Sources) -> Iterator[Ways]:
    """The documents that come nearest to the one that is asked for, by name."""
    candidates = _candidates(_texts(inquiry, sources), inquiry)
    yield from ((_named(each.text.fact_id),) for each in candidates[:_NEAREST])


def _candidates(every: Sequence[_Headed], inquiry: Inquiry) -> list[_Headed]:
    """Those whose names have the most of what is asked, the newest first."""
    agrees = [sum(_is_in(each, one) for each in inquiry.origin) for one in every]
    return [one for one, count in zip(every, agrees, strict=True) if count == max(agrees)]


def stating(asked_for: frozenset[str], inquiry: Inquiry, sources: Sources) -> list[Ways]:
    """The newest sentences of documents that hold all of these stems; what is only listed there says nothing."""
    told = _quotations(_texts(inquiry, sources), asked_for, sources, enough=1.0) if asked_for else []
    return [ways for ways in told if render(ways[0], sources).text.endswith(_SENTENCE)]


def otherwise(inquiry: Inquiry, sources: Sources) -> list[Ways]:
    """Where nothing else answers: the document that is named, else sentences that hold all that is asked."""
    return around(inquiry, sources) if inquiry.asks(Form.DOCUMENT) else stating(inquiry.words, inquiry, sources)


def _about(every: Sequence[_Headed], topic: frozenset[str], inquiry: Inquiry, sources: Sources) -> list[Ways]:
    keys = frozenset().union(*(each.keys for each in inquiry.mentions))
    return _quotations(every, topic, sources) or _naming(every, keys, sources)


def _texts(inquiry: Inquiry, sources: Sources) -> list[_Headed]:
    """The documents of the days that are named, the newest first."""
    every = texts.of(Record(sources, sources.current)).all
    of_days = [each for each in every if not inquiry.days or any(a <= each.day <= b for a, b in inquiry.days)]
    return [_Headed(each, _head(each, sources)) for each in of_days if _is_document(each, sources)]


def _is_document(text: Text, sources: Sources) -> bool:
    return sources.fact(text.fact_id).kind in (pb.FACT_KIND_DOCUMENT, pb.FACT_KIND_RESULT)


def _head(text: Text, sources: Sources) -> frozenset[str]:
    fact = sources.fact(text.fact_id)
    lines = [line for line in text.text.strip().splitlines()[:_HEAD] if not line.rstrip().endswith(_ENDS)]
    return terms(" ".join((*facts.names(fact), *documents.names(fact.code), text.title, *lines)))


def _is_in(word: str, headed: _Headed) -> bool:
    return any(_is_alike(word, each) for each in headed.head)


def _is_alike(one: str, other: str) -> bool:
    """Of one stem, in whichever language: cardiologist, Kardiologie."""
    one, other = one.replace("k", "c"), other.replace("k", "c")
    return one == other or (len(one) >= _ALIKE and one[:_ALIKE] == other[:_ALIKE])


def _quotations(
    every: Sequence[_Headed], topic: frozenset[str], sources: Sources, enough: float = _ENOUGH
) -> list[Ways]:
    """Of the first documents that hold so much of what is asked, the sentences that hold the most of it."""
    found: list[Ways] = []
    for each in every:
        shares = [(len(topic & terms(said.piece.words)) / len(topic), said) for said in _sentences(each, topic)]
        most = max((share for share, _ in shares), default=0.0)
        if most >= enough:
            found.append(_quoted([said for share, said in shares if share == most], sources))
        if len(found) == _QUOTED:
            break
    return found


def _naming(every: Sequence[_Headed], keys: frozenset[str], sources: Sources) -> list[Ways]:
    """The sentences of the first document that names what is asked by another name."""
    record = Record(sources, sources.current)
    for each in every[:_READ] if keys else ():
        naming = [said for said in each.text.sentences if not keys.isdisjoint(_keys(said, record))]
        if naming:
            return [_quoted(naming, sources)]
    return []


def _keys(spoken: Said, record: Record) -> frozenset[str]:
    nodes = tokens(spoken.piece.words, spoken.day, record.known)
    return frozenset().union(*(each.value for each in nodes if isinstance(each.value, frozenset)))


def _concluding(every: Sequence[_Headed], sources: Sources) -> list[Ways]:
    """What a document comes to, and as much of its first sentences as there is room for."""
    for each in every:
        said = [one for one in each.text.sentences if len(one.words) >= _SAYS]
        closing = [one for one in said if any(terms(line) & _CONCLUSIONS for line in one.piece.block.above)]
        if said:
            return [_quoted([*closing, *(one for one in said if one not in closing)], sources)]
    return []


def _sentences(headed: _Headed, topic: frozenset[str]) -> Sequence[Said]:
    """Those of a text that may hold some of it; a text is cut only where it does."""
    spoken = headed.text.text.casefold()
    return headed.text.sentences if any(stem in spoken for stem in topic) else ()


def _quoted(spoken: Sequence[Said], sources: Sources) -> Ways:
    """As many of the sentences as are read at a glance, in the order of the text; else the first of them alone."""
    chosen: list[Span] = []
    for span in (each.piece.span for each in spoken[:_SENTENCES]):
        if chosen and sum(each.end - each.start for each in (*chosen, span)) > _LONGEST:
            break
        chosen.append(span)
    fact_id = spoken[0].fact_id
    whole = _joined(sorted(chosen, key=lambda each: each.start), sources.text_of(fact_id))
    return (_statement(fact_id, whole, sources), _statement(fact_id, chosen[:1], sources))


def _joined(spans: Sequence[Span], text: str) -> list[Span]:
    """Those that stand together as one."""
    joined: list[Span] = []
    for span in spans:
        together = joined and not text[joined[-1].end : span.start].strip()
        joined.append(Span(joined.pop().start, span.end) if together else span)
    return joined


def _statement(fact_id: str, spans: Sequence[Span], sources: Sources) -> Statement:
    """`Discharge summary (2025-03-01), in German: “Die Nierenfunktion ist stabil.”`"""
    foreign = (Words(", in "), Language(fact_id)) if languages.of(sources.text_of(fact_id)) else ()
    quoted = join(", ", [(Excerpt(fact_id, span.start, span.end),) for span in spans])
    return Statement(wire.STATEMENT_KIND_EVENT, (*_name(fact_id), *foreign, Words(": "), *quoted))


def _named(fact_id: str) -> Statement:
    """`Document: discharge summary (2025-03-01).`"""
    return Statement(wire.STATEMENT_KIND_EVENT, (Words("Document: "), *_name(fact_id, capital=False)))


def _name(fact_id: str, *, capital: bool = True) -> tuple[Part, ...]:
    return (Name(fact_id, capital=capital), Words(" ("), Day(fact_id), Words(")"))
