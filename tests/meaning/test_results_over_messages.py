"""What stands after several messages about one order: read by ingestion, replayed by memory.

Each row is what a laboratory sent first, what it sent then, and what its reader may take for true afterwards.
Source: HL7 v2.5.1 chapter 7, tables 0085, 0119 and 0123.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingestion.domain.reading import Feed, read
from longitude.record.v1 import fact_pb2 as pb
from memory.domain.timeline import StatedFact, replay, standing

BEGUN = datetime(2026, 11, 10, 8, tzinfo=UTC)
PID = "PID|1||P1^^^NORTH^MR||Testperson^Ada||19600102|F"
OBR = "OBR|1|P1|F1|CHEM^Chemistry^L|||20261110070000"
UNTIMED = "OBR|1|P1|F1|CHEM^Chemistry^L"
CANCELLED = UNTIMED + "|" * 21 + "X"
LONG = "Mass of the left kidney. " * 200


def stated(messages: Sequence[Sequence[str]], kind: str = "ORU^R01") -> list[StatedFact]:
    """The facts of messages that are sent an hour apart."""
    found: list[StatedFact] = []
    for number, segments in enumerate(messages):
        sent = BEGUN + timedelta(hours=number)
        trigger = "ORM^O01" if segments[0].startswith("ORC|NW") else kind
        header = f"MSH|^~\\&|LAB|NORTH|||{sent:%Y%m%d%H%M%S}||{trigger}|M{number}|P|2.5.1"
        content = read("\r".join([header, PID, *segments]).encode(), sent, Feed()).content
        found += [StatedFact(fact, sent, sent, place, sent) for place, fact in enumerate(content.facts)]
    return found


def current(*messages: Sequence[str]) -> list[str]:
    """What stands of results and documents, in any order of arrival."""
    statements = stated(messages)
    found = {tuple(sorted(map(said, standing(replay(each))))) for each in (statements, statements[::-1])}
    (one,) = found
    return [text for text in one if text]


def said(entry: object) -> str:
    fact: pb.ClinicalFact = entry.fact  # type: ignore[attr-defined]
    if fact.kind == pb.FACT_KIND_DOCUMENT:
        return "document"
    if fact.kind != pb.FACT_KIND_RESULT:
        return ""
    return fact.quantity.value or fact.coded.code or fact.text


def obx(
    value: str, code: str = "K^Potassium^L", sub_id: str = "", state: str = "F", kind: str = "NM", time: str = ""
) -> str:
    return f"OBX|1|{kind}|{code}|{sub_id}|{value}||||||{state}|||{time}"


def ed(text: str, state: str = "F", sub_id: str = "") -> str:
    return obx(f"^text^plain^A^{text}" if text else "", sub_id=sub_id, state=state, kind="ED")


@pytest.mark.parametrize(
    ("first", "then", "stands"),
    [
        # A correction finds what it corrects, whatever of it changed.
        ([OBR, obx("6.8")], [OBR.replace("07", "06"), obx("4.2", state="C")], ["4.2"]),
        ([OBR, obx("6.8")], [UNTIMED, obx("4.2", state="C")], ["4.2"]),
        ([OBR, obx("6.8", state="P")], [OBR, obx("4.2", "2823-3^Potassium^LN^K^Kalium^L")], ["4.2"]),
        ([OBR, obx("1~2~3")], [OBR, obx("4", state="C")], ["4"]),
        ([OBR, obx("6.8")], [UNTIMED + "|" * 21 + "C", obx("4.2", state="")], ["4.2"]),
        ([OBR, obx("1", sub_id="1"), obx("2", sub_id="2")], [OBR, obx("3", sub_id="2", state="C")], ["1", "3"]),
        ([OBR, obx("1"), obx("2"), obx("3")], [OBR, obx("1"), obx("4", state="C"), obx("3")], ["1", "3", "4"]),
        ([OBR.replace("|P1", "|"), obx("6.8")], [OBR, obx("4.2", state="C")], ["4.2"]),
        ([OBR.replace("|F1", "|"), obx("6.8", state="P")], [OBR, obx("4.2")], ["4.2"]),
        ([OBR.replace("F1", "F1^A"), obx("6.8")], [OBR.replace("F1", "F1^B"), obx("4.2")], ["4.2", "6.8"]),
        ([OBR.replace("F1", "F1^A^1.2^ISO"), obx("6.8")], [OBR.replace("F1", "F1^^1.2^ISO"), obx("4.2")], ["4.2"]),
        # One number for several services: each is an order of its own.
        ([OBR, obx("6.8")], [OBR.replace("CHEM", "CSF"), obx("4.2")], ["4.2", "6.8"]),
        ([OBR, obx("6.8")], [OBR.replace("CHEM^Chemistry^L", "24323-8^Panel^LN^CHEM^C^L"), obx("4.2")], ["4.2"]),
        # A correction that leaves out OBX-4, adds it, or names another service of the number means the only one.
        ([OBR, obx("6.8")], [OBR, obx("4.2", sub_id="1", state="C")], ["4.2"]),
        ([OBR, obx("6.8", sub_id="1")], [OBR, obx("4.2", state="C")], ["4.2"]),
        ([OBR, obx("6.8", sub_id="1")], [UNTIMED, obx("", state="W")], ["6.8"]),
        ([OBR, obx("6.8", sub_id="1")], [OBR, obx("", state="W")], []),
        ([OBR, obx("6.8")], [OBR.replace("CHEM", "LYTES"), obx("4.2", state="C")], ["4.2"]),
        ([OBR, obx("6.8", sub_id="1")], [OBR, obx("4.2", sub_id="2", state="C")], ["4.2", "6.8"]),
        ([OBR, obx("1", sub_id="1"), obx("2", sub_id="2")], [OBR, obx("3", state="C")], ["1", "2", "3"]),
        ([OBR, obx("6.8", sub_id="1")], [OBR, obx("4.2")], ["4.2", "6.8"]),
        ([OBR, obx("6.8")], [OBR.replace("07", "06").replace("CHEM", "GAS"), obx("4.2", state="C")], ["4.2", "6.8"]),
        ([OBR, obx("6.8")], [OBR.replace("F1", "F2"), obx("4.2", sub_id="1", state="C")], ["4.2", "6.8"]),
        ([OBR, obx("6.8")], [OBR, obx("4.2", "NA^Sodium^L", "1", "C")], ["4.2", "6.8"]),
        # What was preliminary without OBX-4 is settled by what has one.
        (
            [OBR, obx("No growth at 24 hours", "BAC^Bacteria^L", state="P", kind="ST")],
            [OBR, *(obx(f"{n}^Organism {n}^L", "BAC^Bacteria^L", n, kind="CWE") for n in "12")],
            ["1", "2"],
        ),
        ([OBR, obx("6.8", state="P")], [OBR.replace("CHEM", "GAS"), obx("4.2")], ["4.2", "6.8"]),
        ([OBR, obx("6.8", state="P")], [OBR.replace("07", "06"), obx("4.2", sub_id="1")], ["4.2", "6.8"]),
        ([OBR, obx("6.8", sub_id="1", state="P")], [OBR, obx("4.2", sub_id="2")], ["4.2", "6.8"]),
        # A withdrawal closes what stands, in whatever form it comes.
        ([OBR, obx("6.8")], [UNTIMED, obx("", state="W", kind="")], []),
        ([OBR, obx("6.8")], [OBR, obx('""', state="C")], []),
        ([OBR, obx("POS^Positive^L", kind="CWE")], [OBR, obx('""^""', kind="CWE")], []),
        ([OBR, obx("220/130", "BP^Blood pressure^L", kind="ST")], [OBR, obx("", "BP^Blood pressure^L", state="D")], []),
        ([OBR, obx("1~2~3")], [OBR, obx("", state="X")], []),
        ([OBR, obx("1"), obx("2")], [UNTIMED, obx("", state="W")], []),
        ([OBR, obx("1"), obx("2")], [OBR, obx("1"), obx("2", state="W")], ["1"]),
        ([OBR, ed("Seen")], [OBR, ed("", "W")], []),
        ([OBR, ed("One", sub_id="1"), ed("Two", sub_id="2")], [UNTIMED, ed("", "W", "2")], ["document"]),
        ([OBR, obx(LONG, kind="TX")], [OBR, obx("Wrong patient.", kind="TX", state="W")], []),
        ([OBR, obx(LONG, kind="TX", state="P")], [OBR, obx("Normal.", kind="TX")], ["Normal."]),
        ([OBR, obx("Normal.", kind="TX")], [OBR, obx(LONG, kind="TX", state="C")], ["document"]),
        (
            [OBR, obx("a", kind="TX"), obx("b", kind="TX")],
            [OBR, obx("a", kind="TX"), obx("b", kind="TX", state="W")],
            ["a"],
        ),
        ([OBR, "NTE|1||Growth"], [OBR, "NTE|1||No growth"], ["No growth"]),
        # What an order says of all its results.
        ([OBR, obx("6.8", state="P")], [CANCELLED], []),
        ([OBR, obx("6.8", state="P")], ["ORC|OC|P1|F1"], []),
        ([OBR, ed("Seen"), obx("6.8", sub_id="1")], ["ORC|OC|P1|F1||CA", UNTIMED], []),
        ([OBR, obx("6.8")], [CANCELLED, obx("4.2")], ["4.2"]),
        ([OBR, obx("6.8"), OBR.replace("CHEM", "GAS"), obx("7.4", "PH")], [CANCELLED], ["7.4"]),
        ([OBR, obx("6.8")], ["ORC|DC|P1|F1", UNTIMED], ["6.8"]),
        ([OBR, obx("6.8")], [UNTIMED + "|" * 21 + "I"], ["6.8"]),
        ([CANCELLED], [OBR, obx("6.8")], ["6.8"]),
        # Another time is another result.
        ([OBR, obx("6.8")], [OBR.replace("07", "06"), obx("4.2")], ["4.2", "6.8"]),
    ],
)
def test_what_was_sent_last_about_a_result_is_what_stands(first: list[str], then: list[str], stands: list[str]) -> None:
    assert current(first, then) == stands


NO_FRACTURE = "There is no\nevidence of fracture."


@pytest.mark.parametrize(
    ("observations", "stands"),
    [
        ([obx("There is no", kind="ST"), obx("evidence of fracture.", kind="ST")], [NO_FRACTURE]),
        ([obx("There is no~evidence of fracture.", kind="ST")], [NO_FRACTURE]),
        ([obx("There is no", kind=""), obx("evidence of fracture.", kind="")], [NO_FRACTURE]),
        ([obx("No", kind="ST"), obx("evidence of fracture.", kind="ST")], ["No\nevidence of fracture."]),
        ([obx("No growth", sub_id="1", kind="ST"), obx("growth of E. coli", sub_id="2", kind="ST")],
         ["No growth", "growth of E. coli"]),
        ([obx("Positive", kind="ST"), obx("Negative", kind="ST")], ["Negative", "Positive"]),
        ([obx("3.1", kind="ST"), obx("3.2", kind="ST")], ["3.1", "3.2"]),
        ([obx("There is no", kind="ST"), obx("evidence of fracture.", "L^Left^L", kind="ST")],
         ["There is no", "evidence of fracture."]),
        ([obx("There is no", kind="ST"), obx("evidence of fracture.", kind="ST", state="W")], ["There is no"]),
    ],
)  # fmt: skip
def test_the_strings_of_one_sentence_are_one_text(observations: list[str], stands: list[str]) -> None:
    assert current([OBR, *observations]) == stands


def test_a_sentence_in_strings_is_corrected_whole() -> None:
    first = [OBR, obx("There is no", kind="ST"), obx("evidence of fracture.", kind="ST")]
    assert current(first, [OBR, obx("Fracture of the left wrist.", kind="ST", state="C")]) == [
        "Fracture of the left wrist."
    ]


def test_an_order_that_is_cancelled_by_the_laboratory_is_still_what_was_asked_for() -> None:
    ordered = ["ORC|NW|P1", "OBR|1|P1||CHEM^Chemistry^L"]
    entries = standing(replay(stated([ordered, [OBR, obx("6.8", state="P")], [CANCELLED]])))
    kinds = {entry.fact.kind for entry in entries}
    assert pb.FACT_KIND_PROCEDURE in kinds
    assert pb.FACT_KIND_RESULT not in kinds


def test_one_time_of_a_tolerance_test_is_corrected_alone() -> None:
    test = [OBR, *(obx(str(90 + n), "GLU", time=f"2026111007{n}000") for n in (0, 3, 5))]
    again = obx("99", "GLU", state="C", time="20261110073000")
    assert current(test, [OBR, again]) == ["90", "95", "99"]


def test_susceptibilities_of_two_organisms_stand_apart_and_are_corrected_apart() -> None:
    culture = "600-7^Bacteria identified^LN"
    organisms = [OBR, *(obx(f"{n}^Organism {n}^L", culture, n, kind="CWE") for n in "12")]
    child = OBR.replace("CHEM", "SUS") + "|" * 19 + "600-7&Bacteria identified&LN^{n}"
    ampicillin = "18864-9^Ampicillin^LN"
    both = [
        line for n, value in (("1", "S"), ("2", "R")) for line in (child.format(n=n), obx(value, ampicillin, kind="ST"))
    ]
    assert current([*organisms, *both]) == ["1", "2", "R", "S"]
    corrected = [*organisms, child.format(n="2"), obx("I", ampicillin, kind="ST", state="C")]
    assert current([*organisms, *both], corrected) == ["1", "2", "I", "S"]
    entries = standing(replay(stated([[*organisms, *both]])))
    assert {said(e): e.fact.about.display for e in entries if e.fact.HasField("about")} == {
        "S": "Organism 1", "R": "Organism 2",
    }  # fmt: skip


SUB_IDS = st.lists(st.sampled_from(["", "1", "2", "3"]), min_size=1, max_size=5)
KINDS = st.sampled_from(
    [("NM", "7"), ("ST", "x~y"), ("CWE", "A^a^L~B^b^L"), ("TX", LONG), ("ED", "^text^plain^A^Seen")]
)


@given(SUB_IDS, KINDS, st.sampled_from(["W", "D", "X"]))
def test_a_withdrawal_of_all_that_was_sent_leaves_nothing(
    sub_ids: list[str], kind: tuple[str, str], state: str
) -> None:
    sent = [obx(kind[1], sub_id=sub_id, kind=kind[0]) for sub_id in sub_ids]
    withdrawn = [obx("", sub_id=sub_id, state=state, kind="") for sub_id in sub_ids]
    assert current([OBR, *sent])
    assert current([OBR, *sent], [UNTIMED, *withdrawn]) == []
    assert current([OBR, *sent], [CANCELLED]) == []


@given(SUB_IDS)
def test_every_observation_of_a_message_stands_and_is_the_same_when_it_is_sent_again(sub_ids: list[str]) -> None:
    sent = [obx(str(number), sub_id=sub_id) for number, sub_id in enumerate(sub_ids)]
    assert current([OBR, *sent]) == current([OBR, *sent], [OBR, *sent]) == [str(n) for n in range(len(sub_ids))]
