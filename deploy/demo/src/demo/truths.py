"""What must be found in the story (deploy/demo/story/README.md, the table), each a small check with a name.

A check returns nothing when its truth is there, else what is missing. None of them computes an answer: they look at
what the system said and at where it says that it read it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from longitude.reasoning.v1 import assessment_pb2 as pb
from longitude.record.v1 import fact_pb2 as facts_pb
from terminology.observables import observables

from demo import record as names
from demo.outcome import Outcome
from demo.record import Record
from demo.sending import ACCEPTED
from demo.waiting import stated

ENCOUNTER_DAYS = {"2024-03-12": 68, "2025-02-10": 49, "2026-10-05": 28}
POTASSIUM_ON = {"2024-03-12": 4.3, "2025-02-10": 4.8, "2025-02-12": 4.9, "2025-07-08": 5.0, "2026-10-05": 5.6}
METFORMIN_EVIDENCE = {"fda-metformin-renal", "kdigo-2024-metformin"}
IDENTIFIERS = {("NW-204417", "NORTHWEST"), ("88-1306", "LAKESIDE")}

Check = Callable[[Outcome], str | None]


@dataclass(frozen=True)
class Truth:
    """`name` is what a person reads; `missing` says what is not there, or nothing."""

    name: str
    missing: Check


def broken(outcome: Outcome) -> list[tuple[str, str]]:
    """Every truth that does not hold, with what is missing."""
    found = [(truth.name, truth.missing(outcome)) for truth in TRUTHS]
    return [(name, missing) for name, missing in found if missing]


# --- the messages and the record ------------------------------------------------------------------------------------


def _all_accepted(outcome: Outcome) -> str | None:
    refused = {code: n for code, n in outcome.acknowledgements.items() if code not in ACCEPTED}
    answered = sum(outcome.acknowledgements.values())
    if refused or answered != outcome.sent:
        return f"{outcome.sent} sent, answered {dict(outcome.acknowledgements)}"
    return None


def _one_person(outcome: Outcome) -> str | None:
    known = {(key.id, key.authority) for key in outcome.record.identifiers}
    sources = {fact.patient.authority for fact in outcome.record.facts}
    if known != IDENTIFIERS:
        return f"{len(known)} of the two identifiers are linked"
    return None if sources >= {"NORTHWEST", "LAKESIDE"} else "facts of one facility only"


def _kidney_values(outcome: Outcome) -> str | None:
    return _values(outcome.record, names.EGFR, ENCOUNTER_DAYS)


def _potassium_values(outcome: Outcome) -> str | None:
    return _values(outcome.record, names.POTASSIUM, POTASSIUM_ON)


def _values(record: Record, code: str, expected: dict[str, int] | dict[str, float]) -> str | None:
    points = {(point.day, point.value) for point in record.points(code)}
    absent = [f"{value} on {day}" for day, value in expected.items() if (day, float(value)) not in points]
    return f"no {', '.join(absent)}" if absent else None


def _corrected(outcome: Outcome) -> str | None:
    withdrawn = [point for point in outcome.record.points(names.POTASSIUM) if point.value > 6]
    return "the potassium of 6.9 that was corrected to 4.9 still stands" if withdrawn else None


def _one_unit(outcome: Outcome) -> str | None:
    units = {point.fact.quantity.unit for point in outcome.record.points(names.CREATININE)}
    return None if units == {observables()[names.CREATININE].unit} else f"creatinine in {sorted(units)}"


def _page_read(outcome: Outcome) -> str | None:
    def on_page(code: str, value: float) -> bool:
        image = facts_pb.PROVENANCE_READ_FROM_IMAGE
        return any(p.fact.provenance == image and abs(p.value - value) < 0.01 for p in outcome.record.points(code))

    wanted = {"creatinine 1.37": (names.CREATININE, 1.37), "potassium 5.0": (names.POTASSIUM, 5.0)}
    absent = [text for text, (code, value) in wanted.items() if not on_page(code, value)]
    return f"not read from the scanned page: {', '.join(absent)}" if absent else None


def _film_analysed(outcome: Outcome) -> str | None:
    study = outcome.study
    projection = [attribute.text for attribute in study.attributes if attribute.name == "projection"]
    if not (study.quality.acceptable and projection and study.findings and study.model.sha256):
        return "the analysis lacks quality, projection, findings or the network's digest"
    facts = {fact.code.code for fact in outcome.record.of_kind(facts_pb.FACT_KIND_IMAGING_FINDING)}
    absent = [code for code in stated(study) if code not in facts]
    return f"stated by the network, not in the timeline: {', '.join(absent)}" if absent else None


def _never_true(outcome: Outcome) -> str | None:
    """The traps: a mother's cancer, a resolved bronchitis, a stopped antibiotic.

    Their words are those of the story's own letters, on purpose: a trap that terminology read wrongly must still show.
    """
    facts = [fact for fact in outcome.record.facts if _in_force(fact)]
    wrong = [
        fact.code.display
        for fact in facts
        if (fact.kind == facts_pb.FACT_KIND_PROBLEM and ("breast" in _words(fact) or "bronchitis" in _words(fact)))
        or (
            fact.kind == facts_pb.FACT_KIND_MEDICATION
            and ("amoxicillin" in _words(fact) or "ibuprofen" in _words(fact))
        )
    ]
    return f"in force, though it is not: {', '.join(sorted(set(wrong)))}" if wrong else None


def _in_force(fact: facts_pb.ClinicalFact) -> bool:
    active = fact.status in {facts_pb.FACT_STATUS_ACTIVE, facts_pb.FACT_STATUS_ORDERED}
    return active and fact.assertion != facts_pb.ASSERTION_ABSENT and not fact.HasField("valid_to")


def _words(fact: facts_pb.ClinicalFact) -> str:
    return f"{fact.code.display} {fact.source_code.display}".lower()


def _same_again(outcome: Outcome) -> str | None:
    doubled = [content for content, n in outcome.after.items() if n > 1]
    if doubled:
        return f"{len(doubled)} facts stand twice"
    if outcome.told_before and outcome.before != outcome.after:
        lost, new = outcome.before - outcome.after, outcome.after - outcome.before
        return f"telling it again took {lost.total()} facts away and added {new.total()}"
    return None


# --- the assessment -------------------------------------------------------------------------------------------------


def _trend(outcome: Outcome) -> str | None:
    for statement in outcome.released(pb.STATEMENT_KIND_TREND):
        if all(day in statement.text and str(value) in statement.text for day, value in ENCOUNTER_DAYS.items()):
            return None
    return "no released sentence gives the eGFR of all three encounters with their days"


def _metformin(outcome: Outcome) -> str | None:
    for statement in _citing(outcome, names.METFORMIN):
        if METFORMIN_EVIDENCE & {citation.passage_id for citation in statement.citations}:
            return None
    return f"no released sentence about metformin cites {' or '.join(sorted(METFORMIN_EVIDENCE))}"


def _interaction(outcome: Outcome) -> str | None:
    both = [s for s in _citing(outcome, names.NAPROXEN) if s in _citing(outcome, names.LISINOPRIL)]
    if not any(statement.kind == pb.STATEMENT_KIND_ALERT for statement in both):
        return "no released alert about naproxen with lisinopril"
    return None


def _allergy_question(outcome: Outcome) -> str | None:
    by_id = outcome.record.by_id()
    for statement in outcome.released(pb.STATEMENT_KIND_QUESTION):
        cited = [by_id[c.fact_id] for c in statement.citations if c.fact_id in by_id]
        assertions = {fact.assertion for fact in cited if fact.kind == facts_pb.FACT_KIND_ALLERGY}
        if (
            assertions >= {facts_pb.ASSERTION_PRESENT, facts_pb.ASSERTION_ABSENT}
            and "penicillin" in statement.text.lower()
        ):
            return None
    return "no released question sets the penicillin reaction against “no known allergies”"


def _change(outcome: Outcome) -> str | None:
    texts = [statement.text for statement in outcome.released(pb.STATEMENT_KIND_CHANGE)]
    if not any("28" in text for text in texts):
        return "no released sentence says how kidney function changed since the last encounter"
    return None


def _film_said(outcome: Outcome) -> str | None:
    if not stated(outcome.study):
        return None
    by_id = outcome.record.by_id()
    kinds = {by_id[c.fact_id].kind for s in outcome.released() for c in s.citations if c.fact_id in by_id}
    return None if facts_pb.FACT_KIND_IMAGING_FINDING in kinds else "no released sentence cites the chest film"


def _nothing_unfounded(outcome: Outcome) -> str | None:
    if not outcome.released():
        return "nothing was released"
    bare = [s.text for s in outcome.released() if not s.citations or s.verdict == pb.VERDICT_CONTRADICTED]
    silent = [s.text for s in outcome.withheld() if not s.reason]
    if bare or silent:
        return f"{len(bare)} released without a source, {len(silent)} withheld without a reason"
    return None


def _no_trap_said(outcome: Outcome) -> str | None:
    said = [statement.text.lower() for statement in outcome.released()]
    traps = {word for text in said for word in ("breast", "bronchitis", "ibuprofen") if word in text}
    # A withdrawn value may only be named beside the one that replaced it.
    traps |= {"6.9 mmol/L" for text in said if "6.9 mmol/l" in text and "4.9" not in text}
    return f"a released sentence says {', '.join(sorted(traps))}" if traps else None


def _citing(outcome: Outcome, code: str) -> Sequence[pb.AssessedStatement]:
    """Released statements that rest on an order of that ingredient."""
    orders = {fact.fact_id for fact in outcome.record.medication(code)}
    return [s for s in outcome.released() if orders & _cited(s.citations)]


def _cited(citations: Iterable[pb.Citation]) -> set[str]:
    return {citation.fact_id for citation in citations}


# --- the log --------------------------------------------------------------------------------------------------------


def _proved(outcome: Outcome) -> str | None:
    if not outcome.report.holds:
        return "; ".join(outcome.report.problems[:3]) or f"{outcome.report.missing} records have no leaf"
    return None


def _review_proved(outcome: Outcome) -> str | None:
    if not outcome.review_id:
        return "the review was not recorded"
    return None if outcome.proof.leaf.event_type.endswith("AssessmentReviewed") else "the proof is of another event"


def _warned(outcome: Outcome) -> str | None:
    told = [each for each in outcome.cards if each["indicator"] == "critical" and "Allergy" in each["summary"]]
    return None if told else "no critical card names the allergy when the drug is about to be signed"


def _seen_unasked(outcome: Outcome) -> str | None:
    watched = outcome.watched
    if watched.opened is None:
        return "no concern opened for the critical potassium"
    if not (watched.on_worklist and watched.opened.interruptive):
        return "the concern is not on the worklist, or does not interrupt"
    return None if watched.closed else "its repeat did not close it"


# --- who may look ---------------------------------------------------------------------------------------------------


def _refusal_logged(outcome: Outcome) -> str | None:
    if outcome.access is None:
        return None
    if "researcher" not in outcome.access.refused:
        return f"a researcher was answered {outcome.access.refused or 'with the record'}"
    logged = [look["subject"] for look in outcome.access.looks if look["outcome"] == "refused"]
    return None if logged == ["researcher"] else "the refused look is not in the log"


def _opened_with_reason(outcome: Outcome) -> str | None:
    if (access := outcome.access) is None:
        return None
    if not access.closed.left_out:
        return "nothing was closed to the nurse, or it was not counted"
    if access.widened.left_out or len(access.opened) != access.closed.left_out:
        return f"{access.closed.left_out} closed, {len(access.opened)} shown after the opening"
    return None if access.opening.reason else "the opening has no reason"


def _glass_broken(outcome: Outcome) -> str | None:
    if (access := outcome.access) is None:
        return None
    if "BREAK-GLASS" not in access.broken.banner or access.broken.left_out:
        return "no banner stands above the record, or something stayed closed"
    reviewed = access.reviewed
    if not (reviewed.HasField("ended_at") and reviewed.HasField("reviewed_by")):
        return "it has no end or no review"
    other = reviewed.reviewed_by.subject != reviewed.by.subject
    return None if other and access.own_review else "who broke the glass may review it"


def _looks_proven(outcome: Outcome) -> str | None:
    if outcome.access is None:
        return None
    people = {look["subject"] for look in outcome.access.looks}
    absent = {"researcher", "nurse", "physician"} - people
    return f"not in the log: looks of {', '.join(sorted(absent))}" if absent else None


TRUTHS = (
    Truth("every message and the film were accepted", _all_accepted),
    Truth("two identifiers are one person", _one_person),
    Truth("kidney function over three encounters is in the timeline", _kidney_values),
    Truth("potassium from both facilities and the page is in the timeline", _potassium_values),
    Truth("a corrected result stands corrected", _corrected),
    Truth("creatinine is in one unit", _one_unit),
    Truth("the scanned page's values are in the timeline, marked as read from an image", _page_read),
    Truth("the chest film was analysed", _film_analysed),
    Truth("what is not true is not in force", _never_true),
    Truth("the same facts again, no doubles", _same_again),
    Truth("the trend over encounters, with values and days", _trend),
    Truth("metformin no longer fits the kidney function, with the evidence", _metformin),
    Truth("the new painkiller and the ACE inhibitor", _interaction),
    Truth("the contradiction about the allergy is a question", _allergy_question),
    Truth("what changed since the last encounter", _change),
    Truth("what the network states of the film is in the assessment", _film_said),
    Truth("every released sentence has a source, every withheld one a reason", _nothing_unfounded),
    Truth("no trap of the letters was said", _no_trap_said),
    Truth("who signs a drug of the allergy has a critical card", _warned),
    Truth("a critical value is a concern before anybody asks, and its repeat closes it", _seen_unasked),
    Truth("the log holds and is complete", _proved),
    Truth("the review is in the log, proved", _review_proved),
    Truth("a role that may not look is refused, and the log has it", _refusal_logged),
    Truth("what is closed is counted, and shown to who opens it with a reason", _opened_with_reason),
    Truth("a broken glass has a banner, an end, and a review by somebody else", _glass_broken),
    Truth("everybody who looked is in the log, proved", _looks_proven),
)
