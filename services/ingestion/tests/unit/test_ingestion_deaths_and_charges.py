from datetime import UTC, datetime

from ingestion.domain.reading import Feed, read
from longitude.record.v1 import fact_pb2 as pb

PID = "PID|1||42^^^NORTH^MR||Doe^Jo||19600101|F"
PV1 = "PV1|1|I|||||||||||||||||V7"


def facts(*segments: str, kind: int) -> list[pb.ClinicalFact]:
    header = r"MSH|^~\&|APP|NORTH|||20240301120000||{}|M1|P|2.5.1"
    message = "\r".join([header.format("DFT^P03"), PID, PV1, *segments, ""])
    found = read(message.encode(), datetime(2024, 3, 1, tzinfo=UTC), Feed()).content.facts
    return [fact for fact in found if fact.kind == kind]


def test_a_death_tells_its_causes_autopsy_and_coroner() -> None:
    told = facts("PDA|I21.9^Acute MI^I10~J18.9^Pneumonia^I10|||||Y|||N", kind=pb.FACT_KIND_RESULT)
    assert [(f.code.display, f.coded.display) for f in told] == [
        ("Cause of Death [US Standard Certificate of Death]", "Acute MI"),
        ("Cause of Death [US Standard Certificate of Death]", "Pneumonia"),
        ("Autopsy was performed", "Yes"),
        ("Medical examiner or coroner was contacted [US Standard Certificate of Death]", "No"),
    ]
    causes = [fact.identity for fact in told[:2]]
    assert causes[0].names == causes[1].names
    assert causes[0].part != causes[1].part


def test_a_certified_death_is_a_procedure_of_the_day_it_was_signed() -> None:
    (told,) = facts("PDA|||Y|20240301113000", kind=pb.FACT_KIND_PROCEDURE)
    assert told.code.display == "Death certification"
    assert told.valid_from.ToDatetime(UTC) == datetime(2024, 3, 1, 11, 30, tzinfo=UTC)
    assert facts("PDA|||N", kind=pb.FACT_KIND_PROCEDURE) == []


def test_an_accident_is_told_with_when_where_and_whether_at_work() -> None:
    (told,) = facts("ACC|20240229101500||Route 50|||||| fell from a ladder".replace("|||||| ", "||Y||||"), kind=3)
    assert told.text == "fell from a ladder, Route 50"
    assert list(told.comments) == ["job-related: yes"]
    assert told.valid_from.ToDatetime(UTC) == datetime(2024, 2, 29, 10, 15, tzinfo=UTC)
    assert facts("ACC|20240229101500", kind=pb.FACT_KIND_RESULT) == []


def charge(kind: str, number: str = "T1") -> str:
    return f"FT1|1|{number}||20240229||{kind}|99011" + "|" * 18 + "99011^First visit^C4"


def test_a_charged_procedure_was_done_until_the_charge_is_taken_back() -> None:
    (done,), (taken_back,) = (facts(charge(kind), kind=pb.FACT_KIND_PROCEDURE) for kind in ("CG", "CD"))
    assert (done.status, taken_back.status) == (pb.FACT_STATUS_FINAL, pb.FACT_STATUS_ENTERED_IN_ERROR)
    assert done.identity == taken_back.identity
    assert done.code.display == "First visit"
    assert facts(charge("PY"), kind=pb.FACT_KIND_PROCEDURE) == []


def test_a_procedure_that_pr1_tells_is_not_told_by_its_charge() -> None:
    (told,) = facts(charge("CG"), "PR1|1||99011^First visit^C4||20240229", kind=pb.FACT_KIND_PROCEDURE)
    assert told.source.segment == "PR1[1]"
