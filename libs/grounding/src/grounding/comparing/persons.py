"""The patient and the visits: sex, age, birth, admissions, stays and discharges."""

from datetime import date

from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import BIRTH_DATE, SEX

from grounding import facts, keys
from grounding.comparing import events, meaning, problems, social
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.record import Record
from grounding.formula import Sex
from grounding.reading import names
from grounding.reading.nodes import Node

_YEAR, _WHOLE = 365.25, 0.01
# A stay that is told in weeks or months is told roughly.
_LENGTH = 0.1
# How often something was done that is told as going on.
_REGULAR = 2
# How a day of birth may be told.
_DATED = frozenset(("on", "before", "after"))
FEMALE = frozenset({"she", "her", "hers", "herself", "woman", "female", "lady", "mrs", "ms"})
MALE = frozenset({"he", "him", "his", "himself", "man", "male", "gentleman", "mr"})


def sex(words: frozenset[str], record: Record) -> Outcome | None:
    """What pronouns and nouns say of the patient's sex; None where they say nothing."""
    said = {Sex.FEMALE} if words & FEMALE else set()
    said |= {Sex.MALE} if words & MALE else set()
    if not said:
        return None
    actual, fact = record.whole.sex
    if actual is None or fact is None:
        return unsupported("sex", "the record does not state the sex")
    if said == {actual}:
        return supported("sex", [fact])
    return contradicted("sex", f"the record says {actual.value}", [fact])


def person(node: Node, record: Record) -> list[Outcome]:
    """Age at a day (today where none is named), day of birth. The sex is looked at with every sentence."""
    meant = frozenset({keys.of_loinc(BIRTH_DATE if node.all("birth") else SEX)})
    if any(not meaning.keys(label, names.OBSERVABLE) & meant for label in node.all("label")):
        return [unsupported("label", "what is told is not clear")]
    found = [*_letter(node, record), *_birth(node, record), *(_age(age, node, record) for age in node.all("age"))]
    if node.all("conditions"):
        found += problems.problem(node, record)
    found += social.answered(node, record)
    _, stated = record.sex
    unknown = unsupported("sex", "the record does not state the sex")
    return found or [supported("sex", [stated]) if stated else unknown]


def _letter(node: Node, record: Record) -> list[Outcome]:
    """The sex by its letter: `69 y/o F`."""
    letters = {part.text for part in node.parts} & {"f", "m"}
    outcome = sex(frozenset({"female"} if "f" in letters else {"male"}), record) if letters else None
    return [outcome] if outcome else []


def _birth(node: Node, record: Record) -> list[Outcome]:
    born, fact = record.born
    days = [span for when in node.all("birth") for span in meaning.spans(when, record)]
    if born is None or fact is None:
        return [unsupported("date", "the record has no date of birth") for _ in days]
    return [
        supported("date", [fact])
        if day.relation in _DATED and day.includes(born)
        else contradicted("date", f"the record has {born}", [fact])
        for day in days
    ]


def _age(node: Node, whole: Node, record: Record) -> Outcome:
    born, fact = record.born
    if born is None or fact is None:
        return unsupported("age", "the record has no date of birth")
    spans = [span for when in whole.all("when") for span in meaning.spans(when, record)]
    days = [(first, last) for span in spans for first, last in span.readings] or [(record.today, record.today)]
    actual = {years(born, day) for interval in days for day in interval}
    if _years(node) in actual:
        return supported("age", [fact])
    if not spans and _years(node) == years(born, record.sources.last_seen):
        return unsupported("age", f"it is {min(actual)} by now")
    return contradicted("age", f"by the date of birth it is {min(actual)}", [fact])


def _years(node: Node) -> int:
    """UnclearError where it is no whole number of years."""
    if "duration" in node.kinds:
        length = meaning.days(node) / _YEAR
        if abs(length - round(length)) > _WHOLE:
            raise meaning.UnclearError("an age in years")
        return round(length)
    told = meaning.amount(node)
    if told.unit or told.decimals:
        raise meaning.UnclearError("an age in years")
    return int(told.value)


def years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def admitted(node: Node, record: Record) -> list[Outcome]:
    """Admitted on a day; an inpatient now or since; for how long and for what."""
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    words = {part.text for part in node.parts}
    if not record.stays:
        return [unsupported("encounter", "the record has no stay in hospital")]
    now = words & {"is", "currently"} or any(span.relation in ("now", "since") for span in spans)
    stays = [each for each in record.stays if not (now and facts.has_ended(each, record.today))]
    fitting = [each for each in stays if all(_began(each, span) for span in spans)]
    if not fitting:
        last = record.stays[-1]
        return [contradicted("date", f"the record has a stay from {facts.starts_on(last)}", [last])]
    if node.all("conditions"):
        return events.diagnosed_at(fitting, node, record)
    return [supported("encounter", fitting[-1:])]


def never_admitted(node: Node, record: Record) -> list[Outcome]:
    """No stay in hospital; that there never was one no record says, only that it has none."""
    if record.stays:
        last = record.stays[-1]
        return [contradicted("encounter", f"the record has a stay from {facts.starts_on(last)}", [last])]
    if node.says("searched"):
        return [supported("encounter")]
    return [unsupported("encounter", "nothing in the record denies it")]


def decade(node: Node, record: Record) -> list[Outcome]:
    """`In her late fifties`."""
    born, fact = record.born
    if born is None or fact is None:
        return [unsupported("age", "the record has no date of birth")]
    low, high = meaning.ages(node.all("decade")[0])
    actual = years(born, record.today)
    if low <= actual <= high:
        return [supported("age", [fact])]
    return [contradicted("age", f"by the date of birth it is {actual}", [fact])]


def _began(fact: ClinicalFact, span: meaning.Span) -> bool:
    if span.relation == "span":
        return _lasted(fact, span.length)
    if span.relation == "now" or not span.readings:
        return True
    if span.relation == "between":
        return span.is_from_to(facts.starts_on(fact), facts.ends_on(fact) or facts.starts_on(fact))
    if span.relation == "until":
        return span.includes(facts.ends_on(fact))
    return span.includes(facts.starts_on(fact))


def _lasted(fact: ClinicalFact, length: float) -> bool:
    """As many days as are said, or one more where both ends are counted."""
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    if start is None or end is None:
        return False
    actual = (end - start).days
    return length in (actual, actual + 1) or abs(actual - length) <= length * _LENGTH


def stay(node: Node, record: Record) -> list[Outcome]:
    """A visit, by its class, with its days and what was recorded at it."""
    classed = node.all("what")[0].says("class") if node.all("what") else "IMP"
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    of_class = events.visits(classed, record).facts
    fitting = [each for each in of_class if all(_began(each, span) for span in spans)]
    if fitting:
        known_for = events.diagnosed_at(fitting, node, record) if node.all("conditions") else []
        return [supported("encounter", fitting[-1:]), *known_for]
    if of_class:
        return [
            contradicted("date", f"the record has such a visit from {facts.starts_on(of_class[-1])}", of_class[-1:])
        ]
    return [unsupported("encounter", "the record has no such visit")]


def _left(fact: ClinicalFact) -> date | None:
    """The last day of a stay, which may be its first."""
    return facts.ends_on(fact) or (facts.starts_on(fact) if fact.HasField("valid_to") else None)


def undergoing(node: Node, record: Record) -> list[Outcome]:
    """A procedure that is done again and again until now."""
    return [_undergoing(act, record) for each in node.all("acts") for act in each.within("act")]


def _undergoing(act: Node, record: Record) -> Outcome:
    done = [fact for fact in events.occasions(act, record).facts if facts.starts_on(fact)]
    days = sorted({day for fact in done if (day := facts.starts_on(fact))})
    if len(days) < _REGULAR or record.today - days[-1] > problems.LATELY:
        return unsupported("event", "the record does not say that it goes on")
    return supported("event", done[-1:])


def discharged(node: Node, record: Record) -> list[Outcome]:
    spans = [span for when in node.all("when") for span in meaning.spans(when, record)]
    ended = [each for each in record.stays if _left(each)]
    fitting = [each for each in ended if all(span.includes(_left(each)) for span in spans if span.readings)]
    if fitting and (spans or _left(record.stays[-1])):
        return [supported("encounter", fitting[-1:])]
    emergencies = [_left(each) for each in record.encounters if each.code.code == "EMER"]
    if any(day and all(span.includes(day) for span in spans if span.readings) for day in emergencies):
        return [unsupported("encounter", "an emergency visit may be meant")]
    if record.stays:
        last = record.stays[-1]
        return [
            contradicted(
                "encounter", f"the record has a stay from {facts.starts_on(last)}, until {facts.ends_on(last)}", [last]
            )
        ]
    return [unsupported("encounter", "the record has no stay in hospital")]
