"""How later statements change earlier ones, by the identifiers that their source gave them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from longitude.record.v1 import fact_pb2 as cf
from memory.domain.timeline import Entry, StatedFact, holding, replay, standing

Build = Callable[..., Any]
At = Callable[[float], datetime]

ERROR = cf.FACT_STATUS_ENTERED_IN_ERROR
SAID_NOTHING = cf.FACT_STATUS_UNSPECIFIED
ENCOUNTER = {"kind": cf.FACT_KIND_ENCOUNTER, "code": "IMP", "display": "inpatient"}
ORDER = {"kind": cf.FACT_KIND_MEDICATION, "status": cf.FACT_STATUS_ACTIVE, "since": None}


def identity(
    *groups: str, names: tuple[str, ...] = (), instance: int = 0, part: str = "", whole: bool = False
) -> cf.Identity:
    return cf.Identity(groups=groups, names=names, instance=instance, part=part, whole_group=whole)


def current(*statements: StatedFact) -> list[str]:
    """Ids of what stands; the order of arrival makes no difference."""
    found = {tuple(sorted(ids(standing(replay(s))))) for s in (statements, statements[::-1])}
    (one,) = found
    return list(one)


def ids(entries: list[Entry]) -> list[str]:
    return [entry.fact.fact_id for entry in entries]


def message(event: str) -> cf.SourcePointer:
    return cf.SourcePointer(event_id=event)


def result(fact: Build, statement: Build, fact_id: str, stated: float, **more: Any) -> Any:
    who = more.pop("identity", identity("filler:F1", names=("K/",)))
    event = more.pop("event", fact_id)
    return statement(fact(fact_id=fact_id, identity=who, source=message(event), **more), stated)


def test_a_withdrawal_without_a_time_closes_the_result(fact: Build, statement: Build) -> None:
    value = result(fact, statement, "v", 1, since=0.5)
    gone = result(fact, statement, "w", 2, since=None, status=ERROR)
    assert current(value, gone) == []


def test_a_final_result_of_another_time_under_the_same_number_stands_beside(fact: Build, statement: Build) -> None:
    first, second = (result(fact, statement, name, day, since=day) for name, day in (("a", 1), ("b", 2)))
    assert current(first, second) == ["a", "b"]
    corrected = result(fact, statement, "c", 3, since=2.5, status=cf.FACT_STATUS_CORRECTED)
    assert current(second, corrected) == ["c"]
    preliminary = result(fact, statement, "p", 1, since=1, status=cf.FACT_STATUS_PRELIMINARY)
    assert current(preliminary, second) == ["b"]


def test_an_alternate_code_finds_the_result(fact: Build, statement: Build) -> None:
    local = result(fact, statement, "local", 1, identity=identity("filler:F1", names=("K/",)))
    both = result(fact, statement, "both", 2, identity=identity("filler:F1", names=("2823-3/", "K/")))
    assert current(local, both) == ["both"]


def test_the_deciding_number_tells_results_of_one_placer_order_apart(fact: Build, statement: Build) -> None:
    morning, noon = (
        result(fact, statement, name, day, since=0, identity=identity(f"filler:{name}", "placer:P", names=("K/",)))
        for name, day in (("a", 1), ("b", 2))
    )
    assert current(morning, noon) == ["a", "b"]
    # A message that names the placer's number alone may mean either.
    placer = result(fact, statement, "c", 3, since=0, identity=identity("placer:P", names=("K/",)))
    assert current(morning, placer) == ["c"]


def test_a_number_is_unique_in_its_namespace_only(fact: Build, statement: Build) -> None:
    one, other = (
        result(fact, statement, space, 1, identity=identity(f"filler:77@{space}", names=("K/",)))
        for space in ("LABA", "LABB")
    )
    assert current(one, other) == ["LABA", "LABB"]


def replicates(fact: Build, statement: Build, event: str, stated: float, since: tuple[float, ...], **more: Any) -> Any:
    return [
        result(
            fact,
            statement,
            f"{event}{n}",
            stated,
            since=each,
            event=event,
            identity=identity("filler:F1", names=("R/",), instance=n),
            **more,
        )
        for n, each in enumerate(since, 1)
    ]


def test_statements_of_one_message_never_replace_each_other(fact: Build, statement: Build) -> None:
    assert current(*replicates(fact, statement, "a", 1, (0, 0, 0))) == ["a1", "a2", "a3"]


def test_a_correction_with_fewer_repetitions_closes_them_all(fact: Build, statement: Build) -> None:
    three = replicates(fact, statement, "a", 1, (0, 0, 0))
    two = replicates(fact, statement, "b", 2, (0, 0), status=cf.FACT_STATUS_CORRECTED)
    assert current(*three, *two) == ["b1", "b2"]


def test_a_correction_of_one_of_several_times_leaves_the_others(fact: Build, statement: Build) -> None:
    test = replicates(fact, statement, "a", 1, (0, 0.1, 0.2))
    again = result(
        fact, statement, "b", 2, since=0.1, identity=identity("filler:F1", names=("R/",)),
        status=cf.FACT_STATUS_CORRECTED,
    )  # fmt: skip
    assert current(*test, again) == ["a1", "a3", "b"]
    moved = result(
        fact, statement, "c", 2, since=0.11, identity=identity("filler:F1", names=("R/",)),
        status=cf.FACT_STATUS_CORRECTED,
    )  # fmt: skip
    assert current(*test, moved) == ["a1", "a3", "c"]
    gone = result(
        fact, statement, "d", 2, since=None, identity=identity("filler:F1", names=("R/",)), status=ERROR
    )  # fmt: skip
    assert current(*test, gone) == []


def test_a_statement_closes_whole_whatever_parts_it_had(fact: Build, statement: Build) -> None:
    pressure = [
        result(
            fact, statement, part, 1, event="m1", identity=identity("filler:F1", names=("BP/",), part=part)
        )
        for part in ("systolic", "diastolic")
    ]  # fmt: skip
    gone = result(fact, statement, "gone", 2, identity=identity("filler:F1", names=("BP/",)), status=ERROR, since=None)
    assert current(*pressure, gone) == []


def test_a_drug_that_the_changed_order_no_longer_has_is_no_longer_ordered(fact: Build, statement: Build) -> None:
    both = [
        statement(
            fact(
                fact_id=name, code=name, identity=identity("placer:P", names=("m",), part=name),
                source=message("m1"), **ORDER,
            ),
            1,
        )
        for name in ("amoxicillin", "clavulanate")
    ]  # fmt: skip
    alone = statement(fact(fact_id="new", code="amoxicillin", identity=identity("placer:P", names=("m",)), **ORDER), 2)
    assert current(*both, alone) == ["new"]


def test_an_order_discontinued_by_its_number_alone_ends_each_drug_of_it(fact: Build, statement: Build, at: At) -> None:
    both = [
        statement(
            fact(
                fact_id=name, code=name, identity=identity("placer:P", names=("m",), part=name),
                source=message("m1"), **ORDER,
            ),
            1,
        )
        for name in ("amoxicillin", "clavulanate")
    ]  # fmt: skip
    stopped = statement(
        fact(
            fact_id="stop", kind=cf.FACT_KIND_MEDICATION, code="", identity=identity("placer:P", whole=True),
            status=cf.FACT_STATUS_ENDED, since=None, until=5,
        ),
        5,
    )  # fmt: skip
    entries = sorted(standing(replay([stopped, *both])), key=lambda e: e.fact.code.code)
    assert [(e.fact.code.code, e.fact.status) for e in entries] == [
        ("amoxicillin", cf.FACT_STATUS_ENDED),
        ("clavulanate", cf.FACT_STATUS_ENDED),
    ]
    assert [e.carried_from for e in entries] == [("amoxicillin",), ("clavulanate",)]
    assert [len(holding(entries, at(d))) for d in (0.5, 3, 6)] == [0, 2, 0]
    # What is ordered again under the number stands again; what was said before the stop does not.
    again = statement(fact(fact_id="again", code="a", identity=identity("placer:P", names=("m",)), **ORDER), 6)
    assert current(*both, stopped, again) == ["again"]


def test_an_order_without_results_is_still_an_order(fact: Build, statement: Build) -> None:
    order = identity("placer:P1", "filler:F1", names=("order",))
    stated = result(fact, statement, "order", 1, identity=order, kind=cf.FACT_KIND_PROCEDURE)
    value = result(fact, statement, "value", 2, identity=identity("filler:F1", "placer:P1", names=("K/",)))
    paper = result(
        fact, statement, "paper", 2, identity=identity("filler:F1", names=("R/",)), kind=cf.FACT_KIND_DOCUMENT
    )  # fmt: skip
    none = result(
        fact, statement, "none", 3, identity=identity("filler:F1", "placer:P1", whole=True), status=ERROR
    )  # fmt: skip
    assert current(stated, value, paper, none) == ["order"]


def test_a_deleted_list_is_empty_until_something_is_added(fact: Build, statement: Build) -> None:
    allergies = [
        statement(
            fact(
                fact_id=name, kind=cf.FACT_KIND_ALLERGY, identity=identity("allergies:", names=(name,)),
                status=cf.FACT_STATUS_ACTIVE,
            ),
            day,
        )
        for name, day in (("penicillin", 1), ("latex", 2), ("nuts", 4))
    ]  # fmt: skip
    deleted = statement(
        fact(kind=cf.FACT_KIND_ALLERGY, code="", identity=identity("allergies:", whole=True), status=ERROR), 3
    )
    assert current(*allergies, deleted) == ["nuts"]


def visit(fact: Build, statement: Build, name: str, stated: float, **more: Any) -> Any:
    return statement(
        fact(fact_id=name, **ENCOUNTER, **{"identity": identity("visit:V1"), "since": None} | more), stated
    )


def test_what_a_message_leaves_out_is_unchanged(fact: Build, statement: Build) -> None:
    admitted = visit(fact, statement, "a01", 1, since=1, status=cf.FACT_STATUS_ACTIVE)
    left = visit(fact, statement, "a03", 3, until=3, status=cf.FACT_STATUS_ENDED)
    updated = visit(fact, statement, "a08", 4, status=SAID_NOTHING)
    (entry,) = standing(replay([admitted, left, updated]))
    assert (entry.fact.fact_id, entry.fact.status) == ("a08", cf.FACT_STATUS_ENDED)
    assert (entry.fact.valid_from, entry.fact.valid_to) == (admitted.fact.valid_from, left.fact.valid_to)
    assert set(entry.carried_from) == {"a01", "a03"}
    # A statement of the state opens the visit again; so does a deleted end.
    reopened = visit(fact, statement, "a13", 5, status=cf.FACT_STATUS_ACTIVE)
    deleted = visit(fact, statement, "null", 5, status=SAID_NOTHING, deleted=["valid_to"])
    for last in (reopened, deleted):
        (entry,) = standing(replay([admitted, left, updated, last]))
        assert (entry.fact.status, entry.fact.HasField("valid_to")) == (cf.FACT_STATUS_ACTIVE, False)
        assert entry.fact.valid_from == admitted.fact.valid_from


def test_what_was_withdrawn_is_not_gone_on_with(fact: Build, statement: Build) -> None:
    admitted = visit(fact, statement, "a", 1, since=1)
    cancelled = visit(fact, statement, "c", 2, since=None, status=ERROR)
    again = visit(fact, statement, "g", 3, since=None)
    assert current(admitted, cancelled, visit(fact, statement, "u", 3, since=None, status=SAID_NOTHING)) == []
    (entry,) = standing(replay([admitted, cancelled, again]))
    assert (entry.fact.fact_id, entry.fact.HasField("valid_from")) == ("g", False)


def test_a_visit_under_two_numbers_is_one(fact: Build, statement: Build) -> None:
    one, other = (
        visit(fact, statement, name, day, since=day, identity=identity(f"visit:{name}"))
        for name, day in (("V1", 1), ("V2", 2))
    )
    merged = visit(fact, statement, "m", 3, since=2, identity=identity("visit:V2", "visit:V1"))
    assert current(one, other) == ["V1", "V2"]
    assert current(one, other, merged) == ["m"]


def test_without_any_start_it_holds_since_it_was_first_stated(fact: Build, statement: Build, at: At) -> None:
    allergy = {"kind": cf.FACT_KIND_ALLERGY, "since": None, "status": cf.FACT_STATUS_ACTIVE, "same": "allergy:p"}
    entries = replay([statement(fact(fact_id=str(day), **allergy), day) for day in (2, 9)])
    assert [ids(holding(entries, at(d))) for d in (1, 5, 10)] == [[], ["9"], ["9"]]


def test_a_dose_that_was_changed_has_not_been_taken_since_the_order_began(fact: Build, statement: Build) -> None:
    def dose(value: str) -> cf.Dosage:
        return cf.Dosage(dose=cf.Quantity(value=value, unit="mg"))

    order = {"identity": identity("placer:P", names=("m",))} | ORDER
    low = statement(fact(fact_id="low", dosage=dose("500"), **order | {"since": 1}), 1)
    same = statement(fact(fact_id="same", dosage=dose("500"), **order), 2)
    high = statement(fact(fact_id="high", dosage=dose("1000"), **order), 3)
    assert standing(replay([low, same]))[0].fact.valid_from == low.fact.valid_from
    assert not standing(replay([low, same, high]))[0].fact.HasField("valid_from")


def test_what_was_read_from_a_document_falls_with_it(fact: Build, statement: Build) -> None:
    letter = cf.SourcePointer(event_id="m1", document_id="D")
    document = statement(
        fact(
            fact_id="letter", kind=cf.FACT_KIND_DOCUMENT, source=letter,
            identity=identity("document:TXA", "file:D"),
        ),
        1,
    )  # fmt: skip
    read = cf.SourcePointer(event_id="m2", document_id="D", page=1)
    value = statement(fact(fact_id="value", source=read, identity=identity("file:D", names=("page:1:1",))), 1)
    gone = statement(
        fact(
            fact_id="gone", kind=cf.FACT_KIND_DOCUMENT, identity=identity("document:TXA", whole=True), status=ERROR,
            source=message("m3"),
        ),
        2,
    )  # fmt: skip
    assert current(document, value) == ["letter", "value"]
    assert current(document, value, gone) == []


def test_a_long_life_is_no_deep_recursion(fact: Build, statement: Build) -> None:
    updates = [visit(fact, statement, str(n), n, status=SAID_NOTHING) for n in range(3_000)]
    (entry,) = standing(replay(updates))
    assert entry.fact.fact_id == "2999"


def test_a_state_of_an_order_says_nothing_of_its_results(fact: Build, statement: Build) -> None:
    drug = statement(fact(fact_id="drug", code="w", identity=identity("placer:P", names=("m",)), **ORDER), 1)
    value = result(fact, statement, "value", 2, since=2, identity=identity("filler:F", "placer:P", names=("INR/",)))
    group = {"kind": cf.FACT_KIND_MEDICATION, "code": "", "identity": identity("placer:P", whole=True), "since": None}
    stopped = statement(fact(fact_id="stop", status=cf.FACT_STATUS_ENDED, until=3, **group), 3)
    states = {e.fact.code.code: e.fact.status for e in standing(replay([drug, value, stopped]))}
    assert sorted(states.values()) == [cf.FACT_STATUS_ENDED, cf.FACT_STATUS_FINAL]
    withdrawn = statement(fact(fact_id="gone", status=ERROR, **group), 3)
    assert current(drug, value, withdrawn) == []


def test_a_number_assigned_later_finds_the_order(fact: Build, statement: Build) -> None:
    placed = statement(fact(fact_id="placed", code="w", identity=identity("placer:P", names=("m",)), **ORDER), 1)
    group = {"kind": cf.FACT_KIND_MEDICATION, "code": "", "since": None}
    both = identity("placer:P", "filler:F", whole=True)
    numbered = statement(fact(fact_id="number", status=SAID_NOTHING, identity=both, **group), 2)
    by_filler = {"identity": identity("filler:F", names=("m",))} | ORDER
    changed = statement(fact(fact_id="changed", code="w", **by_filler), 3)
    assert current(placed, numbered, changed) == ["changed"]
    assert current(placed, changed) == ["changed", "placed"]
    # What an earlier statement was called by stays a name of it, whichever number a later one gives.
    by_placer = statement(fact(fact_id="last", code="w", identity=identity("placer:P", names=("m",)), **ORDER), 4)
    assert current(placed, numbered, changed, by_placer) == ["last"]


def test_a_hold_is_over_when_a_state_is_stated(fact: Build, statement: Build) -> None:
    drug = {"code": "w", "identity": identity("placer:P", names=("m",))}
    begun = statement(fact(fact_id="begun", **drug | ORDER), 1)
    held = statement(
        fact(fact_id="held", note="on hold", until=2, **drug | ORDER | {"status": cf.FACT_STATUS_ENDED}), 2
    )
    (entry,) = standing(replay([begun, held]))
    assert (entry.fact.status, entry.fact.note) == (cf.FACT_STATUS_ENDED, "on hold")
    again = {"deleted": ["note"], "status": cf.FACT_STATUS_ACTIVE}
    released = statement(fact(fact_id="released", **drug | ORDER | again), 3)
    alone = statement(
        fact(fact_id="alone", **ORDER | again | {"code": "", "identity": identity("placer:P", whole=True)}), 3
    )
    for last in (released, alone):
        (entry,) = standing(replay([begun, held, last]))
        assert (entry.fact.status, entry.fact.note) == (cf.FACT_STATUS_ACTIVE, "")
        assert not entry.fact.HasField("valid_to")


def test_a_service_that_could_not_be_cancelled_is_ordered(fact: Build, statement: Build) -> None:
    service = {"kind": cf.FACT_KIND_PROCEDURE, "code": "ct", "identity": identity("placer:P", names=("ct",))}
    asked = statement(fact(fact_id="asked", since=None, status=cf.FACT_STATUS_ORDERED, **service), 1)
    cancelled = statement(fact(fact_id="ca", since=None, until=2, status=cf.FACT_STATUS_ENDED, **service), 2)
    goes_on = statement(fact(fact_id="uc", since=None, status=cf.FACT_STATUS_ORDERED, **service), 3)
    group = service | {"code": "", "identity": identity("placer:P", whole=True)}
    alone = statement(fact(fact_id="alone", since=None, status=cf.FACT_STATUS_ACTIVE, **group), 3)
    mentioned = statement(fact(fact_id="sc", since=None, status=SAID_NOTHING, **service), 1)
    for statements in ([asked, cancelled, goes_on], [asked, cancelled, alone], [mentioned]):
        (entry,) = standing(replay(statements))
        assert entry.fact.status == cf.FACT_STATUS_ORDERED
        assert not entry.fact.HasField("valid_to")


def test_all_steps_of_a_taper_are_carried_over(fact: Build, statement: Build) -> None:
    def dose(value: str) -> cf.Dosage:
        return cf.Dosage(dose=cf.Quantity(value=value, unit="mg"))

    order = {"code": "p", "identity": identity("placer:P", names=("m",))} | ORDER
    taper = statement(fact(fact_id="taper", dosage=dose("40"), further_dosages=[dose("20")], **order), 1)
    mentioned = statement(fact(fact_id="sc", **order | {"status": SAID_NOTHING}), 2)
    other = statement(fact(fact_id="xo", dosage=dose("5"), **order), 3)
    (entry,) = standing(replay([taper, mentioned]))
    assert [each.dose.value for each in (entry.fact.dosage, *entry.fact.further_dosages)] == ["40", "20"]
    (entry,) = standing(replay([taper, mentioned, other]))
    assert [each.dose.value for each in (entry.fact.dosage, *entry.fact.further_dosages)] == ["5"]
