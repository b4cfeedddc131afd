"""What our own statements say beside what everybody says: states of orders, entries that are new, computed values."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas, drug_classes

from grounding import facts, relations, susceptibility
from grounding import keys as keys_
from grounding.calculators import dose_limit
from grounding.comparing import absences, allergies, drugs, findings, meaning, problems, results, series
from grounding.comparing.meaning import Span
from grounding.comparing.outcome import Outcome, contradicted, supported, unsupported
from grounding.comparing.readings import readings
from grounding.comparing.record import Record, answers
from grounding.derived import Derived
from grounding.lexicon import Keys
from grounding.reading import names, wordings
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

_NO_ENTRY = "the record has no such entry"
_TO_BE_DONE = "it says what is to be done, which no record can support"
_PROPOSED = frozenset(("review", "repeat", "clarify"))
# How the words of an answer end that is whether something is there: what is denied first, since it ends alike.
_PRESENCE = {
    "negative": ("negative", "not detected", "undetected", "nonreactive", "non-reactive", "absent"),
    "positive": ("positive", "detected", "reactive", "present"),
}
_NOT = frozenset(("no", "not", "never", "without"))


def order(node: Node, record: Record) -> list[Outcome]:
    """An order with its state: each drug must have one order that has it."""
    spans = _spans(node, record)
    return [each for regimen in drugs.regimens(node) for each in _order(regimen, spans, node, record)]


def _order(regimen: Node, spans: Sequence[Span], node: Node, record: Record) -> list[Outcome]:
    orders = drugs.orders_of(regimen, record)
    if not orders:
        return [unsupported("drug", drugs.NOT_TAKEN)]
    state = node.says("state")
    fitting = [fact for fact in orders if _has_state(fact, state, node, record)]
    if not fitting:
        return [contradicted("status", drugs.when_of(orders[-1]), orders[-1:])]
    dated = [fact for fact in fitting if _is_dated(fact, state, spans, record)]
    if not dated:
        return [contradicted("date", drugs.when_of(fitting[-1]), fitting[-1:])]
    return [supported("status", dated[-1:]), *drugs.details(regimen, dated)]


def reordered(node: Node, record: Record) -> list[Outcome]:
    """The first and the last order of a drug, or its first order and when it was stopped."""
    return [each for regimen in drugs.regimens(node) for each in _reordered(regimen, node, record)]


def _reordered(regimen: Node, node: Node, record: Record) -> list[Outcome]:
    every = [fact for fact in drugs.orders_of(regimen, record.whole) if facts.starts_on(fact)]
    orders = [fact for fact in every if all(each.holds for each in drugs.details(regimen, [fact]))]
    if not orders:
        return [unsupported("drug", drugs.NOT_TAKEN)]
    orders.sort(key=facts.in_time)
    first = orders[0] if "first" in _words(node) else None
    last, ends, over = orders[-1], node.all("end"), "stopped" in _words(node)
    if over and first is None:
        begun = [fact for fact in orders if _is_on(node.all("first"), facts.starts_on(fact), record)]
        first = last = begun[-1] if begun else last
    right = _is_on(node.all("first"), facts.starts_on(first or last), record)
    right = right and _is_on(node.all("last"), facts.starts_on(last), record)
    right = right and _is_on(ends, facts.ends_on(last), record) and facts.has_ended(last, record.today) == over
    if not right:
        return [contradicted("date", drugs.when_of(last), [last])]
    return [supported("status", [first or last, last]), *drugs.details(regimen, [last])]


def _is_on(whens: Sequence[Node], day: date | None, record: Record) -> bool:
    return all(span.includes(day) for when in whens for span in meaning.spans(when, record))


def _has_state(fact: ClinicalFact, state: str, node: Node, record: Record) -> bool:
    ended = facts.has_ended(fact, record.today)
    match state:
        case "ordered":
            return not ended and ("renewed" not in _words(node) or fact.fact_id not in record.sources.renewed)
        case "unrenewed":
            return not ended and fact.fact_id not in record.sources.renewed
        case "future":
            start = facts.starts_on(fact)
            return start is not None and start > record.today
        case "hold":
            return facts.is_on_hold(fact)
        case "stopped":
            return drugs.is_over(fact, record)
    return drugs.is_current(fact, record)


def _is_dated(fact: ClinicalFact, state: str, spans: Sequence[Span], record: Record) -> bool:
    start, end = facts.starts_on(fact), facts.ends_on(fact)
    ordered = start or record.sources.stated_on(fact)
    for span in spans:
        if span.relation == "until":
            right = span.includes(end)
        elif state == "active":
            right = span.relation == "now" or (not facts.is_open_order(fact) and span.includes(start))
        elif state in ("hold", "stopped"):
            right = span.includes(end)
        else:
            right = span.includes(ordered)
        if not right:
            return False
    return True


def _words(node: Node) -> set[str]:
    return {part.text for part in node.parts}


def answered(node: Node, record: Record) -> list[Outcome]:
    """Results whose value is words, each with this one."""
    spans = [span for span in _spans(node, record) if span.readings]
    return [_answered(obs, _said(node), spans, record) for obs in node.all("obs")]


def _answered(obs: Node, wanted: set[str], spans: Sequence[Span], record: Record) -> Outcome:
    entries = record.of(series.observed_keys(obs), pb.FACT_KIND_RESULT, pb.FACT_KIND_DEMOGRAPHIC)
    dated = [fact for fact in entries if all(span.includes(facts.starts_on(fact)) for span in spans)]
    if not dated:
        return unsupported("value", series.NO_RESULT)
    agreeing = [fact for fact in dated if wanted & {*map(names.of_answer, _stated(fact)), *_presence_of(fact)}]
    if agreeing:
        return supported("value", agreeing[-1:])
    told = dated[-1].text or dated[-1].coded.display
    return contradicted("value", f"the record has {' '.join(told.split())[:80]}", dated[-1:])


def _presence_of(fact: ClinicalFact) -> set[str]:
    """Whether an answer is that something is there: `Urine nitrite negative (finding)`."""
    told = next(filter(None, (fact.coded.display, *answers(fact))), "")
    plain = wordings.plain(told).casefold()
    presence = next((each for each, words in _PRESENCE.items() if plain.endswith(words)), "")
    is_clear = presence == "negative" or _NOT.isdisjoint(plain.split())
    return {presence} if presence and is_clear else set()


def _stated(fact: ClinicalFact) -> tuple[str, ...]:
    """A value as a sentence may give it, and whole, however long."""
    return (*answers(fact), fact.text, fact.coded.display)


def _said(node: Node) -> set[str]:
    if node.says("presence"):
        return {node.says("presence"), *map(names.of_answer, _PRESENCE[node.says("presence")])}
    quoted = {names.of_answer(str(each.value)) for each in node.all("quote")}
    named = (*node.all("answer"), *node.all("conditions"))
    if node.says("plain"):
        words = [part.text for part in node.parts if not part.kinds and part.text not in ("was", "is", ":")]
        return {names.of_answer(" ".join(words))}
    return quoted | {key for each in named for key in meaning.keys(each, names.ANSWER)}


def computed(node: Node, record: Record) -> list[Outcome]:
    """A value, category or limit by a calculator: it is computed again."""
    if node.says("limits"):
        return _limited(node, record)
    keys = series.observed_keys(node)
    stages = {each.text.upper() for each in node.all("stage")}
    found = [each for each in record.derived if each.keys & keys]
    if stages:
        return _staged(node, stages, record)
    found = [each for each in found if all(span.includes(each.day) for span in _spans(node, record) if span.readings)]
    said = [meaning.amount(value) for value in node.all("value")]
    agreeing = [each for each in found if not said or _is_value(each, said[0])]
    if agreeing:
        return [supported("value", _used(agreeing[-1], record))]
    if found:
        return [contradicted("value", f"it is {found[-1].text} on {found[-1].day}", _used(found[-1], record))]
    return [unsupported("value", "it does not follow from the record")]


def _staged(node: Node, stages: set[str], record: Record) -> list[Outcome]:
    """A category of the day that is named, or the newest."""
    family = next(iter(stages))[:1]
    staged = sorted((each for each in record.derived if each.label[:1] == family), key=lambda each: each.day)
    spans = [span for span in _spans(node, record) if span.readings]
    chosen = [each for each in staged if all(span.includes(each.day) for span in spans)] if spans else staged[-1:]
    if not chosen:
        return [unsupported("category", "it does not follow from the record")]
    used = _used(chosen[-1], record)
    if len(stages) > 1 or chosen[-1].label.upper() not in stages:
        return [contradicted("category", f"it is {chosen[-1].label} on {chosen[-1].day}", used)]
    said = [meaning.amount(value) for value in node.all("value")]
    if any(not any(series.is_value(each, fact) for fact in used) for each in said):
        return [contradicted("value", "the record has another value", used)]
    return [supported("category", used)]


def _limited(node: Node, record: Record) -> list[Outcome]:
    """What kidney function allows of a drug, by the source that is named."""
    keys = drugs.drug_keys(node.all("regimens")[0])
    found = [each for each in record.derived if each.name == dose_limit.NAME and each.keys & keys]
    agreeing = [each for each in found if _is_limit(each, node, record)]
    if agreeing:
        return [supported("limit", _used(agreeing[-1], record))]
    if found:
        return [contradicted("limit", f"it is {found[-1].text}", _used(found[-1], record))]
    return [unsupported("limit", "no limit is known of it")]


def _is_limit(limit_: Derived, node: Node, record: Record) -> bool:
    if not all(span.includes(limit_.day) for span in _spans(node, record) if span.readings):
        return False
    if any(str(title.value).lower() != limit_.source.lower() for title in node.all("title")):
        return False
    if limit_.label:
        return [limit.text for limit in node.all("limit")] == [str(limit_.label)]
    return any(_is_value(limit_, meaning.amount(bound)) for bound in node.all("bound"))


def _is_value(value: Derived, amount: Amount) -> bool:
    return not value.label and value.value == amount.value and amount.unit in ("", value.unit)


def _used(value: Derived, record: Record) -> list[ClinicalFact]:
    return [record.sources.fact(fact_id) for fact_id in value.fact_ids]


def absent(node: Node, record: Record) -> list[Outcome]:
    """That the whole record has no entry of a concept, up to a day."""
    keys = absences.with_members(meaning.keys(node, *names.KINDS))
    if not keys:
        return [unsupported("absence", "what is absent is not known by name")]
    return [_none([fact for fact in record.whole.of(keys) if not facts.is_absent(fact)], node, record)]


def _none(entries: Sequence[ClinicalFact], node: Node, record: Record, lead: str = "the record has") -> Outcome:
    """That these are none, up to the newest entry where that is said."""
    if entries:
        return contradicted("absence", f"{lead} {facts.name_of(entries[-1])}", entries[-1:])
    newest = max((day for fact in record.sources.current if (day := facts.starts_on(fact))), default=None)
    if any(not span.includes(newest) for span in _spans(node, record)):
        return contradicted("date", f"its newest entry is of {newest}")
    return supported("absence")


def absent_since(node: Node, record: Record) -> list[Outcome]:
    """That the whole record has no entry of a concept behind a day."""
    keys = absences.with_members(meaning.keys(node, *names.KINDS))
    spans = [span for when in node.all("since") for span in meaning.spans(when, record)]
    if not keys or not spans or any(span.relation not in ("after", "since") for span in spans):
        return [unsupported("absence", "what is absent, and since when, is not known")]
    last = max(day for span in spans for reading in span.readings for day in reading)
    entries = [fact for fact in record.whole.of(keys) if not facts.is_absent(fact)]
    return [_none([fact for fact in entries if (facts.starts_on(fact) or date.max) > last], node, record)]


def absent_allergy(node: Node, record: Record) -> list[Outcome]:
    """That the whole record has no allergy to a drug, or none to one drug or class."""
    entries = [fact for fact in record.whole.facts if fact.kind == pb.FACT_KIND_ALLERGY and not facts.is_absent(fact)]
    keys = meaning.keys(node, *names.KINDS)
    against = [fact for fact in entries if not keys.isdisjoint(names.keys_of(fact)) or _may_be_of_drug(fact, keys)]
    return [_none(against, node, record, "the record has an allergy:")]


def _may_be_of_drug(fact: ClinicalFact, keys: Keys) -> bool:
    """Whether an allergy is to a drug of the class, or where none is named, to any drug or to what is not known."""
    about = facts.about(fact)
    if not about.allergens:
        return True
    wider = drug_classes.with_wider(tuple(each.id for each in about.classes))
    if not keys.isdisjoint(map(keys_.of_class, wider)):
        return True
    to_drugs = [each for each in about.allergens if each.ingredient or each.drug_class]
    return bool(to_drugs) and not keys


def absent_drug(node: Node, record: Record) -> list[Outcome]:
    """That the whole record has no drug of those that are given for a problem (`terminology.areas`)."""
    keys = meaning.keys(node, *names.KINDS)
    meant = [area for area in areas.known().values() if not keys.isdisjoint(names.of_families(area.problems))]
    if not meant:
        return [unsupported("absence", "what is given for it is not known")]
    orders = [fact for fact in record.whole.facts if fact.kind == pb.FACT_KIND_MEDICATION and not facts.is_absent(fact)]
    given = [fact for fact in orders if any(areas.is_given_for(area, facts.about(fact)) for area in meant)]
    return [_none(given, node, record)]


def new(node: Node, record: Record) -> list[Outcome]:
    """An entry, with the day that it has."""
    if node.all("results"):
        return results.measured(node, record)
    keys = meaning.keys(node, *names.KINDS)
    entries = [fact for fact in record.of(keys) if _is_dated_entry(fact, node, record)]
    return [supported("entry", entries[-1:])] if entries else [unsupported("entry", _NO_ENTRY)]


def _is_dated_entry(fact: ClinicalFact, node: Node, record: Record) -> bool:
    stated = [span for when in node.all("stated") for span in meaning.spans(when, record)]
    if stated:
        told = record.sources.stated_on(fact)
        return facts.starts_on(fact) is None and all(span.includes(told) for span in stated)
    days: set[date] = {day for day in (facts.starts_on(fact),) if day}
    return all(any(span.includes(day) for day in days) for span in _spans(node, record))


def since_encounter(node: Node, record: Record) -> list[Outcome]:
    """Which encounter was the last one."""
    when = node.all("when")[0]
    if not _is_since_a_visit(when):
        return [unsupported("encounter", "what it introduces is not clear")]
    days = {day for fact in record.encounters for day in (facts.starts_on(fact), facts.ends_on(fact)) if day}
    for each in _dates(when):
        if not any(each.value.includes(day) for day in days):
            return [unsupported("encounter", "the record has no visit of that day")]
    return (
        [supported("encounter", record.encounters[-1:])] if record.encounters else [unsupported("encounter", _NO_ENTRY)]
    )


def _dates(node: Node) -> list[Node]:
    """Every date inside, also those of an anchor."""
    found = [part for part in node.parts if "date" in part.kinds]
    return [*found, *(inner for part in node.parts for inner in _dates(part))]


def _is_since_a_visit(when: Node) -> bool:
    inner = when.one("of") or when.one("first") or when
    return inner.says("time") == "since" and bool(inner.all("anchor"))


def image(node: Node, record: Record) -> list[Outcome]:
    """A finding on an image, with the probability that a network gave it."""
    shares = [meaning.amount(share) for share in node.all("share")]
    denied = "no" in _words(node)
    return [_image(each, node, record, shares, denied=denied) for each in findings.items(node)]


def images(node: Node, record: Record) -> list[Outcome]:
    """Findings that an image does not show, each with the confidence behind it."""
    found: list[Outcome] = []
    parts = [part for part in node.parts if part.kinds & {"findings", "conditions", "observed", "value"}]
    for at, part in enumerate(parts):
        if "value" not in part.kinds:
            shares = [meaning.amount(each) for each in parts[at + 1 : at + 2] if "value" in each.kinds]
            found += [_image(each, node, record, shares, denied=True) for each in findings.each_of(part)]
    return found


def _image(item: Node, node: Node, record: Record, shares: Sequence[Amount], *, denied: bool) -> Outcome:
    if findings.has_place(item):
        return unsupported("finding", _NO_ENTRY)
    keys: Keys = meaning.keys(item, names.IMAGING, names.PROBLEM)
    entries = [fact for fact in record.of(keys, pb.FACT_KIND_IMAGING_FINDING) if _is_dated_entry(fact, node, record)]
    fitting = [fact for fact in entries if facts.is_absent(fact) == denied]
    for said in shares:
        fitting = [fact for fact in fitting if f"{fact.confidence:.2f}" == f"{said.value:.2f}"]
    if fitting:
        return supported("finding", fitting[-1:])
    return (
        contradicted("finding", problems.told(entries[-1]), entries[-1:])
        if entries
        else unsupported("finding", _NO_ENTRY)
    )


def advised(node: Node, record: Record) -> list[Outcome]:
    """What is proposed for a drug of the record: only a statement with its sources can say so."""
    if not record.cited:
        return [unsupported("instruction", _TO_BE_DONE)]
    named = [regimen for each in node.all("regimens") for regimen in each.within("regimen")]
    entries = [drugs.orders_of(each, record) for each in named]
    allergies = [record.of(drugs.drug_keys(each), pb.FACT_KIND_ALLERGY) for each in named]
    if all(one or other for one, other in zip(entries, allergies, strict=True)):
        return [supported("drug", fact and fact[-1:]) for fact in entries if fact]
    return [unsupported("drug", drugs.NOT_TAKEN)]


def told(node: Node, record: Record) -> list[Outcome]:
    """Entries in a row: each with its day, reaction, severity and state."""
    if _words(node) & _PROPOSED and not record.cited:
        return [unsupported("instruction", _TO_BE_DONE)]
    over = bool(_words(node) & {"stopped", "hold"})
    return [each for entry in _entries(node) for each in _told(entry, record, over=over)]


def document(node: Node, record: Record) -> list[Outcome]:
    """A letter or report with its day; what has its name and is no document is none."""
    found = told(node, record)
    facts_of = (record.sources.fact(fact_id) for each in found if each.holds for fact_id in each.fact_ids)
    if any(fact.kind != pb.FACT_KIND_DOCUMENT for fact in facts_of):
        return [unsupported("label", "the record has no such document")]
    return found


_NAMES = frozenset(("regimens", "conditions", "allergens", "things", "findings", "observed", "results", "obs"))
_ITEMS = ("regimen", "condition", "finding")
_ORIGINS = {"document": pb.PROVENANCE_READ_FROM_TEXT, "scanned": pb.PROVENANCE_READ_FROM_IMAGE}


def _entries(node: Node) -> list[list[Node]]:
    """The parts of each entry: one begins with its name, or with the `no` before it."""
    found: list[list[Node]] = []
    previous = ""
    for part in node.parts:
        begins = not part.kinds.isdisjoint(_NAMES) and previous not in ("no", "reaction")
        if begins or part.text == "no":
            found.append([])
        if found:
            found[-1].append(part)
        previous = part.text
    return found


def _told(entry: Sequence[Node], record: Record, *, over: bool) -> list[Outcome]:
    name = next((part for part in entry if not part.kinds.isdisjoint(_NAMES)), None)
    if name is None:
        return [_of_none(entry, record)]
    if "results" in name.kinds:
        return _told_results(name, entry, record)
    items = [item for kind in _ITEMS for item in name.within(kind)] or [name]
    return [_told_item(item, entry, record, over=over) for item in items]


def _of_none(entry: Sequence[Node], record: Record) -> Outcome:
    """`No known allergies` as an entry, with its day."""
    none = [fact for fact in record.of_kind(pb.FACT_KIND_ALLERGY) if facts.is_absent(fact)]
    kept = _as_told(none, entry, record, over=False)
    return supported("entry", kept[-1:]) if kept else unsupported("entry", _NO_ENTRY)


def _told_item(item: Node, entry: Sequence[Node], record: Record, *, over: bool) -> Outcome:
    denied = any(part.text.lower().split()[:1] == ["no"] for part in (*entry, item))
    found = [fact for fact in record.of(_keys_of(item)) if facts.is_absent(fact) == denied and _is_said_of(item, fact)]
    kept = _as_told(found, entry, record, over=over)
    return supported("entry", kept[-1:]) if kept else unsupported("entry", _NO_ENTRY)


def _keys_of(item: Node) -> Keys:
    return drugs.drug_keys(item) | _unlike_drugs(item) if "regimen" in item.kinds else meaning.keys(item, *names.KINDS)


def _unlike_drugs(regimen: Node) -> Keys:
    """An allergen or a procedure may be named like a drug, which the record's own names tell."""
    return frozenset().union(
        *(meaning.keys(part, *names.KINDS) for part in regimen.parts if part not in regimen.all("of"))
    )


def _is_said_of(item: Node, fact: ClinicalFact) -> bool:
    """Dose, side, qualifier and value, as far as the name has them."""
    if "regimen" in item.kinds and fact.kind == pb.FACT_KIND_MEDICATION:
        return all(each.holds for each in drugs.details_of(item, fact))
    if "condition" in item.kinds:
        return problems.is_told_of(item, fact)
    if "finding" in item.kinds:
        return not findings.has_place(item)
    return True


def _as_told(
    entries: Sequence[ClinicalFact], entry: Sequence[Node], record: Record, *, over: bool
) -> list[ClinicalFact]:
    """Those with the day, severity, reaction, origin, state and comment that are told."""
    words = {part.text for part in entry}
    spans = [span for part in entry if "when" in part.kinds for span in meaning.spans(part, record)]
    kept = [fact for fact in entries if all(span.includes(_day(fact, words, record, over=over)) for span in spans)]
    kept = [fact for fact in kept if "stated" not in words or facts.starts_on(fact) is None]
    kept = [
        fact for fact in kept if all(fact.provenance == origin for word, origin in _ORIGINS.items() if word in words)
    ]
    kept = [fact for fact in kept if _is_in_state(fact, words, record)]
    severities = words & {"severe", "moderate", "mild"}
    kept = [fact for fact in kept if not severities or facts.severity(fact) in severities]
    for part, before in itertools.pairwise(reversed(entry)):
        if before.text == "reaction":
            kept = [fact for fact in kept if names.of_answer(fact.note) in meaning.keys(part, names.ANSWER)]
        if "comment" in before.kinds:
            kept = [fact for fact in kept if all(each.holds for each in results.comments(before, [fact]))]
    return kept


def _is_in_state(fact: ClinicalFact, words: set[str], record: Record) -> bool:
    if "ordered" in words and fact.kind == pb.FACT_KIND_MEDICATION:
        renewed = "renewed" in words and fact.fact_id in record.sources.renewed
        return not facts.has_ended(fact, record.today) and not renewed
    if "stopped" in words:
        return drugs.is_over(fact, record)
    return "hold" not in words or facts.is_on_hold(fact)


def _told_results(name: Node, entry: Sequence[Node], record: Record) -> list[Outcome]:
    """A result with its value, day and comment, or with the day on which it was stated."""
    if "stated" in {part.text for part in entry}:
        return [_reported(name, [part for part in entry if "when" in part.kinds], record)]
    outcomes = results.measured(replace(name, parts=(name, *entry[1:])), record)
    used = {fact_id for each in outcomes for fact_id in each.fact_ids}
    beside = [fact for fact in record.facts if fact.fact_id in used]
    comments = [part for part in entry if "comment" in part.kinds]
    return [*outcomes, *(each for comment in comments for each in results.comments(comment, beside))]


def _day(fact: ClinicalFact, words: set[str], record: Record, *, over: bool) -> date | None:
    """The day by which an entry is told: its end, its start, or where nobody stated one, when it was stated."""
    if "stated" in words:
        return record.sources.stated_on(fact)
    if over or words & {"stopped", "hold"}:
        return facts.ends_on(fact)
    return facts.starts_on(fact) or (record.sources.stated_on(fact) if "ordered" in words else None)


def slope(node: Node, record: Record) -> list[Outcome]:
    """The average change a year."""
    said = meaning.amount(node.all("by")[0])
    found = [each for each in record.derived if each.unit.endswith("per year")]
    agreeing = [each for each in found if each.value == said.value]
    if not agreeing:
        return [unsupported("value", "it does not follow from the record")]
    points = series.points_of(node.all("obs")[0], record)
    days = {point.day for point in points}
    for when in node.all("when"):
        for span in meaning.spans(when, record):
            if span.readings and not {span.readings[0][0], span.readings[0][1]} <= days:
                return [contradicted("date", "the record has no value of these days")]
    return [supported("value", _used(agreeing[-1], record))]


def _spans(node: Node, record: Record) -> list[Span]:
    return [span for when in node.all("when") for span in meaning.spans(when, record)]


def commented(node: Node, record: Record) -> list[Outcome]:
    """A value with a comment that came with it."""
    found = results.measured(node, record)
    used = {fact_id for each in found for fact_id in each.fact_ids}
    beside = [fact for fact in record.facts if fact.fact_id in used]
    return [*found, *(each for comment in node.all("comment") for each in results.comments(comment, beside))]


def reported(node: Node, record: Record) -> list[Outcome]:
    """A result of no stated time, by the day of its report."""
    return [_reported(result, node.all("stated"), record) for result in node.all("results")]


def _reported(named: Node, stated: Sequence[Node], record: Record) -> Outcome:
    spans = [span for when in stated for span in meaning.spans(when, record)]
    entries = record.of(series.observed_keys(named), pb.FACT_KIND_RESULT)
    untimed = [
        fact
        for fact in entries
        if facts.starts_on(fact) is None and all(span.includes(facts.reported_on(fact)) for span in spans)
    ]
    agreeing = [fact for fact in untimed if _is_amount([named], fact)]
    return supported("value", agreeing[-1:]) if agreeing else unsupported("value", _NO_ENTRY)


def evidence(node: Node, record: Record) -> list[Outcome]:
    """Words that stand so in a cited passage or an entry, and where they are from."""
    found: list[Outcome] = []
    source = node.says("source")
    quotable = [each for each in record.passages if source in ("", each.source_kind)]
    for quote in node.all("quote"):
        wanted = " ".join(str(quote.value).split())
        passages = tuple(each.passage_id for each in quotable if wanted in " ".join(each.text.split()))
        entries = [fact for fact in record.facts if not source and wanted in _text_of(fact)]
        if wanted and (passages or entries):
            found.append(supported("quote", entries)._replace(passage_ids=passages))
        else:
            found.append(contradicted("quote", "no cited source has these words"))
    return [*found, *(supported("source") for _ in node.all("title"))]


def _text_of(fact: ClinicalFact) -> str:
    return " ".join(facts.searchable(fact).split())


def corrected(node: Node, record: Record) -> list[Outcome]:
    """Which value holds and which one it replaced."""
    if not record.cited and node.all("to"):
        return results.corrected(node, record)
    keys = series.observed_keys(node)
    every = [each for each in record.sources.recorded if keys & names.keys_of(each.fact)]
    if record.cited:
        own = {fact.fact_id for fact in record.facts}
        every = [each for each in every if each.fact.fact_id in own]
    first = [value for each in node.all("results") for value in _values_of(each)][:1]
    new = (*node.all("new"), *node.all("to")) or first
    old = (*node.all("old"), *node.all("from")) or (first if node.all("to") else ())
    pairs = [(each, other) for each in every for other in every if each.superseded_by == other.fact.fact_id]
    for before, after in pairs:
        if _is_amount(old, before.fact) and _is_amount(new, after.fact) and _is_of_day(node, after.fact, record):
            return [supported("correction", [after.fact, before.fact])]
    if not old and _is_corrected(new, every):
        return [supported("correction", [each.fact for each in every])]
    if pairs:
        before, after = pairs[-1]
        reason = (
            f"{facts.printed_quantity(after.fact.quantity)} replaced {facts.printed_quantity(before.fact.quantity)}"
        )
        return [contradicted("correction", reason, [after.fact, before.fact])]
    return [unsupported("correction", "no entry corrects another")]


def _is_corrected(new: Sequence[Node], every: Sequence[RecordedFact]) -> bool:
    """Whether a value is the one of an entry that corrects."""
    return any(_is_amount(new, each.fact) and each.fact.status == pb.FACT_STATUS_CORRECTED for each in every)


def _is_amount(amounts: Sequence[Node], fact: ClinicalFact) -> bool:
    values = [value for each in amounts for value in ([each] if "value" in each.kinds else _values_of(each))]
    return bool(values) and all(series.is_value(meaning.amount(value), fact) for value in values)


def _values_of(node: Node) -> list[Node]:
    return [each.value for each in readings(node)]


def _is_of_day(node: Node, fact: ClinicalFact, record: Record) -> bool:
    whens = [*node.all("newat"), *node.all("oldat")]
    spans = [span for when in whens for span in meaning.spans(when, record)]
    return all(span.includes(facts.starts_on(fact)) for span in spans if span.readings)


def susceptible(node: Node, record: Record) -> list[Outcome]:
    """A susceptibility of an organism. One that names none supports only where there is one organism."""
    named = [*node.all("obs"), *node.all("regimens")]
    entries = [fact for one in named for fact in record.of(meaning.keys(one, *names.KINDS)) if facts.organism(fact)]
    organisms = {key for each in node.all("organism") for key in meaning.keys(each, names.ORGANISM)}
    every = {names.of_organism(facts.organism(fact)) for fact in record.facts if facts.organism(fact)}
    if not organisms and len(every) > 1:
        return [unsupported("susceptibility", "of which organism it is is not clear")]
    meant = [fact for fact in entries if names.of_organism(facts.organism(fact)) in (organisms or every)]
    meant = [fact for fact in meant if all(span.includes(facts.starts_on(fact)) for span in _spans(node, record))]
    said = next(filter(None, (susceptibility.read(part.text) for part in reversed(node.parts))), "")
    agreeing = [fact for fact in meant if susceptibility.interpretation(fact) == said]
    if agreeing:
        return [supported("susceptibility", agreeing[-1:])]
    if meant:
        own = susceptibility.interpretation(meant[-1])
        return [contradicted("susceptibility", f"the record says {own}", meant[-1:])]
    return [unsupported("susceptibility", _NO_ENTRY)]


def lasting(node: Node, record: Record) -> list[Outcome]:
    """A result that is a length of time."""
    said = node.all("duration")[0].value
    if not isinstance(said, Amount):
        return [unsupported("value", "how long is not clear")]
    entries = record.of(series.observed_keys(node), pb.FACT_KIND_RESULT)
    spans = _spans(node, record)
    dated = [fact for fact in entries if all(span.includes(facts.starts_on(fact)) for span in spans)]
    agreeing = [fact for fact in dated if series.is_value(said, fact)]
    return [supported("value", agreeing[-1:]) if agreeing else unsupported("value", _NO_ENTRY)]


def alerted(node: Node, record: Record) -> list[Outcome]:
    """An allergy beside a drug, and what is known of a cross-reaction of the two."""
    outcomes = allergies.allergy(node, record)
    drugs_of = record.of_kind(pb.FACT_KIND_MEDICATION)
    recorded = record.of_kind(pb.FACT_KIND_ALLERGY)
    related = [each for pair in itertools.product(drugs_of, recorded) if (each := relations.between(*pair))]
    known = {relations.words(each.cross_reaction).lower() for each in related if each.cross_reaction}
    for crossed in node.all("crossed"):
        if str(crossed.value).lower() in known:
            outcomes.append(supported("cross-reaction", (*drugs_of, *recorded)))
        else:
            outcomes.append(unsupported("cross-reaction", "no row relates the two in these words"))
    return outcomes
