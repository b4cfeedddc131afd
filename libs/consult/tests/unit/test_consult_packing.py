from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from consult.context.packing import SHARES, Candidates, Line, Note, Pack, _sections, pack
from consult.context.tokens import TokenCounter, estimate, least
from hypothesis import given
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import Passage

Build = Callable[..., Any]
At = Callable[[float], datetime]
ACTIVE = cf.FACT_STATUS_ACTIVE
PENICILLIN_RASH = "Hives after penicillin, seen twice. " * 3
RANDOM_FACT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([each for each in cf.FactKind.values() if each]),
        "code": st.sampled_from(("2823-3", "33914-3", "6809", "local", "")),
        "display": st.sampled_from(("Potassium", "eGFR", "metformin, a drug of several words", "x")),
        "since": st.sampled_from((None, 0, 1, 30, 500)),
        "until": st.sampled_from((None, 31)),
        "status": st.sampled_from((ACTIVE, cf.FACT_STATUS_ENDED, cf.FACT_STATUS_FINAL)),
        "value": st.sampled_from(("4.2", "120")),
        "note": st.sampled_from(("", "rash")),
    }
)
EGFR = {"code": "33914-3", "display": "eGFR", "unit": "mL/min/{1.73_m2}"}


@pytest.fixture(scope="session")
def record(fact: Build) -> list[cf.ClinicalFact]:
    medication = {"kind": cf.FACT_KIND_MEDICATION, "status": ACTIVE}
    return [
        fact(
            fact_id="ckd", kind=cf.FACT_KIND_PROBLEM, code="709044004", display="Chronic kidney disease", status=ACTIVE
        ),
        fact(fact_id="metformin", code="6809", display="metformin", **medication),
        fact(fact_id="stopped", code="5640", display="ibuprofen", **medication | {"status": cf.FACT_STATUS_ENDED}),
        fact(fact_id="nka", kind=cf.FACT_KIND_ALLERGY, code="716186003", display="No known allergy", status=ACTIVE),
        *(fact(fact_id=f"egfr-{n}", since=n * 30, value=str(60 - 5 * n), **EGFR) for n in range(9)),
        *(fact(fact_id=f"k-{n}", since=n * 30, value="4.2", code="2823-3", display="Potassium") for n in range(9)),
    ]


def packed(candidates: Candidates, at: At, budget: int = 2_000) -> Pack:
    return pack(candidates, budget, at(400), estimate)


def shown(one: Pack) -> list[str]:
    return [line.fact_id or line.passage_id for line in one.lines]


def test_every_line_names_the_fact_or_passage_it_rests_on(record: list[cf.ClinicalFact], at: At) -> None:
    note = Note("Kidney function fell.", at(3), "ckd")
    candidates = Candidates(record, passages=[Passage(passage_id="p", text="Text.")], notes=[note])
    assert all(bool(line.fact_id) != bool(line.passage_id) for line in packed(candidates, at).lines)


def test_sections_come_in_their_order(record: list[cf.ClinicalFact], at: At) -> None:
    candidates = Candidates(
        record,
        [fact for fact in record if fact.fact_id.startswith("egfr")],
        [fact for fact in record if fact.fact_id == "nka"],
        [("rule", ["ckd"])],
        passages=[Passage(passage_id="p", text="Text.")],
    )
    order = shown(packed(candidates, at))
    assert order == [
        *(f"egfr-{n}" for n in range(9)),
        *("ckd", "nka", "p", "ckd", "metformin"),
        *(f"k-{n}" for n in reversed(range(9))),
        "stopped",
    ]


def test_a_medication_that_is_asked_for_is_told_once(record: list[cf.ClinicalFact], at: At) -> None:
    asked = [fact for fact in record if fact.fact_id == "metformin"]
    assert shown(packed(Candidates(record, asked), at)).count("metformin") == 1


def test_what_has_ended_is_history_and_not_a_current_medication(record: list[cf.ClinicalFact], at: At) -> None:
    (line,) = [line for line in packed(Candidates(record), at).lines if line.fact_id == "stopped"]
    assert "ended" in line.text


def test_an_order_for_a_later_day_is_in_force(fact: Build, at: At) -> None:
    order = fact(fact_id="order", kind=cf.FACT_KIND_MEDICATION, code="5640", since=500, status=cf.FACT_STATUS_ORDERED)
    text = packed(Candidates([order]), at).lines[0].text
    assert "ordered" in text


def test_of_what_is_not_asked_for_the_newest_of_each_comes_first_and_what_is_out_of_range_before_it(
    record: list[cf.ClinicalFact], fact: Build, at: At
) -> None:
    sodium = fact(fact_id="na", code="2951-2", display="Sodium", value="150", since=1, abnormal_flag="H")
    order = shown(packed(Candidates([*record, sodium]), at))
    assert [each for each in order if each.startswith(("na", "k-", "egfr-"))][:4] == ["na", "egfr-8", "k-8", "egfr-7"]


def test_whose_number_a_fact_stands_under_is_told_only_where_there_are_several(
    record: list[cf.ClinicalFact], fact: Build, at: At
) -> None:
    elsewhere = fact(fact_id="other", code="2951-2", value="140", patient="7@SOUTH")
    assert not any("NORTH" in line.text for line in packed(Candidates(record), at).lines)
    lines = packed(Candidates([*record, elsewhere]), at).lines
    assert all(line.text.endswith(("NORTH", "SOUTH")) for line in lines)


def test_both_sides_of_a_contradiction_are_taken_together_or_not_at_all(record: list[cf.ClinicalFact], at: At) -> None:
    candidates = Candidates(record, contradictions=[("rule", ["nka", "ckd"])])
    for budget in range(1, 400, 7):
        stated = [line for line in packed(candidates, at, budget).lines if line.text.startswith("Open contradiction")]
        assert len(stated) in (0, 2)


@given(budget=st.integers(1, 600))
def test_the_budget_is_never_exceeded_and_what_is_left_out_is_counted(
    budget: int, record: list[cf.ClinicalFact], at: At
) -> None:
    one = packed(Candidates(record, contradictions=[("rule", ["nka", "ckd"])]), at, budget)
    assert one.tokens <= budget
    assert one.tokens == sum(estimate(line.text + "\n") for line in one.lines)
    assert one.omitted == len(record) - len({line.fact_id for line in one.lines})


@given(order=st.permutations(range(22)))
def test_the_same_record_gives_the_same_pack_in_whatever_order_it_is_read(
    order: list[int], record: list[cf.ClinicalFact], at: At
) -> None:
    shuffled = [record[n] for n in order if n < len(record)]
    assert packed(Candidates(shuffled), at, 300) == packed(Candidates(record), at, 300)


def test_notes_and_evidence_have_their_turn_before_the_depth_of_results(record: list[cf.ClinicalFact], at: At) -> None:
    note = Note("Hives after amoxicillin. " * 6, at(3), "nka")
    evidence = Passage(passage_id="p", text="Metformin is stopped below an eGFR of 30. " * 4)
    one = packed(Candidates(record, notes=[note], passages=[evidence]), at, 600)
    assert "p" in shown(one)
    assert any(line.text.startswith("Note") for line in one.lines)
    assert one.omitted > 0


def test_a_large_budget_leaves_nothing_out(record: list[cf.ClinicalFact], at: At) -> None:
    assert packed(Candidates(record), at, 50_000).omitted == 0


def plainly_packed(candidates: Candidates, budget: int, now: datetime, count: TokenCounter) -> Pack:
    """Every line is written and counted before any is taken."""
    sections = {
        name: [
            [Line(draft.text, count(draft.text + "\n"), draft.fact_id, draft.passage_id) for draft in item]
            for item in items
        ]
        for name, items in _sections(candidates, now).items()
    }
    left, taken = budget, set()
    for shared in (True, False):
        for name, items in sections.items():
            room = int(budget * SHARES[name])
            for n, item in enumerate(items):
                cost = sum(line.tokens for line in item)
                if (name, n) not in taken and cost <= left and (cost <= room or not shared):
                    taken.add((name, n))
                    left, room = left - cost, room - cost
    lines = [line for name in sections for n, item in enumerate(sections[name]) if (name, n) in taken for line in item]
    shown = {line.fact_id for line in lines}
    return Pack(lines, sum(fact.fact_id not in shown for fact in candidates.facts))


@given(
    drawn=st.lists(RANDOM_FACT, max_size=25),
    conflict=st.sets(st.integers(0, 30), max_size=3),
    budget=st.integers(0, 500),
    count=st.sampled_from((estimate, least)),
)
def test_lines_that_are_written_only_where_there_is_room_are_those_that_all_written_would_give(
    drawn: list[dict[str, Any]], conflict: set[int], budget: int, count: TokenCounter, fact: Build, at: At
) -> None:
    facts = [fact(fact_id=f"f{n}", **each) for n, each in enumerate(drawn)]
    candidates = Candidates(
        facts,
        facts[3:6],
        facts[5:8],
        [("rule", [f"f{n}" for n in conflict])],
        [Note(PENICILLIN_RASH, at(3), "f0")],
        [Passage(passage_id="p", title="eGFR", text="Metformin is stopped below an eGFR of 30.")],
    )
    plain = plainly_packed(candidates, budget, at(400), count)
    assert pack(candidates, budget, at(400), count) == plain
