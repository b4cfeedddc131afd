"""Which statement an observation is, what withdraws it, and when it was made (HL7 v2.5.1 chapter 7)."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingestion.domain.protocol import table
from ingestion.domain.reading import Feed, Reading, read
from longitude.record.v1 import fact_pb2 as pb

PID = "PID|1||P1^^^NORTH^MR||Testperson^Ada||19600102|F"
FINAL, CORRECTED, PRELIMINARY = pb.FACT_STATUS_FINAL, pb.FACT_STATUS_CORRECTED, pb.FACT_STATUS_PRELIMINARY
WITHDRAWN = pb.FACT_STATUS_ENTERED_IN_ERROR
SAYS = {
    "final": FINAL, "corrected": CORRECTED, "preliminary": PRELIMINARY, "withdrawn": WITHDRAWN, "none": None,
}  # fmt: skip


def reading(*segments: str, kind: str = "ORU^R01") -> Reading:
    header = f"MSH|^~\\&|LAB|NORTH|||20240301120000||{kind}|M1|P|2.5.1"
    return read("\r".join([header, PID, *segments, ""]).encode(), datetime(2024, 6, 1, tzinfo=UTC), Feed())


def facts(*segments: str, kind: str = "ORU^R01") -> list[pb.ClinicalFact]:
    """All but demographics, and what is said of the order itself."""
    others = {pb.FACT_KIND_DEMOGRAPHIC, pb.FACT_KIND_PROCEDURE}
    return [f for f in reading(*segments, kind=kind).content.facts if f.kind not in others]


def one(*segments: str, kind: str = "ORU^R01") -> pb.ClinicalFact:
    (fact,) = facts(*segments, kind=kind)
    return fact


def obr(
    placer: str = "PL7", filler: str = "FI9", service: str = "CHEM^Chemistry^L", time: str = "20240229",
    state: str = "", parent: str = "", parent_order: str = "",
) -> str:  # fmt: skip
    fields = {2: placer, 3: filler, 4: service, 7: time, 25: state, 26: parent, 29: parent_order}
    return segment("OBR", fields)


def obx(value: str, code: str = "K^Potassium^L", sub_id: str = "", state: str = "F", **more: str) -> str:
    fields = {2: more.get("kind", "NM"), 3: code, 4: sub_id, 5: value, 6: more.get("unit", ""), 11: state}
    return segment("OBX", fields | {14: more.get("time", "")})


def segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, "1", *(fields.get(n, "") for n in range(2, max(fields) + 1))])


def remarks(message: Reading) -> list[str]:
    return [f"{remark.segment} {remark.field}" for remark in message.remarks]


def identities(statements: Sequence[pb.ClinicalFact]) -> list[tuple[str, int]]:
    return [("|".join(fact.identity.names), fact.identity.instance) for fact in statements]


# --- which statement


@pytest.mark.parametrize(
    ("order", "groups"),
    [
        (obr(), ["filler-service:FI9/CHEM", "filler:FI9", "placer:PL7"]),
        (obr(filler="FI9^LAB"), ["filler-service:FI9@LAB/CHEM", "filler:FI9@LAB", "placer:PL7"]),
        (obr(filler="FI9^^1.2.3^ISO", service=""), ["filler:FI9@1.2.3", "placer:PL7"]),
        (obr(filler="FI9^LAB^1.2^ISO", service=""), ["filler:FI9@LAB", "filler:FI9@1.2", "placer:PL7"]),
        (obr(filler=""), ["placer-service:PL7/CHEM", "placer:PL7"]),
        (obr(service="1^A^LN^CHEM^B^L", placer=""), ["filler-service:FI9/1", "filler-service:FI9/CHEM", "filler:FI9"]),
        (obr("", ""), ["moment:1709164800"]),
        (obr("", "", time=""), []),
    ],
)
def test_an_order_is_known_by_each_of_its_numbers_in_their_namespaces(order: str, groups: list[str]) -> None:
    assert list(one(order, obx("4")).identity.groups) == groups


def test_the_numbers_of_orc_are_those_of_its_obr() -> None:
    groups = one("ORC|RE|PL7^EHR|FI9^LAB", obr(service=""), obx("4")).identity.groups
    assert set(groups) == {"filler:FI9", "filler:FI9@LAB", "placer:PL7", "placer:PL7@EHR"}
    assert list(one("ORC|RE|PL7|FI9", "OBR|1|||CHEM", obx("4")).identity.groups)[1:] == ["filler:FI9", "placer:PL7"]


def test_an_observation_outside_of_orders_is_of_its_visit() -> None:
    visit = "PV1|1|I" + "|" * 17 + "V7"
    found = [fact for fact in facts(visit, obx("70"), kind="ADT^A08") if fact.kind == pb.FACT_KIND_RESULT]
    assert [list(fact.identity.groups) for fact in found] == [["observations:V7"]]


@pytest.mark.parametrize(
    ("code", "sub_id", "names"),
    [
        ("K^Potassium^L", "", ["K/"]),
        ("2823-3^Potassium^LN^K^Potassium^L", "2", ["2823-3/2", "K/2"]),
        ("^Potassium", "1.1.2", ["Potassium/1.1.2"]),
        ("K", '""', ["K/"]),
        ("K", "1^2^3", ["K/1^2^3"]),
    ],
)
def test_an_observation_is_known_by_every_code_with_its_sub_id(code: str, sub_id: str, names: list[str]) -> None:
    assert list(one(obr(), obx("4", code, sub_id)).identity.names) == names


def test_neither_time_value_unit_nor_state_is_part_of_an_identity() -> None:
    first = one(obr(), obx("4", unit="mmol/L", time="20240229070000"))
    other = one(obr(time=""), obx("", state="W", kind=""))
    assert first.identity == other.identity


@given(st.lists(st.sampled_from(["", "1", "2"]), min_size=2, max_size=6))
def test_no_two_observations_of_a_message_have_one_identity(sub_ids: list[str]) -> None:
    found = facts(obr(), *(obx(str(n), sub_id=sub_id) for n, sub_id in enumerate(sub_ids)))
    assert len(set(identities(found))) == len(found) == len(sub_ids)


def test_replicates_are_remarked_and_values_of_several_times_are_not() -> None:
    replicates = reading(obr(), obx("1"), obx("2"), obx("3"))
    assert remarks(replicates).count("OBX[2] OBX-4") == remarks(replicates).count("OBX[3] OBX-4") == 1
    tolerance = reading(obr(), *(obx("1", time=f"2024022907{minute}00") for minute in ("00", "30", "59")))
    assert identities(tolerance.content.facts[2:]) == [("K/", 1), ("K/", 2), ("K/", 3)]
    assert not remarks(tolerance)


def test_two_orders_of_one_number_are_told_apart_by_service_or_place() -> None:
    services = facts(obr(service="UA"), obx("1"), obr(service="CSF"), obx("2"))
    assert services[0].identity.groups[0] != services[1].identity.groups[0]
    assert identities(facts(obr(), obx("1"), obr(), obx("2"))) == [("K/", 1), ("K/", 2)]


def test_a_file_and_a_text_of_one_code_are_told_apart() -> None:
    found = facts(obr(), obx("^text^plain^A^Seen", kind="ED"), obx("Well", kind="TX"))
    assert {fact.kind for fact in found} == {pb.FACT_KIND_DOCUMENT, pb.FACT_KIND_RESULT}
    assert sorted(identities(found)) == [("K/", 1), ("K/", 2)]


def test_a_long_text_has_the_identity_of_a_short_one() -> None:
    long, short = (one(obr(), obx("word " * words, kind="TX")) for words in (2000, 2))
    assert (long.kind, short.kind) == (pb.FACT_KIND_DOCUMENT, pb.FACT_KIND_RESULT)
    assert set(short.identity.groups) < set(long.identity.groups)
    assert (long.identity.names, long.identity.instance) == (short.identity.names, short.identity.instance)


# --- the parent result


CULTURE = "600-7^Bacteria identified^LN"
ORGANISMS = (
    obr(service="CULT"),
    obx("112283007^Escherichia coli^SCT", CULTURE, "1", kind="CWE"),
    obx("Klebsiella", CULTURE, "2", kind="ST"),
)


def susceptibility(sub_id: str, text: str = "", parent_order: str = "PL7^FI9") -> tuple[str, str]:
    return (
        obr(service="SUS", parent=f"600-7&Bacteria identified&LN^{sub_id}^{text}", parent_order=parent_order),
        obx("S", "18864-9^Ampicillin^LN", kind="ST"),
    )


@pytest.mark.parametrize(
    ("sub_id", "text", "about"),
    [
        ("1", "", "Escherichia coli"),
        ("2", "", "Klebsiella"),
        ("1", "other", "Escherichia coli"),
        ("9", "Proteus", "Proteus"),
    ],
)
def test_a_susceptibility_is_about_the_organism_of_its_parent_result(sub_id: str, text: str, about: str) -> None:
    *_, fact = facts(*ORGANISMS, *susceptibility(sub_id, text))
    assert fact.about.display == about
    assert list(fact.identity.names) == [f"18864-9/<600-7/{sub_id}"]


def test_a_parent_is_looked_for_in_the_order_that_is_named() -> None:
    other = [line.replace("FI9", "FI8").replace("Escherichia coli", "Proteus") for line in ORGANISMS]
    for number, about in (("FI8", "Proteus"), ("FI9", "Escherichia coli")):
        order = susceptibility("1", parent_order=f"PL7^{number}")[0].replace("FI9|SUS", f"{number}S|SUS")
        *_, fact = facts(*other, *ORGANISMS, order, susceptibility("1")[1])
        assert fact.about.display == about


def test_a_parent_that_is_not_there_is_remarked() -> None:
    found = reading(*susceptibility("1"))
    assert remarks(found) == ["OBR[1] OBR-26"]
    assert not found.content.facts[-1].HasField("about")


def test_a_number_is_no_organism() -> None:
    found = reading(obr(service="TSH"), obx("9", CULTURE, "1"), *susceptibility("1"))
    assert not found.content.facts[-1].HasField("about")
    assert not remarks(found)


# --- withdrawals and states


@pytest.mark.parametrize("state", [*table("observation_states")])
def test_a_state_of_an_observation_says_what_its_table_does(state: str) -> None:
    status = SAYS[table("observation_states")[state]["says"]]
    assert [fact.status for fact in facts(obr(), obx("4", state=state))] == ([] if status is None else [status])


@pytest.mark.parametrize("state", [*table("report_states")])
def test_a_state_of_an_order_holds_for_observations_without_their_own(state: str) -> None:
    status = SAYS[table("report_states")[state]["says"]]
    found = [fact for fact in facts(obr(state=state), obx("4", state="")) if not fact.identity.whole_group]
    assert [fact.status for fact in found] == ([] if status is None else [status])
    (own,) = [fact for fact in facts(obr(state=state), obx("4", state="C")) if not fact.identity.whole_group]
    assert own.status == CORRECTED


def test_an_unknown_state_is_remarked_and_not_final() -> None:
    found = reading(obr(), obx("4", state="Q"))
    assert remarks(found) == ["OBX[1] OBX-11"]
    assert found.content.facts[-1].status == PRELIMINARY


@pytest.mark.parametrize("state", ["", "F", "P", "C", "W"])
@pytest.mark.parametrize(
    ("kind", "value"), [("NM", '""'), ("CWE", '""^""^""'), ("ST", '""~""'), ("SN", '^""'), ("TX", '""'), ("ED", '""')]
)
def test_a_deleted_value_is_withdrawn_whatever_its_state(state: str, kind: str, value: str) -> None:
    fact = one(obr(), obx(value, state=state, kind=kind))
    assert (fact.status, fact.WhichOneof("value")) == (WITHDRAWN, None)


@pytest.mark.parametrize("kind", ["", "NM", "ST", "TX", "CWE", "ED", "RP"])
@pytest.mark.parametrize("state", ["W", "D", "X"])
def test_a_withdrawal_needs_no_value_type_or_time(state: str, kind: str) -> None:
    fact = one(obr(time=""), obx("", state=state, kind=kind))
    assert (fact.status, list(fact.identity.names)) == (WITHDRAWN, ["K/"])
    assert not fact.HasField("valid_from")


def test_a_withdrawn_file_is_not_kept() -> None:
    content = reading(obr(), obx("^text^plain^A^Seen", kind="ED", state="W")).content
    assert not content.documents
    assert content.facts[-1].status == WITHDRAWN


@pytest.mark.parametrize(("state", "status"), [("F", FINAL), ("P", PRELIMINARY), ("C", CORRECTED)])
@pytest.mark.parametrize("value", ["^text^plain^A^Seen", "word " * 2000])
def test_a_document_has_the_state_of_its_observation(state: str, status: int, value: str) -> None:
    assert one(obr(), obx(value, kind="ED" if value[0] == "^" else "TX", state=state)).status == status


@pytest.mark.parametrize(
    ("segments", "is_cancelled"),
    [
        ([obr(state="X")], True),
        (["ORC|OC|PL7|FI9"], True),
        (["ORC|CR|PL7|FI9", obr()], True),
        (["ORC|SC|PL7|FI9||CA", obr()], True),
        (["ORC|OC|PL7|FI9||CA", obr(state="F")], False),
        (["ORC|DC|PL7|FI9", obr()], False),
        (["ORC|OD|PL7|FI9", obr()], False),
        (["ORC|HD|PL7|FI9", obr()], False),
        (["ORC|RE|PL7|FI9||CM", obr(state="I")], False),
        ([obr(state="P")], False),
    ],
)
def test_a_cancelled_order_has_no_results_and_a_discontinued_one_keeps_them(
    segments: list[str],
    is_cancelled: bool,  # noqa: FBT001
) -> None:
    found = facts(*segments)
    assert len(found) == is_cancelled
    for fact in found:
        assert (fact.kind, fact.status, fact.identity.whole_group) == (pb.FACT_KIND_RESULT, WITHDRAWN, True)
        assert "filler:FI9" in fact.identity.groups


@pytest.mark.parametrize(("control", "is_withdrawn"), [("OC", True), ("CR", True), ("CA", False), ("NW", False)])
def test_the_wish_of_a_placer_withdraws_no_results(control: str, is_withdrawn: bool) -> None:  # noqa: FBT001
    found = facts(f"ORC|{control}|PL7|FI9", obr(), kind="ORM^O01")
    assert any(fact.kind == pb.FACT_KIND_RESULT and fact.identity.whole_group for fact in found) == is_withdrawn


def test_a_withdrawal_of_nothing_that_is_known_is_remarked() -> None:
    assert remarks(reading(obr("", "", time=""), obx("", state="W"))) == ["OBX[1] OBX-11"]


@pytest.mark.parametrize(
    ("states", "text", "status"),
    [
        ("FFF", "0\n1\n2", FINAL),
        ("FWF", "0\n2", FINAL),
        ("WFF", "1\n2", FINAL),
        ("FCF", "0\n1\n2", CORRECTED),
        ("FPC", "0\n1\n2", PRELIMINARY),
        ("FIF", "0\n2", FINAL),
        ("WWW", "0\n1\n2", WITHDRAWN),
    ],
)
def test_a_withdrawn_line_is_no_part_of_a_text(states: str, text: str, status: int) -> None:
    fact = one(obr(), *(obx(str(n), kind="TX", state=state) for n, state in enumerate(states)))
    assert (fact.text, fact.status) == (text, status)


# --- times


@pytest.mark.parametrize(
    ("order", "observed", "specimen", "expected"),
    [
        ("20240229", "20240228", "20240227", "2024-02-28"),
        ("20240229", "", "20240227", "2024-02-29"),
        ("", "", "20240227", "2024-02-27"),
        ("", "", "", ""),
        ("20240229", "soon", "20240227", ""),
        ("soon", "", "20240227", ""),
    ],
)
def test_a_result_is_of_the_first_time_that_was_stated(order: str, observed: str, specimen: str, expected: str) -> None:
    fact = one(obr(time=order), obx("4", time=observed), segment("SPM", {17: specimen}))
    assert (fact.valid_from.ToJsonString()[:10] if fact.HasField("valid_from") else "") == expected
    assert fact.valid_from == fact.valid_to
    assert fact.stated_at.ToJsonString() == "2024-03-01T12:00:00Z"


def test_a_result_is_stated_when_it_was_reported() -> None:
    reported = segment("OBR", {3: "FI9", 22: "20240301100000"})
    assert one(reported, obx("4")).stated_at.ToJsonString() == "2024-03-01T10:00:00Z"
