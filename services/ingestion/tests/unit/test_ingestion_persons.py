"""Which number names a patient, which ones link two, and what the rules of a feed change in that."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingestion.domain.feed import FeedRules, placeholders, record_types
from ingestion.domain.message_type import triggers
from ingestion.domain.protocol import table
from ingestion.domain.reading import Feed, Reading, read
from ingestion.domain.refusal import RefusedError
from longitude.record.v1 import fact_pb2 as pb

ARRIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = ("record", "unspecified", "person", "account", "insurance", "other")
RESULT = ("OBR|1|P1|F1|K^Potassium^L|||20260301", "OBX|1|NM|2823-3^Potassium^LN||4.8|mmol/L|||||F")


def reading(kind: str, *segments: str, rules: FeedRules | None = None, sent: str = "20260301120000") -> Reading:
    header = f"MSH|^~\\&|APP|NORTH|||{sent}||{kind}|M1|P|2.5.1"
    feed = Feed(facilities={"NORTH": rules} if rules else {})
    return read("\r".join([header, *segments, ""]).encode(), ARRIVED, feed)


def named_by(pid_3: str, rules: FeedRules | None = None, *, pid_2: str = "") -> str | None:
    """The patient as `ID@AUTHORITY`; None where the message names nobody, and then it has no facts and says so."""
    content = reading("ORU^R01", f"PID|1|{pid_2}|{pid_3}", *RESULT, rules=rules).content
    if content.patient is None:
        assert not content.facts
        return None
    assert {fact.patient.id for fact in content.facts} == {content.patient.key.id}
    return f"{content.patient.key.id}@{content.patient.key.authority}"


def links_of(pid_3: str, mrg_1: str, rules: FeedRules | None = None) -> set[tuple[str, str]]:
    found = reading("ADT^A40", f"PID|1||{pid_3}", f"MRG|{mrg_1}", rules=rules)
    pairs = {(link.surviving.id, link.merged.id) for link in found.content.links}
    assert pairs or found.remarks, "a merge that is none is remarked"
    return pairs


@pytest.mark.parametrize(
    ("pid_3", "patient"),
    [
        ("A", "A@NORTH"),
        ("A^^^EAST", "A@EAST"),
        ("A^^^&1.2.3&ISO", "A@1.2.3"),
        ("S^^^SSA^SS~A^^^NORTH^MR", "A@NORTH"),
        ("S^^^SSA^SS~A^^^NORTH", "A@NORTH"),
        ("P^^^INS^MB~S^^^SSA^SS", "S@SSA"),
        ("V^^^NORTH^VN~S^^^SSA^SS", "S@SSA"),
        ("V^^^NORTH^VN", "V@NORTH"),
        ("X^^^NORTH^PI~A^^^NORTH^MR", "A@NORTH"),
        ("A^^^NORTH^mr~X^^^NORTH^PI", "A@NORTH"),
        ("N^^^DEU^NNDEU~A^^^NORTH^PT", "A@NORTH"),
        # Expired, not valid yet, valid on its last day; as precise as it was sent.
        ("OLD^^^NORTH^MR^^2020^20260228~A^^^NORTH^MR", "A@NORTH"),
        ("NEW^^^NORTH^MR^^20260302~A^^^NORTH^MR", "A@NORTH"),
        ("A^^^NORTH^MR^^20260301^20260301~B^^^NORTH^MR", "A@NORTH"),
        ("A^^^NORTH^MR^^2026^202603~B^^^NORTH^MR", "A@NORTH"),
        ("OLD^^^NORTH^MR^^^20250101", "OLD@NORTH"),
        ("OLD^^^NORTH^MR^^^20250101~S^^^SSA^SS", "S@SSA"),
        # Placeholders and numbers of no patient.
        ("00000^^^NORTH^MR~A^^^EAST^MR", "A@EAST"),
        ("00000^^^NORTH^MR", None),
        ("999999999^^^NORTH^MR", None),
        ("unknown", None),
        ("TBD^^^NORTH^MR~N/A^^^SSA^SS", None),
        ("P^^^INS^SN", None),
        ("D^^^NORTH^DN", None),
    ],
)
def test_the_best_number_names_the_patient(pid_3: str, patient: str | None) -> None:
    assert named_by(pid_3) == patient


def test_the_older_field_names_the_patient_where_the_list_does_not() -> None:
    assert named_by("", pid_2="A") == "A@NORTH"
    assert named_by("UNKNOWN", pid_2="A") == "A@NORTH"
    with pytest.raises(RefusedError, match="PID-3"):
        named_by("")


def test_a_message_about_nobody_known_is_taken_and_remarked() -> None:
    found = reading("ORU^R01", "PID|1||UNKNOWN^^^NORTH^MR", *RESULT)
    assert found.content.patient is None
    assert [(remark.segment, remark.field) for remark in found.remarks] == [("PID[1]", "PID-3")]


def test_only_the_patient_whom_a_placeholder_names_has_no_facts() -> None:
    content = reading("ORU^R01", "PID|1||UNKNOWN", *RESULT, "PID|2||B^^^NORTH^MR", *RESULT).content
    assert content.patient is not None
    assert content.patient.key.id == "B"
    assert {fact.patient.id for fact in content.facts} == {"B"}


@given(
    number=st.text("ABCDEFGH123456789", min_size=6, max_size=6).filter(lambda text: text not in placeholders()),
    others=st.lists(st.sampled_from(sorted(set(table("identifier_types")) - record_types())), max_size=4),
    data=st.data(),
)
def test_no_other_number_takes_the_place_of_a_record_number(
    number: str, others: list[str], data: st.DataObject
) -> None:
    values = [f"{number}^^^NORTH^MR", *(f"Z{index}^^^ELSE^{kind}" for index, kind in enumerate(others))]
    assert named_by("~".join(data.draw(st.permutations(values)))) == f"{number}@NORTH"


@pytest.mark.parametrize("kind", sorted(set(table("identifier_types")) - {"U"}))
def test_only_types_of_record_numbers_link(kind: str) -> None:
    code = kind.replace("xxx", "DEU")
    expected = {("A", "B")} if kind in record_types() else set()
    assert links_of("A^^^NORTH^MR", f"B^^^NORTH^{code}") == expected
    assert links_of("A^^^NORTH^MR", f"B^^^NORTH^MR~C^^^ELSE^{code}") == {("A", "B")} | (
        {("A", "C")} if expected else set()
    )


@pytest.mark.parametrize(
    ("pid_3", "mrg_1", "links"),
    [
        ("A", "B", {("A", "B")}),
        ("A^^^NORTH^U", "B^^^NORTH^U", {("A", "B")}),
        ("A^^^NORTH^MR", "B", {("A", "B")}),
        ("A^^^NORTH^MR", "B^^^NORTH^MR~POLICY^^^INS", {("A", "B")}),
        ("A^^^NORTH^MR~C^^^EAST^MR", "B^^^NORTH^MR~D^^^EAST^MR", {("A", "B"), ("C", "D")}),
        ("B^^^NORTH^MR~A^^^NORTH^MR", "B^^^NORTH^MR", {("A", "B")}),
        ("A^^^NORTH^MR", "B^^^NORTH^MR~A^^^NORTH^MR", {("A", "B")}),
        ("OLD^^^NORTH^MR^^^20250101~A^^^NORTH^MR", "B^^^NORTH^MR", {("A", "B")}),
        ("A^^^NORTH^MR", "B^^^NORTH^MR^^^20250101", {("A", "B")}),
        ("A^^^NORTH^MR", "A^^^NORTH^MR", set()),
        ("A^^^NORTH^MR", "0000^^^NORTH^MR", set()),
        ("S^^^SSA^SS", "B^^^NORTH^MR", set()),
    ],
)
def test_a_merge_links_record_numbers(pid_3: str, mrg_1: str, links: set[tuple[str, str]]) -> None:
    assert links_of(pid_3, mrg_1) == links


def test_a_feed_says_which_of_its_numbers_are_records() -> None:
    own = replace(FeedRules(), record_types=frozenset({"EPI"}), placeholders=frozenset({"NIEMAND"}))
    assert named_by("A^^^NORTH^MR~E^^^NORTH^EPI", own) == "E@NORTH"
    assert named_by("NIEMAND^^^NORTH^EPI", own) is None
    assert named_by("00000^^^NORTH^EPI", own) == "00000@NORTH"
    assert links_of("E^^^NORTH^EPI", "F^^^NORTH^EPI~M^^^NORTH^MR", own) == {("E", "F")}
    assert links_of("E^^^NORTH^EPI", "F^^^NORTH^EPI") == set()


@pytest.mark.parametrize(
    ("sent", "rules", "code", "remarked"),
    [
        ("I", FeedRules(), "IMP", False),
        ("IP", FeedRules(), "IP", True),
        ("IP", FeedRules(patient_classes={"IP": "I"}), "IMP", False),
        ("U", FeedRules(), "", False),
    ],
)
def test_a_class_of_a_site_still_tells_the_visit(sent: str, rules: FeedRules, code: str, *, remarked: bool) -> None:
    found = reading("ADT^A01", "PID|1||A", f"PV1|1|{sent}" + "|" * 17 + "V1", rules=rules)
    (visit,) = [fact for fact in found.content.facts if fact.kind == pb.FACT_KIND_ENCOUNTER]
    assert visit.code.code == code
    assert any(remark.field == "PV1-2" for remark in found.remarks) == remarked


def test_a_visit_that_nothing_names_is_remarked_where_an_event_is_about_one() -> None:
    for event, remarked in (("A03", True), ("A11", True), ("A08", False), ("A31", False)):
        found = reading(f"ADT^{event}", "PID|1||A", "PV1|1|I")
        assert not [fact for fact in found.content.facts if fact.kind == pb.FACT_KIND_ENCOUNTER]
        assert any(remark.field == "PV1-19" for remark in found.remarks) == remarked, event


def test_the_tables_say_only_what_is_read() -> None:
    assert {row["kind"] for row in table("identifier_types").values()} <= set(KINDS)
    assert set(table("visit_events")) <= triggers("ADT")
    assert set(table("appointment_events")) <= triggers("SIU")
    assert all(text == text.upper() for text in placeholders())
    for name in ("allergy_states", "problem_states"):
        assert all(f"FACT_STATUS_{row['status']}" in pb.FactStatus.keys() for row in table(name).values())  # noqa: SIM118
