"""The social history: the newest answer to a question, or that of a day; what no entry answers, its texts do."""

from collections.abc import Iterator, Sequence

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding import keys as keys_of
from grounding.comparing import meaning
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import answers, names, wordings
from grounding.reading.nodes import Node

ANSWER = "answer"
# Answers that say nothing.
_DENYING = frozenset(("denies", "denied"))
_OTHER = {"yes": "no", "no": "yes"}
_AGAIN = frozenset(("again", "back"))
_DECLINED = frozenset({"i choose not to answer this question", "unknown", "declined", "asked but unknown", "unsure"})


def answered(node: Node, record: Record) -> list[Outcome]:
    """Each answer that is told must be the newest one of the time that is said."""
    if node.says("changed"):
        return [_changed(each, spans, record) for each, spans, _ in told(node, record)]
    words = {part.text for part in node.parts}
    again = not _AGAIN.isdisjoint(words)
    if words & _DENYING:
        return [_denied(each, spans, record) for each, spans, _ in told(node, record)]
    return [
        _again(each, spans, record) if again else _answered(each, spans, record, labels)
        for each, spans, labels in told(node, record)
    ]


def _denied(node: Node, spans: Sequence[meaning.Span], record: Record) -> Outcome:
    """`She denied being afraid`: the answer to that question is the other one of yes and no."""
    asked = {question: _OTHER.get(next(iter(own))) for question, own in wanted(node, None).items() if len(own) == 1}
    for question, other in asked.items():
        stated = _stated(question, spans, record)
        if stated is None or other is None:
            continue
        if _text(stated) == other:
            return supported(ANSWER, [stated])
        return contradicted(ANSWER, f"the record has {stated.coded.display or stated.text}", [stated])
    return unsupported(ANSWER, "the record does not say so")


def told(node: Node, record: Record) -> Iterator[tuple[Node, list[meaning.Span], Keys | None]]:
    """Each answer that a clause tells, its time, and the question that it is told to answer.

    Of a course (`from full-time in 2021 to part-time in 2023`) each has the time behind it.
    """
    if node.says("course"):
        yield from ((each, spans, None) for each, spans in _course(node, record))
        return
    own = [when for when in node.all("when") if not (_is_of_question(when) and _asks_of_year(node))]
    spans = [span for when in own for span in meaning.spans(when, record)]
    # A question that is named is that of the first answer: `Race: Asian; not Hispanic`.
    for place, each in enumerate(_answers(node)):
        yield each, spans, None if place else _labels(node)


def _is_of_question(when: Node) -> bool:
    """`In the past year`, which is what some questions ask."""
    return when.says("time") == "last-unit" and "year" in when.text.lower()


def _asks_of_year(node: Node) -> bool:
    return any(answers.is_of_year(question) for each in _answers(node) for question in wanted(each, None))


def _labels(node: Node) -> Keys | None:
    if node.says("question"):
        return frozenset({keys_of.of_loinc(node.says("question"))})
    return meaning.keys(node.all("label")[0], names.OBSERVABLE) if node.all("label") else None


def _answers(node: Node) -> list[Node]:
    inner = [one for each in node.all("socials") for one in each.all("social")]
    words = node.says("answer")
    said = [Node(words, node.start, node.end, frozenset({"social"}), value=answers.meaning(words))] if words else []
    return [*node.all("before"), *inner, *node.all("social"), *said]


def _course(node: Node, record: Record) -> Iterator[tuple[Node, list[meaning.Span]]]:
    pending: list[Node] = []
    for part in node.parts:
        if "socials" in part.kinds:
            yield from ((each, []) for each in pending)
            pending = list(part.all("social"))
        elif "when" in part.kinds:
            spans = meaning.spans(part, record)
            yield from ((each, spans) for each in pending)
            pending = []
    yield from ((each, []) for each in pending)


def wanted(node: Node, labels: Keys | None) -> dict[str, set[str]]:
    """The answers that words give, by question; where one is named, to that alone."""
    found = dict[str, set[str]]()
    for key in _keys(node):
        question, answer = answers.of_key(key)
        if labels is None or keys_of.of_loinc(question) in labels:
            found.setdefault(question, set()).add(answer)
    return found


def _keys(node: Node) -> frozenset[str]:
    own = node.value if isinstance(node.value, frozenset) else answers.meaning(node.text)
    return frozenset(each for each in own if each.startswith(answers.PREFIX))


def _answered(node: Node, spans: Sequence[meaning.Span], record: Record, labels: Keys | None) -> Outcome:
    possible = wanted(node, labels)
    asked = {question: stated for question in possible if (stated := _stated(question, spans, record))}
    for question, stated in asked.items():
        if _text(stated) in possible[question]:
            return supported(ANSWER, [stated])
    if asked:
        stated = next(iter(asked.values()))
        return contradicted(ANSWER, f"the record has {stated.coded.display or stated.text}", [stated])
    return unsupported(ANSWER, "the record does not say so")


def _again(node: Node, spans: Sequence[meaning.Span], record: Record) -> Outcome:
    """`Again`: this answer, and before it another one."""
    outcome = _answered(node, spans, record, None)
    stated = next((fact for fact in record.facts if fact.fact_id in outcome.fact_ids), None)
    if not outcome.holds or stated is None:
        return outcome
    before = (fact for fact in record.asked(stated.code.code) if facts.in_time(fact) < facts.in_time(stated))
    if any(_text(fact) != _text(stated) for fact in before):
        return outcome
    return unsupported(ANSWER, "the record does not say that it was otherwise before")


def _changed(node: Node, spans: Sequence[meaning.Span], record: Record) -> Outcome:
    """`No longer`: another answer now, and this one before."""
    for question, own in wanted(node, None).items():
        stated = _stated(question, spans, record)
        if stated is None:
            continue
        before = [fact for fact in record.asked(question) if facts.in_time(fact) < facts.in_time(stated)]
        earlier = [fact for fact in before if _text(fact) in own]
        if _text(stated) not in own and earlier:
            return supported(ANSWER, [stated, earlier[-1]])
        return contradicted(ANSWER, f"the record has {stated.coded.display or stated.text}", [stated])
    return unsupported(ANSWER, "the record does not say so")


def _stated(question: str, spans: Sequence[meaning.Span], record: Record) -> ClinicalFact | None:
    """The newest answer before the end of the time that is said; None where it was declined."""
    given = [fact for fact in record.asked(question) if all(_is_of(fact, span) for span in spans)]
    return given[-1] if given and _text(given[-1]) not in _DECLINED else None


def _is_of(fact: ClinicalFact, span: meaning.Span) -> bool:
    return not span.readings or span.includes(facts.starts_on(fact))


def _text(fact: ClinicalFact) -> str:
    return wordings.plain(fact.coded.display or fact.text).casefold()


def household(node: Node, record: Record) -> list[Outcome]:
    """How many people live in the household; `with two others`: one more."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    stated = _stated(answers.counted("household"), spans, record)
    value = facts.number(stated.quantity) if stated else None
    if stated is None or value is None:
        return [unsupported(ANSWER, "the record does not say how many")]
    said = int(node.says("more") or 0) + (meaning.amount(node.all("value")[0]).value if node.all("value") else 0)
    if said == value:
        return [supported(ANSWER, [stated])]
    return [contradicted(ANSWER, f"the record has {stated.quantity.value}", [stated])]
