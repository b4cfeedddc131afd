"""What stands together in a message: orders, specimens, containers, notes (abstract message syntaxes of HL7 v2.5.1)."""

from datetime import UTC, datetime

import pytest
from ingestion.domain.reading import Feed, Reading, read
from longitude.record.v1 import fact_pb2 as pb

PID = "PID|1||P1^^^NORTH^MR||Testperson^Ada||19600102|F"
SODIUM = "OBX|1|NM|2951-2^Sodium^LN||140|mmol/L|||||F"
GLUCOSE = "OBX|1|NM|GLU^Glucose^L||90|mg/dL|||||F"
LOCAL = "urn:longitude:local:NORTH:L"
LOINC = "http://loinc.org"


def reading(*segments: str, kind: str = "ORU^R01") -> Reading:
    header = f"MSH|^~\\&|LAB|NORTH|||20240301120000||{kind}|M1|P|2.5.1"
    return read("\r".join([header, *segments, ""]).encode(), datetime(2024, 6, 1, tzinfo=UTC), Feed())


def results(*segments: str, kind: str = "ORU^R01") -> list[pb.ClinicalFact]:
    return [f for f in reading(PID, *segments, kind=kind).content.facts if f.kind == pb.FACT_KIND_RESULT]


def spm(number: int, material: str = "SER", day: int = 1) -> str:
    return f"SPM|{number}|S{number}||{material}^^HL70487" + "|" * 13 + f"2024020{day}"


def obr(number: int, service: str = "CHEM") -> str:
    return f"OBR|{number}|P{number}|F{number}|{service}"


def days(facts: list[pb.ClinicalFact]) -> list[str]:
    return [fact.valid_from.ToJsonString()[:10] for fact in facts]


def numbers(facts: list[pb.ClinicalFact]) -> list[str]:
    return [next(group for group in fact.identity.groups if group.startswith("filler:")) for fact in facts]


# --- specimens and containers


@pytest.mark.parametrize(
    ("kind", "orc"),
    [
        *((kind, orc) for kind in ("OUL^R22", "OUL^R23", "OML^O33", "ORU^R01") for orc in ("", "ORC|RE|P{n}|F{n}")),
        ("OUL^R22", "ORC|RE"),
    ],
)
def test_a_specimen_before_the_orders_is_theirs(kind: str, orc: str) -> None:
    orders = [[obr(n), *filter(None, [orc.format(n=n)]), "TQ1|1", SODIUM] for n in (1, 2, 3)]
    found = results(spm(1, day=1), *orders[0], *orders[1], spm(2, day=2), *orders[2], kind=kind)
    assert days(found) == ["2024-02-01", "2024-02-01", "2024-02-02"]
    assert numbers(found) == ["filler:F1", "filler:F2", "filler:F3"]


@pytest.mark.parametrize("kind", ["ORU^R01", "OUL^R24", "OML^O21"])
def test_a_specimen_behind_an_order_is_its_own(kind: str) -> None:
    after = results(obr(1), SODIUM, spm(1, day=1), obr(2), SODIUM, spm(2, day=2), kind=kind)
    before = results(obr(1), spm(1, day=1), SODIUM, obr(2), spm(2, day=2), SODIUM, kind=kind)
    assert days(after) == days(before) == ["2024-02-01", "2024-02-02"]


@pytest.mark.parametrize("container", [[], ["SAC|||C1"], ["SAC|||C1", "INV|X|OK"]])
def test_what_is_observed_of_a_specimen_is_no_result_of_an_order(container: list[str]) -> None:
    found = results(spm(1), "OBX|1|NM|VOL^Volume^L||20|mL|||||F", *container, obr(1), SODIUM, kind="OUL^R22")
    assert [list(fact.identity.groups)[-2:] for fact in found] == [["specimen:S1"], ["filler:F1", "placer:P1"]]


def test_the_material_of_a_container_is_weighed() -> None:
    found = results(
        "SAC|||C1|||CSF&CSF", "ORC|RE", obr(1), GLUCOSE, "SAC|||C2|||SER&Serum", "ORC|RE", obr(2), GLUCOSE,
        kind="OUL^R21",
    )  # fmt: skip
    assert [fact.code.system for fact in found] == [LOCAL, LOINC]


def test_containers_of_a_specimen_keep_it() -> None:
    found = results(spm(1, "CSF"), "SAC|||C1", obr(1), GLUCOSE, "SAC|||C2", obr(2), GLUCOSE, kind="OUL^R23")
    assert [(fact.code.system, fact.valid_from.ToJsonString()[:10]) for fact in found] == [(LOCAL, "2024-02-01")] * 2


# --- ORC and OBR


@pytest.mark.parametrize("kind", ["OUL^R22", "ORU^R01"])
def test_an_orc_behind_its_obr_is_of_this_order(kind: str) -> None:
    orders = [obr(1), "ORC|OC|P1|F1", obr(2), "ORC|RE|P2|F2", SODIUM]
    cancelled, sodium = results(*orders, kind=kind)
    assert (cancelled.identity.whole_group, numbers([cancelled])) == (True, ["filler:F1"])
    assert (sodium.quantity.value, numbers([sodium])) == ("140", ["filler:F2"])


def test_an_orc_of_another_number_begins_the_next_order() -> None:
    sodium, cancelled = sorted(
        results(obr(1), "ORC|OC|P2|F2", obr(2), obr(3), SODIUM, kind="OUL^R22"), key=lambda f: f.identity.whole_group
    )
    assert numbers([sodium, cancelled]) == ["filler:F3", "filler:F2"]


def test_an_obr_without_a_number_is_of_the_order_before_it() -> None:
    found = results("ORC|RE|P1|F1", "OBR|1|||CHEM", SODIUM, "OBR|2|||GAS", SODIUM)
    assert numbers(found) == ["filler:F1", "filler:F1"]
    assert found[0].identity.groups[0] != found[1].identity.groups[0]
    found = results("ORC|RE|P1|F1", obr(1), SODIUM, obr(2), SODIUM)
    assert numbers(found) == ["filler:F1", "filler:F2"]


# --- notes


def test_a_note_is_of_the_observation_before_it() -> None:
    found = results(
        obr(1), SODIUM, "NTE|1|L|Specimen haemolysed", "NTE|2|L|Call 11~12", "NTE|3|L|", "OBX|2|NM|K^K^L||4|||||||F",
        "PRT|1", "NTE|1||Repeat", "OBX|3|NM|L^L^L||4|||||||F",
    )  # fmt: skip
    assert [list(fact.comments) for fact in found] == [["Specimen haemolysed", "Call 11\n12"], ["Repeat"], []]


@pytest.mark.parametrize(
    "segments",
    [
        (obr(1), "NTE|1||Lipaemic", SODIUM, SODIUM),
        ("ORC|RE|P1|F1", "NTE|1||Lipaemic", obr(1), SODIUM, SODIUM),
        (obr(1), SODIUM, SODIUM, spm(1), "NTE|1||Lipaemic"),
        (spm(1), "NTE|1||Lipaemic", obr(1), SODIUM, SODIUM),
    ],
)
def test_a_note_on_an_order_or_specimen_is_beside_all_its_results(segments: tuple[str, ...]) -> None:
    assert [list(fact.comments) for fact in results(*segments)] == [["Lipaemic"], ["Lipaemic"]]


@pytest.mark.parametrize(
    ("segments", "comment"),
    [
        ((obr(1), SODIUM, "SPM|1|S1||SER" + "|" * 20 + "HEM^Hemolyzed^HL70493"), "Hemolyzed"),
        ((obr(1), SODIUM, "SPM|1|S1||SER" + "|" * 20 + "HEM"), "HEM"),
        ((obr(1), SODIUM, "SPM|1|S1||SER" + "|" * 17 + "EX^Expired^HL70490"), "Expired"),
        ((obr(1) + "|" * 35 + "^Difficult puncture", SODIUM), "Difficult puncture"),
    ],
)
def test_the_condition_of_a_specimen_is_beside_its_results(segments: tuple[str, ...], comment: str) -> None:
    assert [list(fact.comments) for fact in results(*segments)] == [[comment]]


def test_a_note_on_what_is_asked_for_is_no_comment_on_results() -> None:
    found = results("ORC|NW|P1", obr(1), "NTE|1||Is she anaemic?", SODIUM, kind="ORM^O01")
    assert [list(fact.comments) for fact in found] == [[]]


def test_notes_alone_are_the_result_of_their_order() -> None:
    (fact,) = results(obr(1, "CULT^Blood culture^L") + "|" * 21 + "P", "NTE|1||Gram positive cocci", "NTE|2||Called.")
    assert (fact.text, fact.status) == ("Gram positive cocci\nCalled.", pb.FACT_STATUS_PRELIMINARY)
    assert (fact.code.code, fact.source.segment, fact.source.field) == ("CULT", "NTE[1]", "NTE-3")


def test_notes_stand_for_a_value_that_is_left_out() -> None:
    (fact,) = results(obr(1), "OBX|1|ST|CULT^Culture^L||||||||F", "NTE|1||No growth")
    assert (fact.text, list(fact.comments)) == ("No growth", [])


def test_a_document_has_the_notes_of_its_observation() -> None:
    content = reading(PID, obr(1), "OBX|1|ED|R^R^L||^text^plain^A^Seen||||||F", "NTE|1||Draft").content
    assert [list(document.fact.comments) for document in content.documents] == [["Draft"]]


@pytest.mark.parametrize(
    "segments", [(PID, "NTE|1||Hears badly"), ("NTE|1||Resent", PID), (PID, "PV1|1|I", "NTE|1||Late")]
)
def test_a_note_about_no_result_is_remarked(segments: tuple[str, ...]) -> None:
    found = reading(*segments, obr(1), SODIUM)
    assert [(remark.segment, remark.field) for remark in found.remarks] == [("NTE[1]", "NTE-3")]
    assert not any(fact.comments for fact in found.content.facts)


def test_an_observation_outside_of_orders_keeps_its_notes() -> None:
    (fact,) = results("PV1|1|I", SODIUM, "NTE|1||Standing", kind="ADT^A08")
    assert list(fact.comments) == ["Standing"]
