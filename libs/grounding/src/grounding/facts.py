"""Reading one clinical fact: its number, days, names and laterality, the same for rendering and for checking.

Guarantee: nothing here invents; what a fact does not say is None or empty.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from google.protobuf.timestamp_pb2 import Timestamp
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    FACT_KIND_MEDICATION,
    FACT_STATUS_ACTIVE,
    FACT_STATUS_ENDED,
    FACT_STATUS_ORDERED,
    ClinicalFact,
    CodedConcept,
    Dosage,
    Quantity,
)
from terminology import frequencies, observables, units
from terminology.drug_classes import DrugClass

from grounding import subject
from grounding.subject import Subject

_SIDES = re.compile(r"\b(left|right|bilateral|both)\b", re.IGNORECASE)
_FAMILY = re.compile(
    r"\b(family history|family|mother|father|sister|brother|aunt|uncle|grandmother|grandfather|maternal|paternal|"
    r"daughter|son|cousin)\b",
    re.IGNORECASE,
)


# HL7 v2.5.1 table 0128 (allergy severity); unknown says nothing.
_SEVERITIES = {"SV": "severe", "MO": "moderate", "MI": "mild", "U": ""}
# What ingestion notes of an order that is neither carried out nor discontinued.
_ON_HOLD = "on hold"
_QUOTATION_MARKS = str.maketrans("“”", '""')
# Characters of a comment that are shown, and what says that there is more.
LONGEST_COMMENT, CUT = 300, " ..."
_NOTHING = CodedConcept()
_TEN, _TENTHS, _HUNDREDTHS = 10, Decimal("0.1"), Decimal("0.01")


def number(quantity: Quantity) -> Decimal | None:
    """The value, if it is a finite decimal number."""
    try:
        value = Decimal(quantity.value)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def quantities(fact: ClinicalFact) -> tuple[Quantity, ...]:
    """The normalised quantity and the one as sent, where there are any."""
    found = [fact.quantity] if fact.HasField("quantity") else []
    if fact.HasField("source_quantity"):
        found.append(fact.source_quantity)
    return tuple(found)


def moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)


def starts_on(fact: ClinicalFact) -> date | None:
    """The UTC day on which the statement begins to hold; of a result, the day of observation."""
    return moment(fact.valid_from).date() if fact.HasField("valid_from") else None


def ends_on(fact: ClinicalFact) -> date | None:
    """The UTC day on which it stopped holding; None while it is open, and for results, which hold at an instant."""
    if not fact.HasField("valid_to") or (fact.HasField("valid_from") and fact.valid_to == fact.valid_from):
        return None
    return moment(fact.valid_to).date()


def reported_on(fact: ClinicalFact) -> date | None:
    """The UTC day on which the source stated it; no start."""
    return moment(fact.stated_at).date() if fact.HasField("stated_at") else None


def known_since(fact: ClinicalFact) -> datetime | None:
    """The moment from which on it is known to hold: its start, or where nobody stated one, when it was stated."""
    name = next((each for each in ("valid_from", "stated_at") if fact.HasField(each)), None)
    return moment(getattr(fact, name)) if name else None


def in_time(fact: ClinicalFact) -> tuple[float, str]:
    """Orders facts by the time since which they are known to hold; those of no time first."""
    since = known_since(fact)
    return (since.timestamp() if since else float("-inf"), fact.fact_id)


def days(fact: ClinicalFact) -> frozenset[date]:
    """Every day that the fact gives: start, end, and those of the doses of a taper."""
    ends = (moment(each.valid_to).date() for each in dosages(fact) if each.HasField("valid_to"))
    return frozenset(day for day in (starts_on(fact), ends_on(fact), *dose_starts(fact), *ends) if day)


def dose_starts(fact: ClinicalFact) -> tuple[date, ...]:
    """The days from which on the doses of a taper are taken."""
    return tuple(moment(each.valid_from).date() for each in dosages(fact) if each.HasField("valid_from"))


def is_absent(fact: ClinicalFact) -> bool:
    return fact.assertion == ASSERTION_ABSENT


def has_ended(fact: ClinicalFact, on: date | None = None) -> bool:
    """Whether the statement is over, by its status or because its end lies on or before `on`."""
    end = ends_on(fact)
    return fact.status == FACT_STATUS_ENDED or (on is not None and end is not None and end <= on)


def is_order(fact: ClinicalFact) -> bool:
    """An order that is not carried out yet."""
    return fact.kind == FACT_KIND_MEDICATION and fact.status == FACT_STATUS_ORDERED


def is_open_order(fact: ClinicalFact) -> bool:
    """An order of which nobody stated an end: that it was given is known, and not that the drug is still taken."""
    in_force = fact.kind == FACT_KIND_MEDICATION and fact.status == FACT_STATUS_ACTIVE
    return in_force and not fact.HasField("valid_to")


def is_on_hold(fact: ClinicalFact) -> bool:
    """An order that is interrupted: neither taken nor discontinued."""
    held = fact.kind == FACT_KIND_MEDICATION and fact.status == FACT_STATUS_ENDED
    return held and fact.note.strip().lower() == _ON_HOLD


def renewed(recorded: Iterable[ClinicalFact]) -> frozenset[str]:
    """Ids of the medications after which another order of the same drug was given."""
    orders = [fact for fact in recorded if fact.kind == FACT_KIND_MEDICATION and known_since(fact)]
    newest: dict[str, float] = {}
    for fact in orders:
        newest[name_of(fact)] = max(newest.get(name_of(fact), float("-inf")), in_time(fact)[0])
    return frozenset(fact.fact_id for fact in orders if in_time(fact)[0] < newest[name_of(fact)])


def dosages(fact: ClinicalFact) -> tuple[Dosage, ...]:
    """Every dose of an order: most have one, a taper or an insulin several."""
    return (fact.dosage, *fact.further_dosages) if fact.HasField("dosage") else tuple(fact.further_dosages)


def severity(fact: ClinicalFact) -> str:
    """How severe an allergy is, in a word; empty where it is not stated."""
    code = _SEVERITIES.get(fact.severity.code.upper())
    return (fact.severity.display or fact.severity.code).strip().lower() if code is None else code


def organism(fact: ClinicalFact) -> str:
    """What a susceptibility is about; empty for other facts."""
    return (fact.about.display or fact.about.code).strip()


def about(fact: ClinicalFact) -> Subject:
    """What the fact is about, as terminology knows it."""
    coded = fact.coded if fact.HasField("coded") else _NOTHING
    return subject.of(fact.kind, _coded(fact.code), _coded(fact.source_code), _coded(coded))


def class_of(fact: ClinicalFact, *identifiers: str) -> DrugClass | None:
    """The first of these classes (ids of terminology) that the fact belongs to."""
    own = {each.id: each for each in about(fact).classes}
    return next((own[each] for each in identifiers if each in own), None)


def keys(fact: ClinicalFact) -> frozenset[str]:
    """Every key under which a name in a text may mean this fact."""
    return about(fact).keys


def names(fact: ClinicalFact) -> tuple[str, ...]:
    """How the fact's concept is written."""
    return about(fact).names


def name_of(fact: ClinicalFact) -> str:
    """What a reader calls it; a susceptibility with its organism."""
    return ", ".join(filter(None, (about(fact).name, organism(fact))))


def convert(fact: ClinicalFact, quantity: Quantity, unit: str) -> Decimal | None:
    """One of the fact's quantities in another unit; None where it is no number or the units cannot be compared."""
    value = number(quantity)
    return None if value is None else observables.convert(value, quantity.unit, unit, measured(fact, quantity))


def measured(fact: ClinicalFact, quantity: Quantity) -> str:
    """The LOINC code of what one of the fact's quantities measures; empty where it is not known."""
    as_sent = fact.HasField("source_quantity") and quantity == fact.source_quantity
    return about(fact).sent_loinc if as_sent else about(fact).loinc


def sides(fact: ClinicalFact) -> frozenset[str]:
    """Lateralities that the fact mentions, `both` counted as bilateral."""
    found = {match.lower() for match in _SIDES.findall(searchable(fact))}
    return frozenset("bilateral" if side == "both" else side for side in found)


def is_family_history(fact: ClinicalFact) -> bool:
    """Whether the fact speaks of a relative (ICD-10 Z80-Z84, or words that say so)."""
    return fact.code.code[:3] in {"Z80", "Z81", "Z82", "Z83", "Z84"} or is_family_history_text(searchable(fact))


def is_family_history_text(text: str) -> bool:
    """Whether words say that a relative is meant."""
    return bool(_FAMILY.search(text))


def searchable(fact: ClinicalFact) -> str:
    """All words of the fact."""
    parts = [concept.display for concept in _concepts(fact)]
    parts += [fact.text, fact.note, severity(fact), organism(fact)]
    parts += [word for each in dosages(fact) for word in (each.route, each.frequency, each.instruction)]
    return " ".join(part for part in parts if part)


def comments(fact: ClinicalFact) -> Iterator[str]:
    """The comments that came with the fact, each on one line and with no quotation mark that would end it early."""
    for comment in fact.comments:
        plain = " ".join(comment.translate(_QUOTATION_MARKS).split())
        if plain:
            yield plain if len(plain) <= LONGEST_COMMENT else plain[:LONGEST_COMMENT].rsplit(" ", 1)[0] + CUT


def rounded(value: Decimal) -> Decimal:
    """With as many digits as a physician writes: one decimal from ten on, two below."""
    short = value.quantize(_TENTHS if abs(value) >= _TEN else _HUNDREDTHS, ROUND_HALF_UP)
    return min(value, short, key=lambda each: len(each.as_tuple().digits))


def as_written(quantity: Quantity) -> Quantity:
    """A quantity with as many digits as a physician writes."""
    value = number(quantity)
    if value is None:
        return quantity
    return Quantity(value=str(rounded(value)), unit=quantity.unit, comparator=quantity.comparator)


def printed_quantity(quantity: Quantity) -> str:
    """`1.9 mg/dL`, `<5 mg/L`: the digits as they stand in the record."""
    unit = units.printed(quantity.unit)
    gap = "" if unit == "%" else " "
    return f"{quantity.comparator}{quantity.value}{gap + unit if unit else ''}"


def printed_dose(fact: ClinicalFact) -> str:
    """Each dose with route and frequency: `1 to 2 tablet oral as needed`, `10 IU mornings, 20 IU nightly`."""
    return ", ".join(filter(None, map(_dosage, dosages(fact))))


def _dosage(dosage: Dosage) -> str:
    route = dosage.route if dosage.route.isupper() else dosage.route.lower()
    parts = [printed_amount(dosage), route, frequencies.spoken(dosage.frequency)]
    for word, name in (("from", "valid_from"), ("until", "valid_to")):
        if dosage.HasField(name):  # type: ignore[arg-type]
            parts.append(f"{word} {moment(getattr(dosage, name)).date().isoformat()}")
    return " ".join(part for part in parts if part)


def printed_amount(dosage: Dosage) -> str:
    """`500 mg`, `1 to 2 tablet`; nothing in a unit that is only a remark of UCUM (`{actuat}`)."""
    if units.printed(dosage.dose.unit).startswith("{"):
        return ""
    if not (dosage.dose.value and dosage.dose_high.value):
        return printed_quantity(dosage.dose) if dosage.dose.value else ""
    high = dosage.dose_high
    one_unit = high.unit in ("", dosage.dose.unit)
    low = Quantity(value=dosage.dose.value, unit="" if one_unit else dosage.dose.unit)
    upper = Quantity(value=high.value, unit=high.unit or dosage.dose.unit)
    return f"{printed_quantity(low)} to {printed_quantity(upper)}"


def _coded(concept: CodedConcept) -> tuple[str, str, str]:
    return concept.system, concept.code, concept.display


def _concepts(fact: ClinicalFact) -> tuple[CodedConcept, ...]:
    found = [fact.code, fact.source_code]
    if fact.HasField("coded"):
        found.append(fact.coded)
    return tuple(found)
