"""Orders through their life: what ingestion reads of each message, and what the record makes of them one after another.

Each table says what is in force after the last message; the order of arrival makes no difference.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from ingestion.domain.protocol import table
from ingestion.domain.reading import Feed, read
from longitude.record.v1 import fact_pb2 as pb
from memory.domain.timeline import Entry, StatedFact, replay, standing

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
LATE = datetime(2027, 1, 1, tzinfo=UTC)
IN_FORCE = (pb.FACT_STATUS_ACTIVE, pb.FACT_STATUS_ORDERED, pb.FACT_STATUS_PRELIMINARY)
DRUG = "RXE||WAR5^Warfarin 5 MG^L|5||mg"
OTHER = "RXE||LIS10^Lisinopril 10 MG^L|10||mg"
SERVICE = "OBR|1|P1||CT1^CT abdomen^L"
GIVEN = "RXA|0|1|20260501|20260501|WAR5^Warfarin 5 MG^L|5|mg"
DISPENSED = "RXD|1|WAR5^Warfarin 5 MG^L|20260501|10|TAB||RX1"

Message = tuple[str, ...]
NEW: Message = ("RDE^O11", "ORC|NW|P1", DRUG)
ASKED: Message = ("OML^O21", "ORC|NW|P1", SERVICE)


def statements(message: Message, number: int) -> list[StatedFact]:
    sent = START + timedelta(hours=number)
    header = f"MSH|^~\\&|EHR|NORTH|||{sent:%Y%m%d%H%M}||{message[0]}|M{number}|P|2.5.1"
    body = "\r".join([header, "PID|1||P1^^^NORTH^MR||Testperson^Ada", *message[1:], ""])
    facts = read(body.encode(), sent, Feed()).content.facts
    return [StatedFact(fact, sent, sent, n, sent) for n, fact in enumerate(facts)]


def after(*messages: Message) -> list[Entry]:
    """What stands at the end; later and earlier arrival give the same."""
    stated = [each for number, message in enumerate(messages) for each in statements(message, number)]
    forward, backward = (standing(replay(order)) for order in (stated, stated[::-1]))
    assert {entry.fact.fact_id for entry in forward} == {entry.fact.fact_id for entry in backward}
    return [entry for entry in forward if entry.fact.kind != pb.FACT_KIND_DEMOGRAPHIC]


def live(*messages: Message) -> list[str]:
    """What is ordered or taken at the end, by name."""
    return sorted(
        entry.fact.code.display
        for entry in after(*messages)
        if entry.fact.status in IN_FORCE and (not entry.fact.HasField("valid_to") or _ends(entry) > LATE)
    )


def _ends(entry: Entry) -> datetime:
    return entry.fact.valid_to.ToDatetime(UTC)


# --- every order control and state


@pytest.mark.parametrize("detail", [(DRUG,), ()])
@pytest.mark.parametrize("control", [*table("order_controls")])
def test_a_drug_is_in_force_after_an_order_control_unless_that_ends_it(control: str, detail: Message) -> None:
    ends = table("order_controls")[control]["says"] in {"ended", "replaced", "on hold", "withdrawn"}
    assert live(NEW, ("RDE^O11", f"ORC|{control}|P1", *detail)) == ([] if ends else ["warfarin"])
    stopped = ("RDE^O11", "ORC|DC|P1", DRUG)
    begins = table("order_controls")[control]["says"] in {"begins", "goes on"}
    # A number alone begins nothing anew; but it says that what was ended goes on.
    assert live(NEW, stopped, ("RDE^O11", f"ORC|{control}|P1", *detail)) == (["warfarin"] if begins else [])


@pytest.mark.parametrize("control", [*table("order_controls")])
def test_a_service_is_asked_for_after_an_order_control_unless_that_ends_it(control: str) -> None:
    ends = table("order_controls")[control]["says"] in {"ended", "replaced", "on hold", "withdrawn"}
    assert live(ASKED, ("ORM^O01", f"ORC|{control}|P1", SERVICE)) == ([] if ends else ["CT abdomen"])
    assert live(ASKED, ("ORM^O01", f"ORC|{control}|P1")) == ([] if ends else ["CT abdomen"])


@pytest.mark.parametrize("status", [*table("order_states")])
@pytest.mark.parametrize("control", ["SC", "SR", "RE", "OK", "XX", "NA"])
def test_a_state_beside_an_order_control_that_says_none_counts(control: str, status: str) -> None:
    ends = table("order_states")[status]["says"] in {"ended", "replaced", "on hold"}
    assert live(NEW, ("RDE^O11", f"ORC|{control}|P1|||{status}", DRUG)) == ([] if ends else ["warfarin"])


def test_a_hold_is_shown_until_it_is_released() -> None:
    for held in (("RDE^O11", "ORC|HD|P1", DRUG), ("RDE^O11", "ORC|SC|P1|||HD", DRUG), ("ORM^O01", "ORC|OH|P1")):
        (entry,) = after(NEW, held)
        assert (entry.fact.status, entry.fact.note) == (pb.FACT_STATUS_ENDED, "on hold")
        (entry,) = after(NEW, held, ("RDE^O11", "ORC|SC|P1", DRUG))
        assert (entry.fact.status, entry.fact.note) == (pb.FACT_STATUS_ENDED, "on hold")
        for over in (("RDE^O11", "ORC|RL|P1", DRUG), ("ORM^O01", "ORC|OE|P1"), ("RDE^O11", "ORC|SC|P1|||IP", DRUG)):
            (entry,) = after(NEW, held, over)
            assert (entry.fact.status, entry.fact.note) == (pb.FACT_STATUS_ACTIVE, "")
        (entry,) = after(NEW, held, ("RDE^O11", "ORC|DC|P1", DRUG))
        assert (entry.fact.status, entry.fact.note) == (pb.FACT_STATUS_ENDED, "")


# --- results that answer an order (tables 0123 and 0038)

ANSWER = "OBR|1|P1|F1|CT1^CT abdomen^L|||20260501090000" + "|" * 18
FOUND = "OBX|1|ST|CTR^CT report^L||No stone.||||||F"


@pytest.mark.parametrize("state", [*table("report_states")])
def test_a_service_is_no_longer_waited_for_when_its_results_are_final_or_it_is_cancelled(state: str) -> None:
    waits = table("report_states")[state]["order"] != "ended"
    assert live(ASKED, ("ORU^R01", ANSWER + state)) == (["CT abdomen"] if waits else [])


@pytest.mark.parametrize("status", [*table("order_states")])
def test_the_state_of_the_order_beside_its_results_counts_before_theirs(status: str) -> None:
    ends = table("order_states")[status]["says"] in {"ended", "replaced", "on hold"}
    answer: Message = ("ORU^R01", f"ORC|RE|P1|F1||{status}", ANSWER + "F", FOUND)
    assert live(ASKED, answer) == ([] if ends else ["CT abdomen"])


@pytest.mark.parametrize("control", ["OC", "CR", "OD", "OH", "UA", "oc"])
def test_a_service_that_the_filler_does_not_perform_is_not_waited_for(control: str) -> None:
    assert not live(ASKED, ("ORU^R01", f"ORC|{control}|P1|F1", ANSWER + "P"))


TWO: Message = ("OML^O21", "ORC|NW|P1", SERVICE, "ORC|NW|P1", "OBR|2|P1||US1^Ultrasound^L")


@pytest.mark.parametrize(
    ("ordered", "answer", "names"),
    [
        pytest.param(ASKED, ("ORU^R01", ANSWER.replace("CT1^CT abdomen", "CTA^CT") + "F"), [], id="by another name"),
        pytest.param(TWO, ("ORU^R01", ANSWER + "F"), ["Ultrasound"], id="one of two under a number"),
        pytest.param(TWO, ("ORU^R01", ANSWER.replace("CT1", "MR1") + "F"), ["CT abdomen", "Ultrasound"], id="neither"),
        pytest.param(ASKED, ("ORU^R01", ANSWER.replace("P1", "P2") + "F"), ["CT abdomen"], id="another order"),
        pytest.param(ASKED, ("ORU^R01", ANSWER.replace("|P1|F1", "||") + "F"), ["CT abdomen"], id="no number"),
        pytest.param(NEW, ("ORU^R01", ANSWER + "F"), ["warfarin"], id="a drug of that number"),
        pytest.param(ASKED, ("OML^O21", "ORC|SC|P1|F1", ANSWER + "F"), [], id="a change of state"),
        pytest.param(ASKED, ("OML^O21", "ORC|RE|P1|F1", ANSWER + "F"), [], id="performed, in an order message"),
    ],
)
def test_results_answer_the_order_whose_number_they_have(ordered: Message, answer: Message, names: list[str]) -> None:
    assert live(ordered, answer) == names


def test_a_correction_of_results_asks_for_nothing_again() -> None:
    assert not live(ASKED, ("ORU^R01", ANSWER + "F", FOUND), ("ORU^R01", ANSWER + "C", FOUND))
    assert live(ASKED, ("ORU^R01", ANSWER + "F", FOUND), ASKED) == ["CT abdomen"]


def test_the_letters_of_an_order_control_and_state_may_be_small() -> None:
    assert not live(NEW, ("RDE^O11", "ORC|dc|P1", DRUG))
    assert not live(NEW, ("RDE^O11", "ORC|sc|P1|||ca", DRUG))


# --- several orders, several services


@pytest.mark.parametrize(
    ("messages", "names"),
    [
        ([NEW, ("RDE^O11", "ORC|RP|P1", DRUG, "ORC|RO|P2", OTHER)], ["lisinopril"]),
        ([NEW, ("RDE^O11", "ORC|RP|P1", "ORC|RO|P2", OTHER)], ["lisinopril"]),
        ([NEW, ("RDE^O11", "ORC|RU|P1|F1", DRUG, "ORC|RO|P1|F2", OTHER)], ["lisinopril"]),
        ([NEW, ("RDE^O11", "ORC|RO|P2||||||P1", OTHER)], ["lisinopril"]),
        ([NEW, ("RDE^O11", "ORC|XO|P1", OTHER)], ["lisinopril"]),
        ([NEW, ("RDE^O11", "ORC|NW|P1^OTHER", OTHER)], ["lisinopril", "warfarin"]),
        ([NEW, ("ORM^O01", "ORC|NA|P1|F1"), ("ORM^O01", "ORC|DC||F1")], []),
        ([NEW, ("RDE^O11", "ORC|DF|P1", DRUG)], ["warfarin"]),
        ([("RDE^O11", "ORC|RF|P1", DRUG)], []),
        ([("RDE^O11", "ORC|AF|P1", DRUG)], ["warfarin"]),
    ],
)
def test_orders_replace_each_other_by_their_numbers(messages: Sequence[Message], names: list[str]) -> None:
    assert live(*messages) == names


def test_a_changed_order_is_for_what_it_now_names() -> None:
    both: Message = ("RDE^O11", "ORC|NW|P1", "RXE||AMC^Amoxicillin-clavulanate 875 MG^L|875||mg")
    one: Message = ("RDE^O11", "ORC|XO|P1", "RXE||AMX^Amoxicillin 500 MG^L|500||mg")
    assert live(both) == ["amoxicillin", "clavulanate"]
    assert live(both, one) == ["amoxicillin"]
    assert live(both, one, both) == ["amoxicillin", "clavulanate"]
    base, additive = "RXC|B|D5W^Dextrose 5%^L|1000|mL", "RXC|A|KCL^Potassium chloride^L|20|meq"
    compound = "RXE||IV^IV compound^L|1||BAG"
    assert len(live(("RDE^O11", "ORC|NW|P1", compound, base, additive))) == 3
    assert len(live(("RDE^O11", "ORC|NW|P1", compound, base, additive), ("RDE^O11", "ORC|XO|P1", compound, base))) == 2


def test_of_two_services_under_one_number_one_is_cancelled() -> None:
    count, panel = "OBR|1|P1||CBC^Blood count^L", "OBR|2|P1||BMP^Metabolic panel^L"
    both: Message = ("ORM^O01", "ORC|NW|P1", count, panel)
    assert live(both) == ["Blood count", "Metabolic panel"]
    for control, state in (("CA", ""), ("SC", "CA"), ("SC", "CM")):
        assert live(both, ("ORM^O01", f"ORC|{control}|P1|||{state}", count)) == ["Metabolic panel"]
        assert live(both, ("ORM^O01", f"ORC|{control}|P1|||{state}", count, panel)) == []
    assert live(both, ("ORM^O01", "ORC|DC|P1")) == []


def test_children_of_one_number_are_told_apart_by_the_fillers() -> None:
    child = "ORC|CH|P1|{0}||||P1&EHR^F1&LAB"
    parts = [segment for n in ("F2", "F3") for segment in (child.format(n), f"OBR|1|P1|{n}|EKG1^EKG^L")]
    series: Message = ("ORM^O01", "ORC|PA|P1|F1", "OBR|1|P1|F1|EKG^EKG series^L", *parts)
    assert live(series) == ["EKG", "EKG", "EKG series"]
    assert live(series, ("ORM^O01", "ORC|CA|P1|F2", "OBR|1|P1|F2|EKG1^EKG^L")) == ["EKG", "EKG series"]


# --- what is dispensed or given


@pytest.mark.parametrize("control", [*table("order_controls")])
@pytest.mark.parametrize(("kind", "dose"), [("RAS^O17", GIVEN), ("RDS^O13", DISPENSED)])
def test_a_dose_changes_no_order(kind: str, dose: str, control: str) -> None:
    dosed: Message = (kind, f"ORC|{control}|P1|||CM", "RXO|WAR5^Warfarin 5 MG^L|5||mg", dose)
    assert live(NEW, dosed) == ["warfarin"]
    assert live(NEW, ("RDE^O11", "ORC|DC|P1", DRUG), dosed) == []
    assert live(dosed) == []


def test_what_was_given_stays_given_when_the_order_ends() -> None:
    entries = after(NEW, ("RAS^O17", "ORC|RE|P1", GIVEN), ("ORM^O01", "ORC|DC|P1"))
    assert sorted(entry.fact.valid_from == entry.fact.valid_to for entry in entries) == [False, True]
    taken_back = ("RAS^O17", "ORC|RE|P1", GIVEN + "||||||||||||||D")
    assert len(after(NEW, ("RAS^O17", "ORC|RE|P1", GIVEN), taken_back)) == 1


# --- vaccinations


def vaccinated(order: str, day: str = "20260101", code: str = "08^Hep B^CVX", action: str = "A") -> Message:
    dose = f"RXA|0|1|{day}|{day}|{code}|0.5|mL||00|||||||||||CP|{action}"
    return ("VXU^V04", *([f"ORC|RE||{order}"] if order else []), dose)


@pytest.mark.parametrize(
    ("messages", "doses"),
    [
        ([vaccinated("V1^IIS"), vaccinated("V1^IIS", day="20260110", action="U")], ["08 2026-01-10"]),
        ([vaccinated("V1^IIS"), vaccinated("V1^IIS", code="20^DTaP^CVX", action="U")], ["20 2026-01-01"]),
        ([vaccinated("V1^IIS"), vaccinated("V1^IIS", action="D")], []),
        ([vaccinated("V1^IIS"), vaccinated("V2^IIS", day="20260201")], ["08 2026-01-01", "08 2026-02-01"]),
        ([vaccinated("V1^IIS"), vaccinated("V2^IIS")], ["08 2026-01-01", "08 2026-01-01"]),
        ([vaccinated(""), vaccinated("")], ["08 2026-01-01"]),
        ([vaccinated(""), vaccinated("", day="20260201")], ["08 2026-01-01", "08 2026-02-01"]),
        ([vaccinated("V1^IIS"), vaccinated("")], ["08 2026-01-01"]),
        ([vaccinated("V1^IIS"), vaccinated("77^CLINIC")], ["08 2026-01-01"]),
        ([vaccinated("V1^IIS"), vaccinated("77^CLINIC", code="20^DTaP^CVX")], ["08 2026-01-01", "20 2026-01-01"]),
        (
            [vaccinated("V1^IIS"), vaccinated(""), vaccinated("V1^IIS", day="20260110", action="U")],
            ["08 2026-01-10"],
        ),
    ],
)
def test_a_vaccination_is_one_however_often_it_is_reported(messages: Sequence[Message], doses: list[str]) -> None:
    stated = [(e.fact.code.code, e.fact.valid_from.ToJsonString()[:10]) for e in after(*messages)]
    assert sorted(" ".join(each) for each in stated) == doses


@pytest.mark.parametrize(("completion", "reason", "is_given"), [
    ("CP", "", True), ("", "", True), ("CP", "00^Parental decision^NIP002", True), ("RE", "", False), ("re", "", False),
    ("NA", "", False), ("", "00^Parental decision^NIP002", False), ("", '""', True),
])  # fmt: skip
def test_what_was_refused_was_not_given(completion: str, reason: str, *, is_given: bool) -> None:
    dose = f"RXA|0|1|20260501|20260501|{{}}|1|{'|' * 11}{reason}||{completion}|A"
    (vaccine,) = after(("VXU^V04", "ORC|RE||V1", dose.format("03^MMR^CVX")))
    assert (vaccine.fact.assertion == pb.ASSERTION_PRESENT) is is_given
    assert bool(after(("RAS^O17", "ORC|RE|P1", dose.format("WAR5^Warfarin 5 MG^L")))) is is_given


# --- responses to orders


@pytest.mark.parametrize("detail", [(DRUG,), ()])
@pytest.mark.parametrize("kind", ["RRE^O12", "RRE^O25", "RRE^O26", "RRE^O02", "RRE"])
@pytest.mark.parametrize(
    ("control", "expected"),
    [("OK", ["warfarin"]), ("UA", []), ("CR", []), ("DR", []), ("HR", []), ("UC", ["warfarin"]), ("UD", ["warfarin"])],
)
def test_a_response_says_of_an_order_what_its_control_says(
    kind: str, control: str, expected: list[str], detail: Message
) -> None:
    assert live(NEW, (kind, "MSA|AA|M0", f"ORC|{control}|P1|F1", *detail)) == expected


def test_a_response_gives_the_order_the_number_of_its_filler() -> None:
    answered = ("RRE^O12", "MSA|AA|M0", "ORC|OK|P1|F1")
    assert live(NEW, answered, ("RDE^O11", "ORC|OC||F1")) == []


def test_a_response_tells_how_the_pharmacy_encoded_the_order() -> None:
    asked = ("OMP^O09", "ORC|NW|P1", "RXO|WAR5^Warfarin 5 MG^L|5||mg")
    (entry,) = after(asked, ("RRE^O12", "MSA|AA|M0", "ORC|OK|P1|F1", "RXE||WAR5^Warfarin 5 MG^L|2.5||mg"))
    assert (entry.fact.dosage.dose.value, entry.fact.status) == ("2.5", pb.FACT_STATUS_ORDERED)


@pytest.mark.parametrize("verdict", ["AE", "AR", "CE", "CR"])
def test_a_response_that_refuses_its_message_orders_nothing(verdict: str) -> None:
    assert live(("RRE^O12", f"MSA|{verdict}|M0", "ORC|NW|P1", DRUG)) == []
    assert live(NEW, ("RRE^O12", f"MSA|{verdict}|M0", "ORC|DC|P1", DRUG)) == ["warfarin"]
    assert live(NEW, ("RRE^O12", f"MSA|{verdict}|M0", "ORC|UA|P1", DRUG)) == []


@pytest.mark.parametrize("kind", ["ORR^O02", "ORL^O22", "ORG^O20", "ORI^O24"])
def test_a_response_says_of_a_service_what_its_control_says(kind: str) -> None:
    for control, expected in (("OK", ["CT abdomen"]), ("UA", []), ("CR", [])):
        for detail in ((SERVICE,), ()):
            assert live(ASKED, (kind, "MSA|AA|M0", f"ORC|{control}|P1|F1", *detail)) == expected


@pytest.mark.parametrize(("kind", "detail"), [("RDS^O13 RRD^O14", DISPENSED), ("RAS^O17 RRA^O18", GIVEN)])
def test_a_dose_that_a_response_repeats_is_one_dose(kind: str, detail: str) -> None:
    told, repeated = kind.split()
    sent = [NEW, (told, "ORC|RE|P1", detail), (repeated, "MSA|AA|M1", "ORC|OK|P1", detail)]
    assert len(after(*sent)) == 2
    assert live(*sent) == ["warfarin"]
