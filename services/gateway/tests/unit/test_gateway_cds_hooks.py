"""CDS Hooks: what is read of a call, and what stands on the cards that answer."""

import json
from typing import Any

import pytest
from contracts.errors import InvalidInputError
from gateway.domain.cds_hooks.calls import Call, read
from gateway.domain.cds_hooks.cards import cards
from gateway.domain.cds_hooks.services import SERVICES, discovery
from gateway.domain.fhir.ids import logical_id
from longitude.reasoning.v1 import advice_pb2 as pb
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement, Citation
from longitude.record.v1.fact_pb2 import PatientKey, SourcePointer

PATIENT = PatientKey(id="P1", authority="NORTH")
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
VIEW, SELECT, SIGN = (SERVICES[f"longitude-{hook}"] for hook in ("patient-view", "order-select", "order-sign"))


def draft(name: str, drug: str, **more: Any) -> dict[str, Any]:
    made = {"resourceType": "MedicationRequest", "id": name, "status": "draft"}
    return {"resource": made | {"medicationCodeableConcept": {"text": drug}} | more}


def sent(hook: str, patient: str = "P1@NORTH", **context: Any) -> bytes:
    return json.dumps({"hook": hook, "hookInstance": INSTANCE, "context": {"patientId": patient, **context}}).encode()


def bundle(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": list(entries)}


def test_discovery_lists_a_service_for_each_hook() -> None:
    listed = discovery()["services"]
    assert [each["hook"] for each in listed] == ["patient-view", "order-select", "order-sign"]
    assert all(each["id"] and each["title"] and each["description"] for each in listed)


@pytest.mark.parametrize("named", ["P1@NORTH", logical_id(PATIENT)])
def test_a_patient_is_named_as_in_the_record_or_as_in_our_fhir(named: str) -> None:
    assert read(sent("patient-view", named), VIEW) == Call(PATIENT)


def test_of_selected_drafts_cards_are_wanted_and_the_others_stand_beside_them() -> None:
    drafts = bundle(draft("1", "naproxen"), draft("2", "warfarin"), {"resource": {"resourceType": "ServiceRequest"}})
    call = read(sent("order-select", draftOrders=drafts, selections=["MedicationRequest/1"]), SELECT)
    assert [(each.order_id, each.text) for each in call.orders] == [
        ("MedicationRequest/1", "naproxen"),
        ("MedicationRequest/2", "warfarin"),
    ]
    assert call.shown == {"MedicationRequest/1"}
    assert read(sent("order-sign", draftOrders=drafts), SIGN).shown == {"MedicationRequest/1", "MedicationRequest/2"}


def test_a_drug_is_named_by_its_concept_or_by_the_medication_that_is_referred_to() -> None:
    rxnorm = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "7258"}]}
    own = {"resourceType": "Medication", "id": "m", "code": rxnorm}
    without = {"medicationCodeableConcept": None}
    drafts = bundle(
        draft("a", "", medicationCodeableConcept=rxnorm),
        draft("b", "", **without, medicationReference={"reference": "#m"}, contained=[own]),
        draft("c", "", **without, medicationReference={"reference": "Medication/m"}),
        draft("d", "", **without, medicationReference={"reference": "urn:uuid:1"}),
        draft("e", "", **without, medicationReference={"reference": "Medication/x", "display": "Naproxen 500 mg"}),
        draft("f", "", **without, medicationReference={"reference": "Medication/x"}),
        {"fullUrl": "urn:uuid:1", "resource": own},
    )
    call = read(sent("order-sign", draftOrders=drafts), SIGN)
    assert [[one.code for one in each.codings] or each.text for each in call.orders] == [["7258"]] * 4 + [
        "Naproxen 500 mg"
    ]
    assert call.unread == ("MedicationRequest/f",)


@pytest.mark.parametrize("changed", [{"status": "cancelled"}, {"doNotPerform": True}])
def test_what_is_not_to_be_given_is_no_order(changed: dict[str, Any]) -> None:
    call = read(sent("order-sign", draftOrders=bundle(draft("1", "naproxen", **changed))), SIGN)
    assert (call.is_of_orders, call.orders, call.shown) == (True, (), frozenset())


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not"),
        (b"[]", "not a request"),
        (b'{"hook": "order-sign", "hookInstance": "1", "context": {}}', "hookInstance"),
        (sent("patient-view"), "a service for order-sign"),
        (sent("order-sign"), "draftOrders"),
        (sent("order-sign", patient="nobody"), "patientId"),
        (sent("order-sign", draftOrders={"entry": "x"}), "draftOrders"),
        (sent("order-sign", draftOrders=bundle(*(draft(str(n), "x") for n in range(51)))), "more than 50"),
        (sent("order-sign", draftOrders=bundle(draft("1", "x" * 501))), "MedicationRequest"),
        (sent("order-sign", draftOrders=bundle(draft("1", "x", subject={"reference": "Patient/P2"}))), "another"),
    ],
)
def test_a_call_that_is_wrong_names_what_is_wrong(body: bytes, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        read(body, SIGN)


def test_who_selects_says_what() -> None:
    with pytest.raises(InvalidInputError, match="selections"):
        read(sent("order-select", draftOrders=bundle(draft("1", "naproxen"))), SELECT)


def finding(text: str, urgency: pb.Urgency.ValueType, *orders: str, row: str = "organs/x@1", words: str = "") -> Any:
    cited = Citation(fact_id="f1", source=SourcePointer(control_id="C1", segment="OBX[1]", field="OBX-5"))
    statement = AssessedStatement(statement_id=INSTANCE, text=text, row=row, author_name="organs", citations=[cited])
    source = pb.AdviceSource(title="KDIGO guideline", section="section 4.4", year=2012)
    return pb.AdviceFinding(statement=statement, urgency=urgency, order_ids=orders, words=words, source=source)


def call_of(*drugs: str) -> Call:
    orders = tuple(pb.ProposedOrder(order_id=each, text=each) for each in drugs)
    return Call(PATIENT, is_of_orders=True, orders=orders, shown=frozenset(drugs))


def test_a_card_says_what_speaks_how_urgently_after_which_document_and_where_it_stands() -> None:
    words = "NSAIDs are avoided below 30."
    said = f"eGFR was 28 on 2026-10-05. “{words}” (rule)."
    advice = pb.AdviseResponse(findings=[finding(said, pb.URGENCY_URGENT, "naproxen", words=words)])
    (card,) = cards(advice, call_of("naproxen"))
    assert card["uuid"] == INSTANCE
    assert card["summary"] == "naproxen: NSAIDs are avoided below 30."
    assert (card["indicator"], card["source"]) == (
        "critical",
        {"label": "KDIGO guideline", "topic": {"system": "urn:longitude:knowledge", "code": "organs/x@1"}},
    )
    assert "eGFR was 28 on 2026-10-05." in card["detail"]
    assert "KDIGO guideline, section 4.4, 2012" in card["detail"]
    assert "C1 OBX\\[1\\] OBX-5" in card["detail"]
    assert card["overrideReasons"]
    assert "links" not in card


@pytest.mark.parametrize(
    ("urgency", "indicator"),
    [
        (pb.URGENCY_CONTRAINDICATED, "critical"),
        (pb.URGENCY_URGENT, "critical"),
        (pb.URGENCY_IMPORTANT, "warning"),
        (pb.URGENCY_ROUTINE, "info"),
    ],
)
def test_the_indicator_follows_from_the_urgency(urgency: pb.Urgency.ValueType, indicator: str) -> None:
    (card,) = cards(pb.AdviseResponse(findings=[finding("Told.", urgency, "x")]), call_of("x"))
    assert card["indicator"] == indicator


def test_of_orders_only_what_concerns_them_is_shown_and_of_a_chart_nothing_that_is_routine() -> None:
    advice = pb.AdviseResponse(
        findings=[
            finding("Concerns it.", pb.URGENCY_ROUTINE, "x"),
            finding("Of the chart.", pb.URGENCY_IMPORTANT),
            finding("Of the chart, routine.", pb.URGENCY_ROUTINE),
        ]
    )
    assert [each["summary"] for each in cards(advice, call_of("x"))] == ["x: Concerns it."]
    assert [each["summary"] for each in cards(advice, Call(PATIENT))] == ["Of the chart."]
    assert cards(advice, Call(PATIENT, is_of_orders=True)) == []


def test_words_of_a_record_are_no_markup_and_a_summary_is_short() -> None:
    hostile = "[click](http://x) <img src=x> \x1b[2J\u202e " + "word " * 100
    (card,) = cards(pb.AdviseResponse(findings=[finding(hostile, pb.URGENCY_URGENT, "x")]), call_of("x"))
    assert len(card["summary"]) < 140
    assert "\\[click\\]\\(http://x\\) \\<img" in card["detail"]
    assert not {"\x1b", "\u202e"} & set(card["summary"] + card["detail"])


def test_what_was_not_looked_at_has_a_card() -> None:
    advice = pb.AdviseResponse(
        orders=[pb.ReadOrder(order_id="Foozumab")],
        degraded=["record: 3 entries are not open to you"],
        withheld=[AssessedStatement()],
    )
    (card,) = cards(advice, call_of("Foozumab"))
    assert card["indicator"] == "info"
    assert "Foozumab is no drug that the rows know" in card["detail"]
    assert "3 entries" in card["detail"]
    assert "1 findings were withheld" in card["detail"]
    (of_unread,) = cards(pb.AdviseResponse(), Call(PATIENT, is_of_orders=True, unread=("MedicationRequest/1",)))
    assert of_unread["summary"] == "MedicationRequest/1 names no drug: nothing was looked at."


def test_more_than_can_be_read_is_counted() -> None:
    advice = pb.AdviseResponse(findings=[finding(f"{n}.", pb.URGENCY_URGENT, "x") for n in range(23)])
    made = cards(advice, call_of("x"))
    assert len(made) == 21
    assert made[-1]["summary"].startswith("3 more")
