"""Typed statements to text with citations.

Guarantee: every value, unit, date, drug name and laterality in the text is copied from the fact, passage or calculation
that the part names; a statement that names a source the episode does not have is refused (`UnknownSourceError`).
"""

from dataclasses import dataclass

from longitude.reasoning.v1.assessment_pb2 import Citation
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import languages

from grounding import facts, relations
from grounding.calculators import compute
from grounding.formula import age_in_years
from grounding.sources import Sources, birth_day
from grounding.statements import (
    Age,
    ClassName,
    Comments,
    Computed,
    Count,
    CrossReaction,
    Day,
    Dose,
    Excerpt,
    Label,
    Language,
    Method,
    Name,
    Origin,
    Part,
    Probability,
    Quote,
    Reaction,
    Severity,
    StatedDay,
    Statement,
    Value,
    Words,
)

_MAX_QUOTE = 400
# A text value of more words than this is somebody's sentence: it is shown as a quotation.
_LONGEST_PLAIN_VALUE = 3


class UnrenderableError(ValueError):
    """The source has no such value: a date that is not recorded, a class that the drug is not of."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A statement as text, with what it rests on."""

    statement: Statement
    text: str
    citations: tuple[Citation, ...]


def render(statement: Statement, sources: Sources) -> Rendered:
    """UnknownSourceError or UnrenderableError when a part has no value; nothing is left blank or guessed."""
    text = "".join(render_part(part, sources) for part in statement.parts)
    return Rendered(statement, _sentence(text), citations(statement, sources))


def citations(statement: Statement, sources: Sources) -> tuple[Citation, ...]:
    """Facts, then passages, each with the words of the source that a reader is shown."""
    cited = [cite_fact(sources.fact(fact_id)) for fact_id in statement.fact_ids]
    return (*cited, *(cite_passage(each, sources) for each in statement.passage_ids))


def cite_fact(fact: ClinicalFact) -> Citation:
    return Citation(fact_id=fact.fact_id, source=fact.source, quote=_as_recorded(fact))


def cite_passage(passage_id: str, sources: Sources) -> Citation:
    passage = sources.passage(passage_id)
    release = passage.release if passage.HasField("release") else None
    return Citation(passage_id=passage_id, quote=passage.text[:_MAX_QUOTE], release=release)


def render_part(part: Part, sources: Sources) -> str:
    """The text of one part."""
    match part:
        case Words(text=text) | Label(display=text):
            return text
        case Method(name=name):
            return name
        case Computed() | CrossReaction() | StatedDay() | Age() | Count():
            return _related(part, sources)
        case Excerpt() | Language() | Quote() | Origin():
            return _of_text(part, sources)
        case _:
            return _of_fact(part, sources.fact(part.fact_id))


def _of_fact(
    part: Name | ClassName | Value | Day | Dose | Severity | Comments | Reaction | Probability,
    fact: ClinicalFact,
) -> str:
    match part:
        case Name(capital=capital):
            return _capital(facts.name_of(fact)) if capital else facts.name_of(fact)
        case ClassName(drug_class=identifier):
            return _class_name(fact, identifier)
        case Value(bare=bare, rounded=rounded):
            return _value(fact, bare=bare, rounded=rounded)
        case Day(end=end):
            return _day(fact, end=end)
        case Probability():
            return f"{fact.confidence:.2f}"
        case _:
            return _words_of(part, fact)


def _words_of(part: Dose | Severity | Comments | Reaction, fact: ClinicalFact) -> str:
    match part:
        case Comments():
            return ", ".join(f"“{comment}”" for comment in facts.comments(fact))
        case Dose():
            return facts.printed_dose(fact)
        case Severity():
            return facts.severity(fact)
        case _:
            return fact.note


def _value(fact: ClinicalFact, *, bare: bool, rounded: bool = False) -> str:
    if fact.HasField("quantity"):
        quantity = facts.as_written(fact.quantity) if rounded else fact.quantity
        return quantity.comparator + quantity.value if bare else facts.printed_quantity(quantity)
    text = fact.text or fact.coded.display
    if not text:
        raise UnrenderableError("the fact has no value")
    plain = " ".join(text.split())
    return f"“{plain}”" if len(plain.split()) > _LONGEST_PLAIN_VALUE else plain


def _day(fact: ClinicalFact, *, end: bool) -> str:
    day = facts.ends_on(fact) if end else facts.starts_on(fact)
    if day is None:
        raise UnrenderableError("the fact has no such date")
    return day.isoformat()


def _stated_day(sources: Sources, fact_id: str) -> str:
    day = sources.stated_on(sources.fact(fact_id))
    if day is None:
        raise UnrenderableError("the fact does not say when it was stated")
    return day.isoformat()


def _class_name(fact: ClinicalFact, identifier: str) -> str:
    own = facts.class_of(fact, identifier)
    if own is None:
        raise UnrenderableError("the fact names no drug of this class")
    return own.name


def _cross_reaction(medication: ClinicalFact, allergy: ClinicalFact) -> str:
    relation = relations.between(medication, allergy)
    if relation is None or relation.cross_reaction is None:
        raise UnrenderableError("nothing is known of a cross-reaction between the two")
    return relations.words(relation.cross_reaction)


def _age(sources: Sources, fact_id: str) -> str:
    born = birth_day(sources.fact(fact_id))
    if born is None:
        raise UnrenderableError("the fact states no day of birth")
    return str(age_in_years(born, sources.today))


def _related(part: Computed | CrossReaction | StatedDay | Age | Count, sources: Sources) -> str:
    """What follows from several facts, or from the day of the question."""
    if isinstance(part, Computed):
        return _computed(part, sources)
    if isinstance(part, Count):
        return str(len({facts.starts_on(sources.fact(fact_id)) for fact_id in part.fact_ids}))
    if isinstance(part, StatedDay):
        return _stated_day(sources, part.fact_id)
    if isinstance(part, Age):
        return _age(sources, part.fact_id)
    return _cross_reaction(sources.fact(part.medication_id), sources.fact(part.allergy_id))


def _computed(part: Computed, sources: Sources) -> str:
    result = compute(part.name, [sources.fact(fact_id) for fact_id in part.fact_ids])
    return f"{result.text} ({result.day.isoformat()})" if part.day else result.text


def _of_text(part: Excerpt | Language | Quote | Origin, sources: Sources) -> str:
    """Words of a passage or of a document, and what is said of it."""
    match part:
        case Quote(passage_id=passage_id):
            return _quoted(sources.passage(passage_id).text, part.start, part.end)
        case Origin(passage_id=passage_id):
            return _origin(passage_id, sources)
        case Excerpt(fact_id=fact_id):
            return _quoted(sources.text_of(fact_id), part.start, part.end)
        case Language(fact_id=fact_id):
            return languages.of(sources.text_of(fact_id)) or languages.ENGLISH


def _quoted(text: str, start: int, end: int) -> str:
    if not 0 <= start < end <= len(text):
        raise UnrenderableError("the quotation lies outside the text")
    if "”" in text[start:end]:
        raise UnrenderableError("the quotation holds a mark that would end it")
    return f"“{text[start:end].strip()}”"


def _origin(passage_id: str, sources: Sources) -> str:
    passage = sources.passage(passage_id)
    grade = f"grade {passage.grade}" if passage.grade else ""
    return ", ".join(part for part in (passage.source or passage.title, grade) if part)


def _as_recorded(fact: ClinicalFact) -> str:
    """One line of the record: name, value, day, dose, reaction, severity, comments."""
    try:
        value = _value(fact, bare=False)
    except UnrenderableError:
        value = ""
    if facts.is_absent(fact):
        value = f"{value} (stated to be absent)".strip()
    day = facts.starts_on(fact)
    sent = fact.source_quantity
    as_sent = f"(sent as {facts.printed_quantity(sent)})" if fact.HasField("source_quantity") else ""
    parts = [
        facts.name_of(fact),
        value,
        as_sent,
        facts.printed_dose(fact),
        fact.note[:_MAX_QUOTE],
        facts.severity(fact),
    ]
    comments = ", ".join(f"“{each}”" for each in facts.comments(fact))[:_MAX_QUOTE]
    parts += [day.isoformat() if day else _stated(fact), f"(comment: {comments})" if comments else ""]
    return " ".join(part for part in parts if part)


def _stated(fact: ClinicalFact) -> str:
    """When a fact without a start was stated."""
    day = facts.reported_on(fact)
    return f"(stated {day.isoformat()})" if day else ""


def _capital(text: str) -> str:
    """First letter upper-case, except where the case carries meaning (eGFR, pH)."""
    return text if len(text) > 1 and text[1].isupper() else text[:1].upper() + text[1:]


def _sentence(text: str) -> str:
    clean = " ".join(text.split()).replace(" ,", ",").replace(" .", ".").replace(" )", ")")
    return clean if clean[-1:] in {".", "?", "”"} else clean + "."
