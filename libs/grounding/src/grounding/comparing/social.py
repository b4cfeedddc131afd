"""The social history: the newest answer to a question, or that of a day."""

from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts
from grounding import keys as keys_of
from grounding.comparing import meaning
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.lexicon import Keys
from grounding.reading import answers, names, wordings
from grounding.reading.nodes import Node


def answered(node: Node, record: Record) -> list[Outcome]:
    """Each answer that is told must be the newest one of the time that is said."""
    given = [*(one for each in node.all("socials") for one in each.all("social")), *node.all("social")]
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    labels = meaning.keys(node.all("label")[0], names.OBSERVABLE) if node.all("label") else None
    # A question that is named is that of the first answer: `Race: Asian; not Hispanic`.
    return [_answered(each, spans, record, None if place else labels) for place, each in enumerate(given)]


def _wanted(node: Node, labels: Keys | None) -> dict[str, set[str]]:
    """The answers that words give, by question; where one is named, to that alone."""
    wanted = dict[str, set[str]]()
    for key in answers.meaning(node.text):
        question, answer = answers.of_key(key)
        if labels is None or keys_of.of_loinc(question) in labels:
            wanted.setdefault(question, set()).add(answer)
    return wanted


def _answered(node: Node, spans: list[meaning.Span], record: Record, labels: Keys | None) -> Outcome:
    wanted = _wanted(node, labels)
    asked = {question: stated for question in wanted if (stated := _stated(question, spans, record))}
    for question, stated in asked.items():
        if _text(stated) in wanted[question]:
            return supported("answer", [stated])
    if asked:
        stated = next(iter(asked.values()))
        return contradicted("answer", f"the record has {stated.coded.display or stated.text}", [stated])
    return unsupported("answer", "the record does not say so")


def _stated(question: str, spans: list[meaning.Span], record: Record) -> ClinicalFact | None:
    """The newest answer before the end of the time that is said."""
    given = [fact for fact in record.asked(question) if all(_is_of(fact, span) for span in spans)]
    return given[-1] if given else None


def _is_of(fact: ClinicalFact, span: meaning.Span) -> bool:
    return not span.readings or span.includes(facts.starts_on(fact))


def _text(fact: ClinicalFact) -> str:
    return wordings.plain(fact.coded.display or fact.text).casefold()


def household(node: Node, record: Record) -> list[Outcome]:
    """How many people live in the household."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    stated = _stated(answers.counted("household"), spans, record)
    value = facts.number(stated.quantity) if stated else None
    if stated is None or value is None:
        return [unsupported("answer", "the record does not say how many")]
    if meaning.amount(node.all("value")[0]).value == value:
        return [supported("answer", [stated])]
    return [contradicted("answer", f"the record has {stated.quantity.value}", [stated])]
