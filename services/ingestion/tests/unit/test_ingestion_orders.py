"""What orders say: the state of each (tables 0119 and 0038), their times and doses, and what was dispensed or given."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingestion.domain.protocol import table
from ingestion.domain.reading import Feed, Reading, read
from longitude.record.v1 import fact_pb2 as pb

ARRIVED = datetime(2026, 6, 1, 12, tzinfo=UTC)
DRUG = "RXE||WAR5^Warfarin 5 MG^L|5||mg"
SERVICE = "OBR|1|P1||CT1^CT abdomen^L"
# Order controls whose own word on the state stands, whatever ORC-5 says.
SETTLED = {"ended", "replaced", "on hold", "withdrawn", "denied", "not ordered", "previous"}
STATES = {
    "begins": "ACTIVE",
    "goes on": "ACTIVE",
    "unchanged": "UNSPECIFIED",
    "performed": "UNSPECIFIED",
    "on hold": "ENDED",
    "ended": "ENDED",
    "replaced": "ENDED",
    "withdrawn": "ENTERED_IN_ERROR",
}


def reading(kind: str, *segments: str) -> Reading:
    header = f"MSH|^~\\&|APP|NORTH|||20260501120000||{kind}|M1|P|2.5.1"
    return read("\r".join([header, "PID|1||P1^^^NORTH^MR||Testperson^Ada", *segments, ""]).encode(), ARRIVED, Feed())


def facts(kind: str, *segments: str) -> list[pb.ClinicalFact]:
    return [f for f in reading(kind, *segments).content.facts if f.kind != pb.FACT_KIND_DEMOGRAPHIC]


def one(kind: str, *segments: str) -> pb.ClinicalFact:
    (fact,) = facts(kind, *segments)
    return fact


def places(kind: str, *segments: str) -> list[str]:
    return [remark.field or remark.segment for remark in reading(kind, *segments).remarks]


def state(fact: pb.ClinicalFact) -> str:
    return pb.FactStatus.Name(fact.status).removeprefix("FACT_STATUS_")


def day(fact: object, field: str) -> str:
    value = getattr(fact, field)
    return value.ToJsonString()[:10] if value.seconds else ""


def orc(control: str, number: str = "P1", state: str = "", *, parent: str = "", effective: str = "") -> str:
    return f"ORC|{control}|{number}|||{state}|||{parent}|20260430||||||{effective}".rstrip("|")


# --- tables 0119 and 0038


def test_every_word_of_the_tables_has_a_meaning() -> None:
    words = {row["says"] for name in ("order_controls", "order_states") for row in table(name).values()}
    assert words == STATES.keys() | {"denied", "not ordered", "previous"}
    assert (len(table("order_controls")), len(table("order_states"))) == (58, 9)


@pytest.mark.parametrize("control", [*table("order_controls")])
@pytest.mark.parametrize("status", ["", *table("order_states")])
def test_a_drug_order_has_the_state_that_its_control_and_status_say(control: str, status: str) -> None:
    says = table("order_controls")[control]["says"]
    beside = table("order_states")[status]["says"] if status else "unchanged"
    if says not in SETTLED and beside != "unchanged":
        says = beside
    stated = facts("RDE^O11", orc(control, state=status), DRUG)
    assert [state(fact) for fact in stated] == ([STATES[says]] if says in STATES else [])
    assert [day(fact, "valid_to") for fact in stated if STATES[says] == "ENDED"] in ([], ["2026-04-30"])
    assert [fact.note for fact in stated] in ([], ["on hold" if says == "on hold" else ""])
    assert ("ORC-1" in places("RDE^O11", orc(control, state=status), DRUG)) == (says in {"denied", "not ordered"})


@pytest.mark.parametrize("control", [*table("order_controls")])
def test_a_service_is_asked_for_as_its_control_says(control: str) -> None:
    says = table("order_controls")[control]["says"]
    stated = [fact for fact in facts("OML^O21", orc(control), SERVICE) if fact.kind == pb.FACT_KIND_PROCEDURE]
    expected = {"ACTIVE": "ORDERED"}.get(STATES.get(says, ""), STATES.get(says, ""))
    assert [state(fact) for fact in stated] == ([expected] if expected and says != "performed" else [])


@pytest.mark.parametrize("kind", ["ORM^O01", "RDE^O11", "OML^O21", "OMP^O09"])
@pytest.mark.parametrize("control", [*table("order_controls")])
def test_an_order_control_alone_speaks_of_all_under_its_number(kind: str, control: str) -> None:
    expected = STATES.get(table("order_controls")[control]["says"], "UNSPECIFIED")
    stated = facts(kind, orc(control))
    assert [state(fact) for fact in stated] == ([expected] if expected != "UNSPECIFIED" else [])
    assert all(fact.identity.whole_group and list(fact.identity.groups) == ["placer:P1"] for fact in stated)


def test_a_detail_that_names_nothing_is_as_none_and_remarked() -> None:
    assert one("RDE^O11", orc("DC"), "RXE||").identity.whole_group
    assert "RXE[1]" in places("RDE^O11", orc("DC"), "RXE||")


def test_an_order_control_that_is_not_known_is_remarked_and_changes_no_state() -> None:
    assert state(one("RDE^O11", orc("ZZ"), DRUG)) == "UNSPECIFIED"
    assert "ORC-1" in places("RDE^O11", orc("ZZ"), DRUG)


def test_an_order_that_ends_later_is_in_force_until_then() -> None:
    later = one("RDE^O11", orc("DC", effective="20260601"), DRUG)
    assert (state(later), day(later, "valid_to")) == ("ACTIVE", "2026-06-01")
    now = one("RDE^O11", orc("DC", effective="20260429"), DRUG)
    assert (state(now), day(now, "valid_to")) == ("ENDED", "2026-04-29")


# --- several orders of one message


def test_a_replacement_under_the_same_number_continues_the_order() -> None:
    new = one("RDE^O11", orc("RP"), DRUG, orc("RO"), "RXE||LIS^Lisinopril 10 MG^L|10||mg")
    assert (new.code.display, state(new)) == ("lisinopril", "ACTIVE")


def test_a_replacement_that_names_its_parent_alone_ends_it() -> None:
    old, new = sorted(facts("RDE^O11", orc("RO", "P2", parent="P1&EHR^F1&LAB"), DRUG), key=state, reverse=True)
    assert (list(old.identity.groups), state(old)) == (["placer:P1@EHR", "filler:F1@LAB"], "ENDED")
    assert (list(new.identity.groups), state(new)) == (["placer:P2"], "ACTIVE")
    assert [state(f) for f in facts("RDE^O11", orc("RP"), orc("RO", "P2", parent="P1"), DRUG)] == ["ENDED", "ACTIVE"]


def test_an_order_control_holds_for_each_service_under_it() -> None:
    for control, expected in (("NW", "ORDERED"), ("CA", "ENDED")):
        both = facts("ORM^O01", orc(control), "OBR|1|P1||CBC^Blood count^L", "OBR|2|||BMP^Metabolic panel^L")
        assert [state(f) for f in both] == [expected] * 2
        assert [(list(f.identity.groups), list(f.identity.names)) for f in both] == [
            (["placer:P1"], ["order:CBC"]),
            (["placer:P1"], ["order:BMP"]),
        ]
    own = facts("ORM^O01", orc("NW"), "OBR|1|P1||CBC^Blood count^L", "OBR|2|P2||BMP^Metabolic panel^L")
    assert [list(f.identity.groups) for f in own] == [["placer:P1"], ["placer:P2"]]


def test_the_same_service_twice_is_two() -> None:
    both = facts("ORM^O01", orc("NW"), SERVICE, SERVICE)
    assert [f.identity.instance for f in both] == [1, 2]


def test_an_earlier_result_beside_an_order_is_a_result() -> None:
    ordered, result = sorted(
        facts(
            "OML^O21", orc("NW"), SERVICE, orc("PR", "P0"), "OBR|1|P0||CT2^CT head^L|||20200101",
            "OBX|1|ST|CT2^CT head^L||No bleeding||||||F",
        ),
        key=lambda f: f.kind, reverse=True,
    )  # fmt: skip
    assert (ordered.kind, ordered.code.display) == (pb.FACT_KIND_PROCEDURE, "CT abdomen")
    assert (result.kind, day(result, "valid_from")) == (pb.FACT_KIND_RESULT, "2020-01-01")


# --- times


def test_a_start_that_nobody_stated_is_none() -> None:
    for kind, detail in (("RDE^O11", DRUG), ("ORM^O01", SERVICE)):
        ordered = one(kind, orc("NW"), detail)
        assert not ordered.HasField("valid_from")
        assert day(ordered, "stated_at") == "2026-04-30"


@pytest.mark.parametrize(
    "segments",
    [
        (orc("NW"), "TQ1|1||BID||||20260502", DRUG),
        (orc("NW"), "RXE|^BID^^20260502|WAR5^Warfarin 5 MG^L|5||mg"),
        ("ORC|NW|P1|||||^BID^^20260502||20260430", DRUG),
        (orc("NW", effective="20260502"), DRUG),
    ],
)
def test_a_start_is_read_wherever_it_stands(segments: Sequence[str]) -> None:
    assert day(one("RDE^O11", *segments), "valid_from") == "2026-05-02"


@pytest.mark.parametrize(
    ("written", "end"),
    [
        ("D7", "2026-05-08"), ("W2", "2026-05-15"), ("L1", "2026-06-01"), ("H48", "2026-05-03"),
        ("M1440", "2026-05-02"), ("S86400", "2026-05-02"), ("X1", "2026-05-01"), ("X8", "2026-05-03"),
        ("INDEF", ""), ("T10", ""),
    ],
)  # fmt: skip
def test_a_duration_ends_an_order(written: str, end: str) -> None:
    """Table of durations: HL7 v2.5.1 section 4.3.3. Eight times every six hours are two days."""
    embedded = one("RDE^O11", orc("NW"), f"RXE|^Q6H^{written}^20260501|WAR5^Warfarin 5 MG^L|5||mg")
    assert day(embedded, "valid_to") == end
    assert day(one("RDE^O11", orc("NW"), f"TQ1|1||Q6H|||{written}|20260501", DRUG), "valid_to") == end


@pytest.mark.parametrize(
    ("timing", "end"),
    [
        ("TQ1|1||Q8H|||10^d|20260501", "2026-05-11"), ("TQ1|1||Q8H|||2^&WEEKS|20260501", "2026-05-15"),
        ("TQ1|1||Q8H|||1^mo|20260131", "2026-02-28"), ("TQ1|1||Q8H|||10^d", "2026-05-10"),
        ("TQ1|1||Q8H|||10^furlong|20260501", ""), ("TQ1|1||Q8H|||10^d|20260501|20260503", "2026-05-03"),
        ("TQ1|1||Q1D||||20260501|||||||3", "2026-05-04"), ("TQ1|1||BID||||20260501|||||||3", ""),
    ],
)  # fmt: skip
def test_the_end_is_the_one_stated_or_follows_from_the_duration(timing: str, end: str) -> None:
    assert day(one("RDE^O11", orc("NW"), timing, DRUG), "valid_to") == end


@settings(deadline=None, max_examples=60)
@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 400))
def test_days_are_days_and_months_keep_their_day_or_are_shorter(start: date, number: int) -> None:
    begun = datetime.combine(start, time(), UTC)

    def end(unit: str) -> datetime:
        timing = f"TQ1|1|||||{number}^{unit}|{begun:%Y%m%d}"
        return one("RDE^O11", orc("NW"), timing, DRUG).valid_to.ToDatetime(UTC)

    assert end("d") - begun == timedelta(days=number)
    months = end("mo")
    assert (months.year - begun.year) * 12 + months.month - begun.month == number
    assert months.day == begun.day or (months.day < begun.day and (months + timedelta(days=1)).day == 1)


# --- doses


@pytest.mark.parametrize(
    ("detail", "low", "high"),
    [
        ("RXE||WAR5^Warfarin^L|1|2|TAB", "1", "2"), ("RXO|WAR5^Warfarin^L|1|2|TAB", "1", "2"),
        ("RXE||WAR5^Warfarin^L|1|1|TAB", "1", ""), ("RXE||WAR5^Warfarin^L|1||TAB", "1", ""),
    ],
)  # fmt: skip
def test_a_range_of_doses_has_two_ends(detail: str, low: str, high: str) -> None:
    dosage = one("RDE^O11", orc("NW"), detail).dosage
    assert (dosage.dose.value, dosage.dose_high.value) == (low, high)


def test_two_timings_are_two_doses() -> None:
    fact = one("RDE^O11", orc("NW"), "TQ1|1|10^units|QAM", "TQ1|2|20^units|QHS", "RXE||G^Insulin glargine^L|10||units")
    doses = [(d.dose.value, d.dose.unit, d.frequency) for d in (fact.dosage, *fact.further_dosages)]
    assert doses == [("10", "U", "QAM"), ("20", "U", "QHS")]


@pytest.mark.parametrize(
    "segments",
    [
        (
            "RXE||P^Prednisone^L|||mg", "TQ1|1|40^mg|QD|||3^d|20260501|||||S", "TQ1|2|20^mg|QD|||3^d||||||S",
            "TQ1|3|10^mg|QD|||1^wk",
        ),
        ("RXE|40&mg^QD^D3^20260501^^^^^S~20&mg^QD^D3^^^^^^S~10&mg^QD^W1|P^Prednisone^L|||mg",),
    ],
)  # fmt: skip
def test_each_step_of_a_taper_follows_the_one_before(segments: Sequence[str]) -> None:
    fact = one("RDE^O11", orc("NW"), *segments)
    steps = [(d.dose.value, day(d, "valid_from"), day(d, "valid_to")) for d in (fact.dosage, *fact.further_dosages)]
    assert steps == [
        ("40", "2026-05-01", "2026-05-04"),
        ("20", "2026-05-04", "2026-05-07"),
        ("10", "2026-05-07", "2026-05-14"),
    ]
    assert (day(fact, "valid_from"), day(fact, "valid_to")) == ("2026-05-01", "2026-05-14")


@pytest.mark.parametrize(
    ("segments", "frequency", "instruction"),
    [
        (("TQ1|1||Q4H||||||PRN|for pain", DRUG), "Q4H PRN", "for pain"),
        (("TQ1|1||PRN||||||PRN", DRUG), "PRN", ""),
        (("TQ1|1||QAM~QHS", DRUG), "QAM QHS", ""),
        (("TQ1|1|||0800~2000", DRUG), "0800, 2000", ""),
        (("TQ1|1||||||||||with breakfast", DRUG), "with breakfast", ""),
        (("RXE|^Q4H^^^^PRN^pain|WAR5^Warfarin^L|5||mg",), "Q4H PRN", "pain"),
        (("RXE||WAR5^Warfarin^L|5||mg||||||||||||||||||100|mL",), "", "rate 100 mL"),
        (("TQ1|1|2|BID", DRUG), "BID", "2 times the dose"),
    ],
)
def test_how_often_and_under_which_condition_is_kept(segments: Sequence[str], frequency: str, instruction: str) -> None:
    dosage = one("RDE^O11", orc("NW"), *segments).dosage
    assert (dosage.frequency, dosage.instruction, dosage.dose.value) == (frequency, instruction, "5")


def test_each_component_of_a_compound_has_its_own_amount() -> None:
    parts = facts(
        "RDE^O11", orc("NW"), "RXE||IV^IV compound^L|1||BAG", "RXR|IV^Intravenous",
        "RXC|B|D5W^Dextrose 5%^L|1000|mL", "RXC|A|KCL^Potassium chloride^L|20|meq", "RXC|A|",
    )  # fmt: skip
    amounts = {f.source_code.display: (f.dosage.dose.value, f.dosage.route) for f in parts}
    assert amounts == {
        "IV compound": ("1", "Intravenous"),
        "Dextrose 5%": ("1000", "Intravenous"),
        "Potassium chloride": ("20", "Intravenous"),
    }
    assert len({f.identity.part for f in parts}) == len(parts)
    assert len({(*f.identity.groups, *f.identity.names) for f in parts}) == 1


# --- doses that were dispensed or given

GIVEN = "RXA|0|1|20260430|20260430|WAR5^Warfarin 5 MG^L|5|mg"


@pytest.mark.parametrize("control", [*table("order_controls")])
@pytest.mark.parametrize(("kind", "dose"), [("RAS^O17", GIVEN), ("RDS^O13", "RXD|1|WAR5^Warfarin^L|20260430|10|TAB")])
def test_a_dose_is_an_instant_beside_its_order(kind: str, dose: str, control: str) -> None:
    fact = one(kind, orc(control), "RXO|WAR5^Warfarin 5 MG^L|5||mg", DRUG, dose)
    assert not any(group.startswith(("placer:", "filler:")) for group in fact.identity.groups)
    assert fact.valid_from == fact.valid_to
    assert state(fact) in {"ENDED", "ENTERED_IN_ERROR"}


def test_an_instruction_to_give_is_no_dose_and_remarked() -> None:
    segments = (orc("RE"), "RXG|1|1|^Q8H|WAR5^Warfarin^L|5||mg")
    assert facts("RGV^O15", *segments) == []
    assert "RXG[1]" in places("RGV^O15", *segments)


def test_a_response_that_refuses_is_taken_and_remarked() -> None:
    segments = ("MSA|AE|M1", orc("NW"), "RXE||WAR5^Warfarin^L|5||mg")
    assert facts("RRE^O12", *segments) == []
    assert "MSA-1" in places("RRE^O12", *segments)


def test_a_response_without_a_patient_is_taken_and_has_no_facts() -> None:
    taken = read(b"MSH|^~\\&|EHR|NORTH|||20260501||RRE^O12|M1|P|2.5.1\rMSA|AA|M0\r", ARRIVED, Feed())
    assert (taken.content.facts, [remark.segment for remark in taken.remarks]) == ([], ["PID[1]"])


@pytest.mark.parametrize(
    ("end", "status"),
    [("||||||||||||||D", "ENTERED_IN_ERROR"), ("|||||||||||||RE", "ENTERED_IN_ERROR"), ("|||||||||||||CP", "ENDED"),
     ("|||||||||||||PA", "ENDED")],
)  # fmt: skip
def test_a_dose_that_was_not_given_is_taken_back(end: str, status: str) -> None:
    fact, before = (one("RAS^O17", orc("RE"), GIVEN + each) for each in (end, ""))
    assert (state(fact), fact.identity) == (status, before.identity)


def test_the_route_of_a_dose_is_its_own() -> None:
    later = GIVEN.replace("|20260430|", "|20260429|", 1)
    both = facts("RAS^O17", orc("RE"), GIVEN, "RXR|PO^Oral", later, "RXR|IV^Intravenous")
    assert [f.dosage.route for f in both] == ["Oral", "Intravenous"]


# --- vaccinations


def vaccine(
    code: str = "08^Hep B^CVX", day: str = "20260101", *, kind: str = "00", status: str = "CP", action: str = "A"
) -> str:
    return f"RXA|0|1|{day}|{day}|{code}|0.5|mL||{kind}|||||||||||{status}|{action}"


def test_a_vaccination_is_named_by_its_number_and_by_vaccine_and_day() -> None:
    fact = one("VXU^V04", "ORC|RE|P9|V85^IIS", vaccine())
    numbers = ["filler@IIS:V85", "placer@NORTH:P9"]
    assert list(fact.identity.groups) == [*numbers, "vaccinations:"]
    assert list(fact.identity.names) == [*numbers, "08:2026-01-01"]
    assert list(one("VXU^V04", vaccine()).identity.groups) == ["vaccinations:"]
    # The number of what was not administered names nothing.
    assert list(one("VXU^V04", "ORC|RE||9999^IIS", vaccine(status="RE")).identity.groups) == ["vaccinations:"]


def test_two_vaccinations_of_one_order_are_told_apart() -> None:
    both = facts("VXU^V04", "ORC|RE||V1^IIS", vaccine(), vaccine("20^DTaP^CVX"))
    assert [f.identity.groups[0] for f in both] == ["filler@IIS:V1/1", "filler@IIS:V1/2"]
    assert [f.identity.instance for f in facts("VXU^V04", vaccine(), vaccine())] == [1, 2]


def test_a_vaccination_is_withdrawn_by_its_number_alone() -> None:
    fact = one("VXU^V04", "ORC|RE||V1^IIS", "RXA|0|1|||||||||||||||||||D")
    assert (state(fact), fact.code.code, fact.HasField("valid_from")) == ("ENTERED_IN_ERROR", "", False)
    assert places("VXU^V04", "RXA|0|1|||||||||||||||||||D") == ["RXA-5"]


@pytest.mark.parametrize(
    ("segment", "assertion", "note"),
    [
        (vaccine(status="RE"), "ABSENT", ""), (vaccine(status="NA"), "ABSENT", ""),
        (vaccine(status="PA"), "PRESENT", "partially administered"), (vaccine(kind="01"), "PRESENT", "historical"),
        (vaccine(kind="01^Historical^NIP001"), "PRESENT", "Historical"),
    ],
)  # fmt: skip
def test_a_vaccination_says_whether_it_was_given_or_remembered(segment: str, assertion: str, note: str) -> None:
    fact = one("VXU^V04", segment)
    assert (fact.assertion, fact.note) == (pb.Assertion.Value(f"ASSERTION_{assertion}"), note)


def test_a_vaccine_is_a_vaccination_in_whatever_message_it_comes() -> None:
    assert one("RAS^O17", "ORC|RE|P1", vaccine()).kind == pb.FACT_KIND_IMMUNIZATION


@pytest.mark.parametrize("words", ["NONE", "Patient takes no medications", "No current medications", "Unknown"])
def test_an_order_of_nothing_is_no_drug(words: str) -> None:
    drug = f"RXE||NONE^{words}^L|1||EA"
    assert not [fact for fact in facts("RDE^O11", orc("NW"), drug) if fact.kind == pb.FACT_KIND_MEDICATION]
    assert "RXE-2" in places("RDE^O11", orc("NW"), drug)
