"""One short line per fact, in words a model and a clinician both read. Nothing that the fact does not say."""

from grounding import facts
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    FACT_KIND_ALLERGY,
    FACT_KIND_DEMOGRAPHIC,
    FACT_KIND_DOCUMENT,
    FACT_KIND_ENCOUNTER,
    FACT_KIND_IMAGING_FINDING,
    FACT_KIND_IMMUNIZATION,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_PROCEDURE,
    FACT_KIND_RESULT,
    FACT_STATUS_CORRECTED,
    FACT_STATUS_ENDED,
    FACT_STATUS_ORDERED,
    FACT_STATUS_PRELIMINARY,
    PROVENANCE_COMPUTED_FROM_IMAGE,
    PROVENANCE_READ_FROM_IMAGE,
    PROVENANCE_READ_FROM_TEXT,
    ClinicalFact,
)

from consult import concepts, times

_HEADS = {
    FACT_KIND_PROBLEM: "Problem: ",
    FACT_KIND_ALLERGY: "Allergy: ",
    FACT_KIND_MEDICATION: "Medication: ",
    FACT_KIND_ENCOUNTER: "Encounter: ",
    FACT_KIND_PROCEDURE: "Procedure: ",
    FACT_KIND_DOCUMENT: "Document: ",
    FACT_KIND_IMMUNIZATION: "Immunization: ",
    FACT_KIND_IMAGING_FINDING: "Image: ",
    FACT_KIND_DEMOGRAPHIC: "Patient: ",
}
_LASTING = (FACT_KIND_PROBLEM, FACT_KIND_ALLERGY, FACT_KIND_MEDICATION, FACT_KIND_ENCOUNTER)
_STATUS = {
    FACT_STATUS_ORDERED: "ordered",
    FACT_STATUS_PRELIMINARY: "preliminary",
    FACT_STATUS_CORRECTED: "corrected",
    FACT_STATUS_ENDED: "ended",
}
_PROVENANCE = {
    PROVENANCE_READ_FROM_TEXT: "read from text",
    PROVENANCE_READ_FROM_IMAGE: "read from a scan",
    PROVENANCE_COMPUTED_FROM_IMAGE: "computed from an image",
}


def line(fact: ClinicalFact, *, renewed: bool = False, authority: bool = False) -> str:
    """`Medication: metformin, 1000 mg PO twice daily, ordered on 2023-01-14, not renewed since, LAKESIDE`.

    `renewed`: another order of the same drug was given later. `authority`: whose patient number it stands under is
    told, too.
    """
    subject = _HEADS.get(fact.kind, "") + _negated(fact) + " ".join(filter(None, (facts.name_of(fact), _value(fact))))
    parts = [
        subject,
        _dosage(fact),
        _flag(fact),
        *([_order(fact, renewed=renewed)] if facts.is_open_order(fact) else [_when(fact), _status(fact)]),
        _note(fact),
        facts.severity(fact),
        *_comments(fact),
        _PROVENANCE.get(fact.provenance, ""),
        fact.patient.authority if authority else "",
    ]
    return " ".join(", ".join(part for part in parts if part).split())


def _negated(fact: ClinicalFact) -> str:
    says_so_itself = concepts.denied(fact)
    return "absent: " if fact.assertion == ASSERTION_ABSENT and not says_so_itself else ""


def _value(fact: ClinicalFact) -> str:
    match fact.WhichOneof("value"):
        case "quantity":
            return facts.printed_quantity(fact.quantity)
        case "coded":
            return fact.coded.display or fact.coded.code
        case "text":
            return fact.text if fact.text not in (concepts.name(fact), facts.name_of(fact)) else ""
        case _:
            return ""


def _dosage(fact: ClinicalFact) -> str:
    if fact.dosage.instruction and not fact.dosage.dose.value:
        return fact.dosage.instruction
    return facts.printed_dose(fact)


def _status(fact: ClinicalFact) -> str:
    if facts.is_on_hold(fact):
        return "on hold"
    # What has an end is over.
    return "" if fact.status == FACT_STATUS_ENDED and facts.ends_on(fact) else _STATUS.get(fact.status, "")


def _order(fact: ClinicalFact, *, renewed: bool) -> str:
    """An order of which nobody stated an end: when it was given, and not that it is taken."""
    given = facts.known_since(fact)
    ordered = f"ordered on {given:%Y-%m-%d}" if given else "ordered"
    return ordered if renewed else f"{ordered}, not renewed since"


def _comments(fact: ClinicalFact) -> list[str]:
    lead = "comment of the laboratory" if fact.kind == FACT_KIND_RESULT else "comment"
    return [f"{lead}: {comment}" for comment in facts.comments(fact)]


def _flag(fact: ClinicalFact) -> str:
    reference = fact.reference_range
    span = reference.text or (f"{reference.low}-{reference.high}" if reference.low and reference.high else "")
    if span and fact.HasField("source_quantity"):
        # The range is as sent, in the unit as sent; beside a converted value it must say so.
        span = f"{span} {fact.source_quantity.unit}"
    flag = fact.abnormal_flag if fact.abnormal_flag not in ("", "N") else ""
    return " ".join(filter(None, (flag, f"(reference {span})" if span and flag else "")))


def _when(fact: ClinicalFact) -> str:
    start, end = times.interval(fact)
    if fact.kind == FACT_KIND_DEMOGRAPHIC:
        return ""
    if start is None:
        return ", ".join(filter(None, (_stated(fact), f"until {end:%Y-%m-%d}" if end else "")))
    if end == start:
        return f"{start:%Y-%m-%d}"
    return f"{start:%Y-%m-%d} to {end:%Y-%m-%d}" if end else f"since {start:%Y-%m-%d}"


def _stated(fact: ClinicalFact) -> str:
    """When a fact was stated of which nobody said when it began."""
    day = facts.reported_on(fact)
    lead = "reported on" if fact.kind == FACT_KIND_RESULT else "recorded on"
    missing = "start not stated" if fact.kind in _LASTING else "time not stated"
    return f"{lead} {day:%Y-%m-%d}, {missing}" if day else missing


def _note(fact: ClinicalFact) -> str:
    """The reaction of an allergy; other notes are found by search."""
    return f"reaction {fact.note}" if fact.kind == FACT_KIND_ALLERGY and fact.note else ""
