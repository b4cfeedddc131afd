"""Each expected truth is missed when, and only when, it is not there."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from client.verify.event import ProvenLeaf
from client.verify.note import Checkpoint
from client.verify.report import Report
from demo import record as names
from demo.access import Access, View
from demo.outcome import Outcome, contents
from demo.record import Record, place
from demo.truths import TRUTHS, broken
from demo.watching import Watched
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from longitude.imaging.v1.events_pb2 import Attribute, Finding, ModelVersion, Quality, StudyAnalysed
from longitude.memory.v1.events_pb2 import Actor
from longitude.memory.v1.memory_service_pb2 import GetTimelineResponse, Opening
from longitude.reasoning.v1 import assessment_pb2 as said
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact

NORTHWEST = pb.PatientKey(id="NW-204417", authority="NORTHWEST")
LAKESIDE = pb.PatientKey(id="88-1306", authority="LAKESIDE")


def at(day: str) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime.fromisoformat(day).replace(tzinfo=UTC))
    return stamp


def fact(kind: pb.FactKind.ValueType, code: str, day: str, name: str = "", **more: Any) -> pb.ClinicalFact:
    made = pb.ClinicalFact(
        fact_id=f"{kind}/{code}/{day}/{name}/{more.get('assertion', '')}",
        kind=kind,
        patient=NORTHWEST,
        code=pb.CodedConcept(code=code, display=name),
        valid_from=at(day),
        status=pb.FACT_STATUS_ACTIVE,
        assertion=pb.ASSERTION_PRESENT,
        provenance=pb.PROVENANCE_STRUCTURED,
        source=pb.SourcePointer(control_id=f"NW{day}", segment="OBX[1]", field="OBX-5"),
    )
    for field, value in more.items():
        if isinstance(value, Timestamp | pb.PatientKey | pb.SourcePointer):
            getattr(made, field).CopyFrom(value)
        else:
            setattr(made, field, value)
    return made


def result(code: str, day: str, value: str, unit: str = "mmol/L", **more: Any) -> pb.ClinicalFact:
    made = fact(pb.FACT_KIND_RESULT, code, day, **more)
    made.quantity.CopyFrom(pb.Quantity(value=value, unit=unit))
    return made


def story() -> list[pb.ClinicalFact]:
    image = pb.PROVENANCE_READ_FROM_IMAGE
    return [
        result(names.EGFR, "2024-03-12", "68"),
        result(names.EGFR, "2025-02-10", "49", patient=LAKESIDE),
        result(names.EGFR, "2026-10-05", "28"),
        result(names.CREATININE, "2024-03-12", "0.93", "mg/dL"),
        result(names.CREATININE, "2025-07-08", "1.37", "mg/dL", provenance=image),
        result(names.POTASSIUM, "2025-07-08", "5.0", provenance=image),
        *(
            result(names.POTASSIUM, day, value)
            for day, value in (
                ("2024-03-12", "4.3"),
                ("2025-02-10", "4.8"),
                ("2025-02-12", "4.9"),
                ("2026-10-05", "5.6"),
            )
        ),
        fact(pb.FACT_KIND_MEDICATION, names.METFORMIN, "2024-03-12", "metformin"),
        fact(pb.FACT_KIND_MEDICATION, names.LISINOPRIL, "2024-03-12", "lisinopril"),
        fact(pb.FACT_KIND_MEDICATION, names.NAPROXEN, "2026-10-06", "naproxen"),
        fact(pb.FACT_KIND_MEDICATION, "723", "2025-02-10", "amoxicillin", valid_to=at("2025-02-11")),
        fact(pb.FACT_KIND_PROBLEM, "J20.9", "2024-10-02", "Acute bronchitis", status=pb.FACT_STATUS_ENDED),
        fact(pb.FACT_KIND_ALLERGY, "716186003", "2024-03-12", "no known allergies", assertion=pb.ASSERTION_ABSENT),
        fact(pb.FACT_KIND_ALLERGY, "764146007", "2025-02-14", "penicillin"),
        fact(pb.FACT_KIND_IMAGING_FINDING, "opacity", "2026-10-05", source=pb.SourcePointer(sop_instance_uid="2.25.1")),
    ]


def record(facts: list[pb.ClinicalFact], identifiers: tuple[pb.PatientKey, ...] = (NORTHWEST, LAKESIDE)) -> Record:
    recorded = [RecordedFact(fact=one) for one in facts]
    return Record(GetTimelineResponse(facts=recorded, identifiers=identifiers))


def statement(
    kind: said.StatementKind.ValueType, text: str, cited: list[pb.ClinicalFact], passage: str = ""
) -> said.AssessedStatement:
    citations = [said.Citation(fact_id=one.fact_id, source=one.source) for one in cited]
    citations += [said.Citation(passage_id=passage)] if passage else []
    return said.AssessedStatement(
        kind=kind,
        text=text,
        citations=citations,
        released=True,
        verdict=said.VERDICT_SUPPORTED,
        author=said.AUTHOR_RULE,
    )


def assessment(facts: list[pb.ClinicalFact]) -> said.Assessment:
    def of(*codes: str) -> list[pb.ClinicalFact]:
        return [one for one in facts if one.code.code in codes]

    trend = "eGFR 68 (2024-03-12), 49 (2025-02-10), 28 (2026-10-05) mL/min/1.73m2."
    return said.Assessment(
        statements=[
            statement(said.STATEMENT_KIND_TREND, trend, of(names.EGFR)),
            statement(said.STATEMENT_KIND_ALERT, "Metformin at 28.", of(names.METFORMIN), "fda-metformin-renal"),
            statement(said.STATEMENT_KIND_ALERT, "Naproxen.", of(names.NAPROXEN, names.LISINOPRIL)),
            statement(said.STATEMENT_KIND_QUESTION, "Penicillin?", of("716186003", "764146007")),
            statement(said.STATEMENT_KIND_CHANGE, "eGFR 49 to 28.", of(names.EGFR)),
            statement(said.STATEMENT_KIND_IMAGING, "Opacity.", of("opacity")),
            said.AssessedStatement(text="Unfounded.", reason="no source", verdict=said.VERDICT_UNSUPPORTED),
        ]
    )


def study(probability: float) -> StudyAnalysed:
    stated = pb.ASSERTION_PRESENT if probability >= 0.6 else pb.ASSERTION_UNSPECIFIED
    finding = Finding(code=pb.CodedConcept(code="opacity"), probability=probability, threshold=0.6, assertion=stated)
    return StudyAnalysed(
        quality=Quality(acceptable=True),
        attributes=[Attribute(name="projection", text="AP")],
        findings=[finding],
        model=ModelVersion(sha256="00"),
    )


def looked(subject: str, outcome: str = "shown") -> dict[str, Any]:
    return {"subject": subject, "outcome": outcome}


def access() -> Access:
    glass = Opening(by=Actor(subject="physician"), reviewed_by=Actor(subject="auditor"), ended_at=at("2026-10-06"))
    return Access(
        names={"researcher": "R", "nurse": "N", "physician": "P", "auditor": "A"},
        refused="memory: GetTimeline is not open to the role researcher",
        closed=View({"1": "diabetes"}, 1, ""),
        widened=View({"1": "diabetes", "2": "depression"}, 0, ""),
        opening=Opening(reason="because"),
        broken=View({"1": "diabetes", "2": "depression"}, 0, "BREAK-GLASS until noon"),
        own_review="memory: ReviewOpening is not open to the role physician",
        reviewed=glass,
        looks=[looked("researcher", "refused"), *map(looked, ("nurse", "nurse", "nurse", "physician"))],
    )


def accessed(**changes: Any) -> Callable[[Outcome], Outcome]:
    return lambda o: replace(o, access=replace(access(), **changes))


def outcome() -> Outcome:
    facts = story()
    return Outcome(
        acknowledgements=Counter({"AA": 68, "0000": 1}),
        sent=69,
        before=Counter(),
        told_before=False,
        record=record(facts),
        study=study(0.8),
        watched=Watched(Concern(row="criticals/potassium", interruptive=True), on_worklist=True, closed=True),
        assessment=assessment(facts),
        review_id="review",
        cards=[{"indicator": "critical", "summary": "Amoxicillin 1 g: Allergy: penicillin."}],
        access=access(),
        proof=ProvenLeaf(
            Leaf(event_type="longitude.reasoning.v1.AssessmentReviewed"), b"", Checkpoint("log", 1, b""), ()
        ),
        report=Report(size=1, verified=1),
        seconds={},
    )


def without(code: str) -> Callable[[Outcome], Outcome]:
    return lambda o: replace(o, record=record([one for one in o.record.facts if one.code.code != code]))


def with_fact(extra: pb.ClinicalFact) -> Callable[[Outcome], Outcome]:
    return lambda o: replace(o, record=record([*o.record.facts, extra]))


def withhold(number: int) -> Callable[[Outcome], Outcome]:
    def change(o: Outcome) -> Outcome:
        draft = said.Assessment()
        draft.CopyFrom(o.assessment)
        draft.statements[number].released = False
        draft.statements[number].reason = "unsupported"
        return replace(o, assessment=draft)

    return change


def say(number: int, text: str) -> Callable[[Outcome], Outcome]:
    def change(o: Outcome) -> Outcome:
        draft = said.Assessment()
        draft.CopyFrom(o.assessment)
        draft.statements[number].text = text
        return replace(o, assessment=draft)

    return change


def uncited(o: Outcome) -> Outcome:
    draft = said.Assessment()
    draft.CopyFrom(o.assessment)
    draft.statements.append(said.AssessedStatement(text="So it is.", released=True, verdict=said.VERDICT_SUPPORTED))
    return replace(o, assessment=draft)


BREAKS: list[tuple[str, Callable[[Outcome], Outcome]]] = [
    ("accepted", lambda o: replace(o, acknowledgements=Counter({"AA": 67, "AE": 1, "0000": 1}))),
    ("accepted", lambda o: replace(o, acknowledgements=Counter({"AA": 68}))),
    ("one person", lambda o: replace(o, record=record(o.record.facts, (NORTHWEST,)))),
    ("over three encounters is in", without(names.EGFR)),
    ("potassium from both", without(names.POTASSIUM)),
    ("corrected", with_fact(result(names.POTASSIUM, "2025-02-12", "6.9"))),
    ("one unit", with_fact(result(names.CREATININE, "2026-01-20", "138", "umol/L"))),
    ("scanned page", without(names.CREATININE)),
    ("film was analysed", without("opacity")),
    ("film was analysed", lambda o: replace(o, study=StudyAnalysed())),
    ("not true", with_fact(fact(pb.FACT_KIND_PROBLEM, "C50.9", "2024-03-12", "Breast cancer"))),
    ("not true", with_fact(fact(pb.FACT_KIND_MEDICATION, "723", "2025-02-12", "amoxicillin"))),
    ("no doubles", with_fact(story()[0])),
    ("no doubles", lambda o: replace(o, told_before=True, before=contents(record(o.record.facts[1:])))),
    ("trend", withhold(0)),
    ("trend", say(0, "eGFR 68 (2024-03-12), 28 (2026-10-05).")),
    ("metformin", withhold(1)),
    ("painkiller", withhold(2)),
    ("allergy", withhold(3)),
    ("allergy", say(3, "Which one?")),
    ("changed", withhold(4)),
    ("of the film is in", withhold(5)),
    ("withheld one a reason", uncited),
    ("trap", say(4, "eGFR 49 to 28; the mother's breast cancer.")),
    ("trap", say(4, "eGFR 49 to 28; potassium 6.9 mmol/L.")),
    ("critical card", lambda o: replace(o, cards=[])),
    ("critical card", lambda o: replace(o, cards=[o.cards[0] | {"indicator": "info"}])),
    ("before anybody asks", lambda o: replace(o, watched=Watched())),
    ("before anybody asks", lambda o: replace(o, watched=replace(o.watched, on_worklist=False))),
    ("before anybody asks", lambda o: replace(o, watched=replace(o.watched, closed=False))),
    ("complete", lambda o: replace(o, report=Report(missing=2))),
    ("proved", lambda o: replace(o, proof=ProvenLeaf(Leaf(), b"", Checkpoint("log", 1, b""), ()))),
    ("may not look is refused", accessed(refused="")),
    ("may not look is refused", accessed(looks=[looked("researcher"), looked("nurse"), looked("physician")])),
    ("closed is counted", accessed(closed=View({"1": "diabetes", "2": "depression"}, 0, ""))),
    ("opens it with a reason", accessed(widened=View({"1": "diabetes"}, 1, ""))),
    ("opens it with a reason", accessed(opening=Opening())),
    ("has a banner", accessed(broken=View({"1": "diabetes", "2": "depression"}, 0, ""))),
    ("an end", accessed(reviewed=Opening(reviewed_by=Actor(subject="auditor")))),
    ("a review by somebody else", accessed(reviewed=Opening(ended_at=at("2026-10-06")))),
    ("a review by somebody else", accessed(own_review="")),
    ("everybody who looked", accessed(looks=[looked("researcher", "refused"), looked("nurse")])),
]


def test_nothing_is_missing_when_all_of_it_is_there() -> None:
    assert broken(outcome()) == []


@pytest.mark.parametrize(("name", "change"), BREAKS)
def test_what_is_not_there_is_named(name: str, change: Callable[[Outcome], Outcome]) -> None:
    missing = dict(broken(change(outcome())))
    assert any(name in truth for truth in missing), missing


def test_a_stack_without_demo_people_lacks_no_truth() -> None:
    assert broken(replace(outcome(), access=None)) == []


def test_every_truth_is_broken_by_some_change() -> None:
    assert {truth for _, change in BREAKS for truth, _ in broken(change(outcome()))} == {truth.name for truth in TRUTHS}


def test_telling_it_again_unchanged_is_no_double() -> None:
    first = outcome()
    assert broken(replace(first, told_before=True, before=first.after)) == []


def test_a_withdrawn_value_may_be_named_beside_its_correction() -> None:
    assert broken(say(4, "eGFR 49 to 28. Potassium 4.9 mmol/L replaces 6.9 mmol/L.")(outcome())) == []


def test_a_finding_below_the_threshold_need_not_be_stated() -> None:
    silent = without("opacity")(withhold(5)(outcome()))
    assert broken(replace(silent, study=study(0.3))) == []


def test_a_pointer_is_told_in_a_few_characters() -> None:
    assert place(pb.SourcePointer(control_id="NW1", segment="OBX[2]", field="OBX-5")) == "NW1 OBX[2] OBX-5"
    assert place(pb.SourcePointer(control_id="LK1", segment="OBX[1]", page=1)) == "LK1 OBX[1] page 1"
    assert place(pb.SourcePointer(control_id="LK1", text_start=3, text_end=9)) == "LK1 characters 3-9"
