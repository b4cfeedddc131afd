"""What stands after several messages: read by ingestion, recorded and replayed by memory.

Each message of a story is sent an hour after the one before. A line of the record says what stands: kind, name, status,
`not` where it is absent, and from when to when, as hours of the day.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from consult import times
from ingestion.domain.reading import Feed, Reading, read
from longitude.ingestion.v1.events_pb2 import MessageReceived
from longitude.record.v1 import fact_pb2 as pb
from memory.domain import updates
from memory.domain.identity import Identifier, LinkStatement, component
from memory.domain.timeline import Entry, StatedFact, replay, standing
from memory.domain.updates import Update

DAY = datetime(2026, 3, 1, tzinfo=UTC)
FIRST_HOUR = 8
NOBODY = "nothing"


def received(stories: tuple[str, ...], processing: str = "P") -> Iterator[tuple[Reading, datetime]]:
    """Readings of messages written as `TYPE;SEGMENT;SEGMENT...`; without a PID it is the usual patient."""
    for number, story in enumerate(stories):
        kind, *segments = story.split(";")
        at = DAY + timedelta(hours=FIRST_HOUR + number)
        lines = [f"MSH|^~\\&|ADT|NORTH|||{at:%Y%m%d%H%M%S}||{kind}|M{number}|{processing}|2.5.1"]
        lines += [f"EVN|{kind[4:7]}|{at:%Y%m%d%H%M%S}"] if kind.startswith("ADT") else []
        lines += [] if any(segment.startswith("PID") for segment in segments) else ["PID|1||A^^^NORTH^MR"]
        yield read("\r".join([*lines, *segments]).encode(), at, Feed()), at


def updates_of(stories: tuple[str, ...], processing: str = "P") -> Iterator[Update]:
    for reading, at in received(stories, processing):
        message = MessageReceived(
            header=reading.header,
            patient=reading.content.patient,
            facts=reading.content.facts,
            links=reading.content.links,
            received_at=times.stamp(at),
        )
        update = updates.of_message(message, at)
        if update is not None:
            yield update


def stands(*stories: str) -> list[Entry]:
    """What stands of every person."""
    updates_ = list(updates_of(stories))
    stated: dict[frozenset[Identifier], list[StatedFact]] = defaultdict(list)
    for update in updates_:
        for ordinal, fact in enumerate(update.facts):
            person = component(Identifier.of(fact.patient), links_of(updates_))
            statement = StatedFact(fact, update.stated_at, update.received_at, ordinal, update.received_at)
            stated[person].append(statement)
    return [entry for each in stated.values() for entry in standing(replay(each))]


def links_of(sent: Iterable[Update]) -> list[LinkStatement]:
    return [
        LinkStatement(link, update.stated_at, update.received_at, ordinal, update.received_at)
        for update in sent
        for ordinal, link in enumerate(update.links)
    ]


def line(entry: Entry) -> str:
    fact = entry.fact
    start, end = times.moment(fact, "valid_from"), times.moment(fact, "valid_to")
    absent = ["not"] if fact.assertion == pb.ASSERTION_ABSENT else []
    words = [
        *absent,
        fact.code.display or fact.code.code,
        pb.FactStatus.Name(fact.status).removeprefix("FACT_STATUS_").lower(),
        f"{start:%H}" if start else "",
        f"-{end:%H}" if end else "",
        *([f"({fact.note})"] if fact.note else []),
        *([f"<{fact.severity.display}>"] if fact.severity.display else []),
        *([fact.text] if fact.text else []),
        f"@{fact.patient.id}" if fact.patient.id != "A" else "",
    ]
    return " ".join(filter(None, words))


def record(kind: str, *stories: str) -> list[str]:
    wanted = pb.FactKind.Value(f"FACT_KIND_{kind}")
    return sorted(line(entry) for entry in stands(*stories) if entry.fact.kind == wanted)


def visit(number: str = "V1", *, kind: str = "I", begun: str = "", ended: str = "") -> str:
    """PV1-2, PV1-19, PV1-44 and PV1-45; times as hours, or as HL7 nulls."""
    fields = {2: kind, 19: number, 44: _time(begun), 45: _time(ended)}
    return "PV1|1|" + "|".join(fields.get(index, "") for index in range(2, 46))


def _time(hour: str) -> str:
    return f"{DAY:%Y%m%d}{hour}0000" if hour.isdigit() else hour


# --- visits


@pytest.mark.parametrize(
    ("stories", "expected"),
    [
        pytest.param(["A01"], ["inpatient encounter active 08"], id="admitted"),
        pytest.param(["A01", "A08", "A02"], ["inpatient encounter active 08"], id="updated and transferred"),
        pytest.param(["A01", "A03"], ["inpatient encounter ended 08 -09"], id="discharged"),
        pytest.param(["A01", "A03", "A08"], ["inpatient encounter ended 08 -09"], id="updated after discharge"),
        pytest.param(["A01", "A03", "A31"], ["inpatient encounter ended 08 -09"], id="person updated after discharge"),
        pytest.param(["A01", "A03", "A02"], ["inpatient encounter ended 08 -09"], id="late transfer"),
        pytest.param(["A01", "A03", "A13"], ["inpatient encounter active 08"], id="discharge cancelled"),
        pytest.param(["A01", "A03", "A13", "A03"], ["inpatient encounter ended 08 -11"], id="discharged again"),
        pytest.param(["A01", "A11"], [], id="admission cancelled"),
        pytest.param(["A01", "A11", "A08"], [], id="updated after it was cancelled"),
        pytest.param(["A01", "A11", "A01"], ["inpatient encounter active 10"], id="admitted after all"),
        pytest.param(["A01", "A23"], [], id="deleted"),
        pytest.param(["A05"], ["inpatient encounter ordered"], id="planned"),
        pytest.param(["A05", "A08"], ["inpatient encounter ordered"], id="planned and updated"),
        pytest.param(["A05", "A38"], [], id="plan cancelled"),
        pytest.param(["A14", "A27"], [], id="pending admission cancelled"),
        pytest.param(["A05", "A01", "A16"], ["inpatient encounter active 09"], id="discharge is pending"),
        pytest.param(["A01", "A16", "A25"], ["inpatient encounter active 08"], id="pending discharge cancelled"),
        pytest.param(["A04", "A06"], ["inpatient encounter active 08"], id="outpatient becomes inpatient"),
        pytest.param(["A01", "A21", "A22"], ["inpatient encounter active 08"], id="leave of absence"),
        pytest.param(["A01", "A02", "A12"], ["inpatient encounter active 08"], id="transfer cancelled"),
        pytest.param(["A01", "A28", "A40"], ["inpatient encounter active 08"], id="events of persons"),
    ],
)
def test_a_visit_is_what_its_events_say(stories: list[str], expected: list[str]) -> None:
    sent = [f"ADT^{event};{'MRG|B^^^NORTH^MR;' if event == 'A40' else ''}{visit()}" for event in stories]
    assert record("ENCOUNTER", *sent) == expected


def test_a_discharge_time_that_is_deleted_leaves_the_visit_open() -> None:
    first = (f"ADT^A01;{visit(begun='07')}", f"ADT^A03;{visit(begun='07', ended='09')}")
    assert record("ENCOUNTER", *first) == ["inpatient encounter ended 07 -09"]
    assert record("ENCOUNTER", *first, "ADT^A08;" + visit(ended='""')) == ["inpatient encounter active 07"]
    assert record("ENCOUNTER", *first, "ADT^A08;" + visit(begun='""')) == ["inpatient encounter ended -09"]


def test_an_end_that_is_still_to_come_leaves_the_visit_open() -> None:
    assert record("ENCOUNTER", f"ADT^A01;{visit(ended='20')}") == ["inpatient encounter active 08 -20"]
    assert record("ENCOUNTER", f"ADT^A01;{visit()}", f"ADT^A08;{visit(ended='20')}") == [
        "inpatient encounter active 08 -20"
    ]


def test_what_a_cancelled_discharge_repeats_is_no_end() -> None:
    sent = [f"ADT^A01;{visit()}", f"ADT^A03;{visit(ended='09')}", f"ADT^A13;{visit(ended='09')}"]
    assert record("ENCOUNTER", *sent) == ["inpatient encounter active 08"]


@pytest.mark.parametrize("event", ["A50", "A42"])
def test_a_visit_with_a_new_number_is_the_same_visit(event: str) -> None:
    sent = [f"ADT^A01;{visit('V1')}", f"ADT^{event};MRG|A^^^NORTH^MR||||V1;{visit('V2')}", f"ADT^A03;{visit('V2')}"]
    assert record("ENCOUNTER", *sent[:2]) == ["inpatient encounter active 08"]
    assert record("ENCOUNTER", *sent) == ["inpatient encounter ended 08 -10"]


def test_two_visits_that_are_merged_are_one() -> None:
    sent = [f"ADT^A01;{visit('V1')}", f"ADT^A04;{visit('V2')}", f"ADT^A42;MRG|A^^^NORTH^MR||||V1;{visit('V2')}"]
    assert len(record("ENCOUNTER", *sent)) == 1


def test_a_visit_that_moves_to_another_patient_leaves_the_first() -> None:
    moved = f"ADT^A45;PID|1||B^^^NORTH^MR;MRG|A^^^NORTH^MR||||V1;{visit()}"
    assert record("ENCOUNTER", f"ADT^A01;{visit()}", f"ADT^A01;{visit('V2')}", moved) == [
        "inpatient encounter active 09",
        "inpatient encounter unspecified @B",
    ]


def test_each_visit_that_moves_leaves_the_first_patient() -> None:
    moved = ";".join(f"MRG|A^^^NORTH^MR||||{number};{visit(number)}" for number in ("V1", "V2"))
    sent = [f"ADT^A01;{visit(number)}" for number in ("V1", "V2", "V3")]
    assert record("ENCOUNTER", *sent, f"ADT^A45;PID|1||B^^^NORTH^MR;{moved}") == [
        "inpatient encounter active 10",
        "inpatient encounter unspecified @B",
        "inpatient encounter unspecified @B",
    ]
    assert {entry.fact.encounter_id for entry in stands(*sent)} == {"V1", "V2", "V3"}


def test_an_account_that_moves_takes_its_visit_along() -> None:
    pid = "PID|1||{}^^^NORTH^MR" + "|" * 15 + "ACC1"
    sent = [f"ADT^A01;{pid.format('A')};{visit()}", f"ADT^A44;{pid.format('B')};MRG|A^^^NORTH^MR||ACC1;{visit()}"]
    assert record("ENCOUNTER", *sent) == ["inpatient encounter unspecified @B"]


def test_numbers_of_visits_are_of_their_authority() -> None:
    assert len(record("ENCOUNTER", f"ADT^A01;{visit('1^^^EAST')}", f"ADT^A01;{visit('1^^^WEST')}")) == 2


def test_a_class_that_does_not_apply_is_no_visit() -> None:
    assert not record("ENCOUNTER", f"ADT^A04;{visit(kind='N')}", f"ADT^A08;{visit(kind='N')}")


def test_an_update_that_leaves_the_class_out_keeps_it() -> None:
    sent = [f"ADT^A04;{visit(kind='E')}", f"ADT^A08;{visit(kind='')}"]
    assert record("ENCOUNTER", *sent) == ["emergency active 08"]


# --- persons


@pytest.mark.parametrize("processing", ["T", "D"])
def test_nothing_that_is_not_production_enters_the_record(processing: str) -> None:
    stories = (f"ADT^A01;{visit()};AL1|1|DA|^Penicillin", "ADT^A40;MRG|B^^^NORTH^MR")
    assert not list(updates_of(stories, processing))
    assert all(reading.header.processing_id == processing for reading, _ in received(stories, processing))
    assert all(any(r.field == "MSH-11" for r in reading.remarks) for reading, _ in received(stories, processing))


def persons_after(*stories: str) -> frozenset[str]:
    return frozenset(each.id for each in component(Identifier("NORTH", "A"), links_of(updates_of(stories))))


# Statements of patient B before the number became A, and of A after it.
MERGED = "ADT^A40;MRG|B^^^NORTH^MR"
PARTED = "ADT^A37;PID|1||A^^^NORTH^MR;PID|2||B^^^NORTH^MR"
OLD = "PID|1||B^^^NORTH^MR"
MEASURED = "Potassium [Moles/volume] in Serum or Plasma"
POTASSIUM = "ORC|RE|P1|F1;OBR|1|P1|F1|K^Potassium|||20260301070000|||||||||||||||20260301080000|||F"


@pytest.mark.parametrize(
    ("kind", "first", "then", "merged", "parted"),
    [
        pytest.param(
            "ENCOUNTER", f"ADT^A01;{OLD};{visit()}", f"ADT^A03;{visit()}", ["inpatient encounter ended 08 -10"],
            ["inpatient encounter active 08 @B", "inpatient encounter ended -10"], id="discharge"),
        pytest.param(
            "RESULT", f"ORU^R01;{OLD};{POTASSIUM};OBX|1|NM|2823-3^Potassium^LN||5.9|mmol/L|||||F",
            f"ORU^R01;{POTASSIUM};OBX|1|NM|2823-3^Potassium^LN||3.9|mmol/L|||||C",
            [f"{MEASURED} corrected 07 -07"], [f"{MEASURED} corrected 07 -07", f"{MEASURED} final 07 -07 @B"],
            id="correction of a result"),
        pytest.param(
            "RESULT", f"ORU^R01;{OLD};{POTASSIUM};OBX|1|NM|2823-3^Potassium^LN||5.9|mmol/L|||||F",
            f"ORU^R01;{POTASSIUM};OBX|1|NM|2823-3^Potassium^LN||||||||W", [], [f"{MEASURED} final 07 -07 @B"],
            id="withdrawal of a result"),
        pytest.param(
            "MEDICATION", f"RDE^O11;{OLD};ORC|NW|P1|F1;RXE||^Metformin|500||mg", "RDE^O11;ORC|DC|P1|F1",
            ["metformin ended -10 @B"], ["metformin active @B"], id="discontinued by its order control alone"),
        pytest.param(
            "ALLERGY", f"ADT^A01;{OLD};AL1|1|DA|^Penicillin", 'ADT^A08;AL1|1|DA|""', [], ["penicillin active @B"],
            id="deletion of a list"),
    ],
)  # fmt: skip
def test_what_is_said_under_the_surviving_number_goes_on_with_the_merged_one(
    kind: str, first: str, then: str, merged: list[str], parted: list[str]
) -> None:
    assert record(kind, first, MERGED, then) == merged
    assert record(kind, first, PARTED, then, MERGED) == merged
    assert record(kind, first, MERGED, then, PARTED) == parted


def test_a_result_that_comes_unchanged_under_both_numbers_stands_under_both_until_it_is_corrected() -> None:
    value, other = (f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|||||" for value in ("5.9", "3.9"))
    twice = [f"ORU^R01;{OLD};{POTASSIUM};{value}F", MERGED, f"ORU^R01;{POTASSIUM};{value}F"]
    assert record("RESULT", *twice) == [f"{MEASURED} final 07 -07", f"{MEASURED} final 07 -07 @B"]
    assert record("RESULT", *twice, f"ORU^R01;{POTASSIUM};{other}C") == [f"{MEASURED} corrected 07 -07"]
    assert record("RESULT", *twice, f"ORU^R01;{OLD};{POTASSIUM};{other}C") == [f"{MEASURED} corrected 07 -07 @B"]


def test_a_late_message_with_the_old_number_of_a_visit_is_of_the_same_visit() -> None:
    renamed = f"ADT^A50;MRG|A^^^NORTH^MR||||V1;{visit('V2')}"
    sent = [f"ADT^A01;{visit('V1')}", renamed, f"ADT^A08;{visit('V1')}", f"ADT^A03;{visit('V1')}"]
    assert record("ENCOUNTER", *sent) == ["inpatient encounter ended 08 -11"]
    assert record("ENCOUNTER", *sent, f"ADT^A13;{visit('V2')}") == ["inpatient encounter active 08"]


def test_a_visit_that_moves_and_gets_another_number_goes_on_under_both() -> None:
    moved = f"ADT^A45;{OLD};MRG|A^^^NORTH^MR||||V1;{visit('V2')}"
    sent = [f"ADT^A01;{visit('V1')}", moved, f"ADT^A08;{OLD};{visit('V1')}", f"ADT^A03;{OLD};{visit('V2')}"]
    assert record("ENCOUNTER", *sent) == ["inpatient encounter ended -11 @B"]


@pytest.mark.parametrize("number", ["V1", "V2"])
def test_a_visit_that_moved_between_two_numbers_which_are_then_merged_stands_once(number: str) -> None:
    moved = f"ADT^A45;{OLD};MRG|A^^^NORTH^MR||||V1;{visit(number)}"
    assert record("ENCOUNTER", f"ADT^A01;{visit()}", moved, MERGED) == ["inpatient encounter active 08 @B"]


FAMILY = "~POLICY^^^INS^HC~HOUSE^^^INS^SN"


@pytest.mark.parametrize(
    ("stories", "persons"),
    [
        pytest.param(["ADT^A40;MRG|B^^^NORTH^MR"], "AB", id="merged"),
        pytest.param(
            [f"ADT^A40;MRG|B^^^NORTH^MR{FAMILY}", f"ADT^A40;PID|1||C^^^NORTH^MR;MRG|D^^^NORTH^MR{FAMILY}"],
            "AB", id="shared policy"),
        pytest.param(["ADT^A40;MRG|B^^^NORTH^MR", "ADT^A37;PID|1||A^^^NORTH^MR;PID|2||B^^^NORTH^MR"], "A",
                     id="unlinked"),
        pytest.param(
            ["ADT^A40;PID|1||A^^^NORTH^MR~X^^^NORTH^PI;MRG|B^^^NORTH^MR~Y^^^NORTH^PI",
             "ADT^A37;PID|1||A^^^NORTH^MR~X^^^NORTH^PI;PID|2||B^^^NORTH^MR~Y^^^NORTH^PI"],
            "A", id="all numbers unlinked"),
        pytest.param(["ADT^A24;PID|1||A^^^NORTH^MR;PID|2||B^^^NORTH^MR"], "AB", id="linked"),
        pytest.param(["ADT^A40;PID|1||B^^^NORTH^MR~A^^^NORTH^MR;MRG|B^^^NORTH^MR"], "AB", id="merged number repeated"),
        pytest.param(["ADT^A40;MRG|A^^^NORTH^MR"], "A", id="with itself"),
        pytest.param(["ADT^A40;MRG|S^^^SSA^SS"], "A", id="a national number alone"),
        pytest.param(["ADT^A40;MRG|UNKNOWN^^^NORTH^MR"], "A", id="a placeholder"),
        pytest.param(["ADT^A40;PID|1||00000^^^NORTH^MR;MRG|A^^^NORTH^MR"], "A", id="into a placeholder"),
        pytest.param([f"ADT^A45;PID|1||B^^^NORTH^MR;MRG|A^^^NORTH^MR||||V1;{visit()}"], "A", id="a visit moved"),
        pytest.param([f"ADT^A44;PID|1||B^^^NORTH^MR;MRG|A^^^NORTH^MR||ACC;{visit()}"], "A", id="an account moved"),
        pytest.param(["ADT^A47;MRG|B^^^NORTH^MR"], "AB", id="number changed"),
    ],
)  # fmt: skip
def test_only_record_numbers_that_are_said_to_be_one_person_are(stories: list[str], persons: str) -> None:
    assert persons_after(*stories) == frozenset(persons)


DEATH = "Date+time of death active"


@pytest.mark.parametrize(
    ("deaths", "expected"),
    [
        pytest.param(["20260301070000|Y"], [f"{DEATH} 07 2026-03-01T07:00"], id="died"),
        pytest.param(["|Y"], [DEATH], id="whenever"),
        pytest.param(["20260301|"], [f"{DEATH} 00 2026-03-01"], id="without the indicator"),
        pytest.param(["20260301070000|Y", "|Y"], [f"{DEATH} 07 2026-03-01T07:00"], id="time left out"),
        pytest.param(["20260301070000|Y", "|"], [f"{DEATH} 07 2026-03-01T07:00"], id="all left out"),
        pytest.param(["20260301070000|Y", "|N"], [], id="not dead"),
        pytest.param(["20260301070000|Y", '""|""'], [], id="deleted"),
        pytest.param(["20260301070000|Y", '""|Y'], [DEATH], id="time deleted"),
        pytest.param(["20260301070000|Y", "|N", "|Y"], [DEATH], id="dead after all"),
        pytest.param(["20260301070000|N"], [], id="alive with a time"),
    ],
)
def test_death_is_told_and_taken_back(deaths: list[str], expected: list[str]) -> None:
    sent = ["ADT^A31;PID|1||A^^^NORTH^MR" + "|" * 26 + death for death in deaths]
    assert record("DEMOGRAPHIC", *sent) == expected


@pytest.mark.parametrize(
    ("dates", "expected"),
    [(["19600102"], "1960-01-02"), (["1950"], "1950"), (["195003"], "1950-03"), (["19500000"], "1950"),
     (["19500300"], "1950-03"), (["19600102", "19610102"], "1961-01-02"), (["19600102", ""], "1960-01-02"),
     (["19600102", '""'], NOBODY), (["99999999"], NOBODY)],
)  # fmt: skip
def test_a_birth_date_is_as_precise_as_it_was_sent(dates: list[str], expected: str) -> None:
    found = stands(*(f"ADT^A31;PID|1||A^^^NORTH^MR||||{date}" for date in dates))
    assert [entry.fact.text for entry in found] == ([] if expected == NOBODY else [expected])


# --- allergies and problems

PENICILLIN = "AL1|1|DA|^Penicillin|SV|Rash"


@pytest.mark.parametrize(
    ("stories", "expected"),
    [
        pytest.param([PENICILLIN, "AL1|1|DA|^Penicillin"], ["penicillin active (Rash) <Severe>"],
                     id="reaction left out"),
        pytest.param([PENICILLIN, "AL1|1|DA|^Latex"], ["Latex active", "penicillin active (Rash) <Severe>"],
                     id="another"),
        pytest.param([PENICILLIN, 'AL1|1|DA|""'], [], id="list deleted"),
        pytest.param([PENICILLIN, 'AL1|""|""|""|""|""'], [], id="all nulls"),
        pytest.param([PENICILLIN, 'AL1|1||^""'], [], id="null in the text"),
        pytest.param([PENICILLIN, 'AL1|1|DA|""', "AL1|1|DA|^Penicillin"], ["penicillin active"], id="listed again"),
        pytest.param([PENICILLIN, "AL1|1|DA|PCN^Penicillin^L"], ["penicillin active (Rash) <Severe>"],
                     id="a code added"),
        pytest.param([PENICILLIN, "AL1|1|DA|^Penicillin|MI|Hives~Itch"], ["penicillin active (Hives; Itch) <Mild>"],
                     id="corrected"),
        pytest.param(["IAM|1|DA|^Penicillin|SV|Rash|A|7^LAB", "IAM|1|DA|^Amoxicillin|||U|7^LAB"],
                     ["amoxicillin active (Rash) <Severe>"], id="allergen corrected"),
        pytest.param(["IAM|1|DA|^Penicillin|||A|7^LAB", "IAM|1|DA||||D|7^LAB"], [], id="deleted by number"),
        pytest.param(["IAM|1|DA|^Penicillin|||A|7^LAB", "IAM|1|DA|^Penicillin|||D|8^LAB"], ["penicillin active"],
                     id="another number deleted"),
        pytest.param(["IAM|1|DA|^Penicillin|||A", "IAM|1|DA|^Penicillin|||D"], [], id="deleted by name"),
        pytest.param(["IAM|1|DA|^Penicillin|||A|7||||||||||I", "IAM|1|DA|^Penicillin|||U|7"], ["penicillin ended"],
                     id="updated while inactive"),
        pytest.param(["IAM|1|DA|^Penicillin|||A|7||||||||||S"], ["penicillin preliminary"], id="suspected"),
        pytest.param(["IAM|1|DA|^Penicillin|||A|7", "IAM|1|DA|^Penicillin|||X|7||||||||||E"], [], id="erroneous"),
        pytest.param(["AL1|1|DA|^Possible penicillin allergy"], ["penicillin preliminary"], id="possible"),
        pytest.param(["AL1|1|DA|^Penicillin?"], ["penicillin preliminary"], id="questioned"),
        pytest.param(["AL1|1|DA|^Penicillin allergy ruled out"], ["not penicillin active"], id="ruled out"),
        pytest.param(["AL1|1|DA|^Mother had penicillin allergy"], [], id="of the mother"),
        pytest.param(["AL1|1|DA|^History of penicillin allergy"], ["penicillin active"], id="history"),
    ],
)  # fmt: skip
def test_an_allergy_is_what_its_entries_say(stories: list[str], expected: list[str]) -> None:
    sent = [f"ADT^{'A60' if story.startswith('IAM') else 'A08'};{story}" for story in stories]
    assert record("ALLERGY", *sent) == expected


def test_an_allergy_to_a_combination_keeps_and_loses_all_its_ingredients() -> None:
    added, deleted = (f"ADT^A60;IAM|1|DA|^Bactrim|||{action}|7" for action in "AD")
    assert len(record("ALLERGY", added)) == 2
    assert not record("ALLERGY", added, deleted)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("IAM|1|DA|^Codeine||Nausea|A|7||SE", "codeine active (Nausea; side effect)"),
        ("IAM|1|DA|^Codeine||Nausea|A|7||IN^Intolerance^HL70436", "codeine active (Nausea; intolerance)"),
        ("IAM|1|DA|^Codeine|||A|7||CT", "codeine active (contraindication)"),
        ("IAM|1|DA|^Codeine|||A|7||AD", "codeine active (adverse reaction, not known to be an allergy)"),
        ("IAM|1|DA|^Codeine||Rash|A|7||AL", "codeine active (Rash)"),
        ("IAM|1|MC|^Codeine|||A|7", "codeine active (contraindication)"),
        ("AL1|1|MC|^Codeine", "codeine active (contraindication)"),
        ("AL1|1|DA|^Codeine intolerance", "codeine active (intolerance)"),
        ("AL1|1|DA|^Codeine - side effect||Nausea", "codeine active (Nausea; side effect)"),
    ],
)
def test_what_is_no_allergy_is_told_so(entry: str, expected: str) -> None:
    sent = f"ADT^{'A60' if entry.startswith('IAM') else 'A08'};{entry}"
    assert record("ALLERGY", sent) == [expected]
    # An update that leaves it out changes nothing of it.
    assert record("ALLERGY", sent, "ADT^A60;IAM|1|DA|^Codeine|||U|7" if "IAM" in entry else sent) == [expected]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Tolerates cephalosporins", ["not cephalosporin active"]),
        ("Penicillin - tolerated amoxicillin 2020", ["penicillin active"]),
        ("Penicillin, rash; tolerates cefazolin", ["penicillin active"]),
        ("Penicillin not tolerated", ["penicillin active"]),
        ("Penicillin poorly tolerated", ["penicillin active"]),
        ("Penicillin (patient denies)", ["not penicillin active"]),
        ("Penicillin delabeled", ["not penicillin active"]),
        ("Penicillin allergy removed", ["not penicillin active"]),
        ("Penicillin challenge negative", ["not penicillin active"]),
        *((words, []) for words in ("See chart", "Allergies not on file", "N/A", "Other", "Yes", "Unspecified")),
        *((words, ["not No known drug allergy active"]) for words in ("No", "None known at this time")),
    ],
)
def test_what_is_taken_without_harm_or_not_known_is_no_allergen(words: str, expected: list[str]) -> None:
    assert record("ALLERGY", f"ADT^A08;AL1|1|DA|^{words}") == expected


# --- procedures

DIALYSIS = "PR1|{}||39.95^Dialysis^I9C||{}||||||||||||||{}|{}"


@pytest.mark.parametrize(
    ("stories", "expected"),
    [
        pytest.param([DIALYSIS.format(1, "20260301", "", "")] * 2, ["Dialysis final 00 -00"], id="sent twice"),
        pytest.param([DIALYSIS.format(1, "20260301", "1^OR", ""), DIALYSIS.format(1, "20260301", "1^ICU", "")],
                     ["Dialysis final 00 -00"] * 2, id="a number of each namespace"),
        pytest.param([DIALYSIS.format(1, "20260301", "1", ""), DIALYSIS.format(1, "2026030107", "1", "U")],
                     ["Dialysis final 07 -07"], id="another time under its number"),
        pytest.param([DIALYSIS.format(1, "20260301", "1", ""), "PR1|1||||||||||||||||||1|D"], [],
                     id="deleted by its number"),
        pytest.param([DIALYSIS.format(1, "20260301", "", ""), DIALYSIS.format(1, "20260301", "", "D")], [],
                     id="deleted by code and time"),
        pytest.param([DIALYSIS.format(1, "20260301", "1", "") + ";" + DIALYSIS.format(2, "20260301", "2", ""),
                      'PR1|1||""'], [], id="all deleted"),
        pytest.param([DIALYSIS.format(1, "", "", "")], ["Dialysis final"], id="at a time that nobody stated"),
    ],
)  # fmt: skip
def test_a_procedure_is_what_its_segments_say(stories: list[str], expected: list[str]) -> None:
    assert record("PROCEDURE", *(f"ADT^A08;{visit()};{story}" for story in stories)) == expected


def test_the_nulls_of_one_visit_delete_no_procedure_of_another() -> None:
    sent = [f"ADT^A08;{visit(v)};{DIALYSIS.format(1, '20260301', v, '')}" for v in ("V1", "V2")]
    assert len(record("PROCEDURE", *sent, f'ADT^A08;{visit("V2")};PR1|1||""')) == 1


DIAGNOSED = "DG1|1||{}^I10C||20260301|F" + "|" * 14 + "P1^EHR"
GOUT = "PRB|AD|20260301|M10.9^Gout^I10C|P1^EHR|||20260301"


@pytest.mark.parametrize(
    ("stories", "expected"),
    [
        pytest.param([GOUT], ["Gout active 00"], id="added"),
        pytest.param([GOUT, "PRB|UP|20260302|M10.00^Idiopathic gout^I10C|P1^EHR"], ["Idiopathic gout active 00"],
                     id="refined"),
        pytest.param([GOUT, "PRB|UP|20260302||P1^EHR||||||||||Resolved"], ["Gout ended 00"], id="resolved by number"),
        pytest.param([GOUT, "PRB|UP|20260302|M10.9^Gout^I10C|P1^EHR|||||20260301090000"], ["Gout ended 00 -09"],
                     id="resolved at a time"),
        pytest.param([GOUT, "PRB|UP|20260302||P1^EHR|||||20260301090000", 'PRB|UP|20260302||P1^EHR|||||""'],
                     ["Gout active 00"], id="resolution deleted"),
        pytest.param([GOUT, "PRB|UP|20260302||P1^EHR||||||||||Inactive", "PRB|UP|20260302||P1^EHR"], ["Gout ended 00"],
                     id="state left out"),
        pytest.param([DIAGNOSED.format("M10.9^Gout"), GOUT + "||20260301090000"],
                     ["Gout ended 00 -09"], id="a diagnosis under the number of the list"),
        pytest.param([DIAGNOSED.format("J18.9^Pneumonia"), GOUT],
                     ["Gout active 00", "Pneumonia active 00"], id="another diagnosis under the number"),
        pytest.param([GOUT, "PRB|DE|20260302|M10.9^Gout^I10C|P1^EHR"], [], id="deleted"),
        pytest.param([GOUT, "PRB|DE|20260302|M10.9^Gout^I10C|P1^LAB"], ["Gout active 00"], id="deleted elsewhere"),
        pytest.param(["PRB|AD|20260301|^Gout|P1|||||||||Provisional^Provisional"], ["Gout preliminary"],
                     id="provisional"),
        pytest.param(["PRB|AD|20260301|^Gout|P1|||||||||^Refuted"], ["not Gout active"], id="refuted"),
        pytest.param(["PRB|AD|20260301|^Gout|P1|||||||||Confirmed|Active"], ["Gout active"], id="confirmed and active"),
        pytest.param(["PRB|AD|20260301|^Gout|P1|||||||||Confirmed|Resolved"], ["Gout ended"], id="confirmed, resolved"),
        pytest.param(["PRB|AD|20260301|^H/O gout|P1"], ["H/O gout ended"], id="history of"),
        pytest.param(["PRB|AD|20260301|^Status post appendectomy|P1"], ["Status post appendectomy ended"], id="past"),
        pytest.param(["PRB|AD|20260301|^Possible gout|P1"], ["Possible gout preliminary"], id="possible"),
        pytest.param(["PRB|AD|20260301|^Gout - ruled out|P1"], ["not Gout active"], id="ruled out"),
        pytest.param(["PRB|AD|20260301|^Gout?|P1"], ["Gout? preliminary"], id="questioned"),
    ],
)  # fmt: skip
def test_a_problem_is_what_its_entries_say(stories: list[str], expected: list[str]) -> None:
    assert record("PROBLEM", *(f"PPR^PC1;{story}" for story in stories)) == expected


def test_an_event_says_what_is_done_where_the_segment_does_not() -> None:
    added, entry = f"PPR^PC1;{GOUT}", "PRB||20260302|M10.9^Gout^I10C|P1^EHR"
    assert not record("PROBLEM", added, f"PPR^PC3;{entry}")
    resolved = "PPR^PC2;PRB|UP|20260302||P1^EHR||||||||||Resolved"
    assert record("PROBLEM", added, resolved, f"PPR^PC2;{entry}") == ["Gout ended 00"]
    assert record("PROBLEM", added, resolved, f"PPR^PC1;{entry}") == ["Gout active 00"]


@pytest.mark.parametrize(
    ("kind", "first", "then"),
    [
        pytest.param("PROBLEM", f"PPR^PC1;{GOUT}", "PPR^PC1;PRB|de|20260302||P1^EHR", id="PRB-1"),
        pytest.param("PROBLEM", f"ADT^A08;{DIAGNOSED.format('M10.9^Gout')}",
                     f"ADT^A08;{DIAGNOSED.format('M10.9^Gout')}|d", id="DG1-21"),
        pytest.param("ALLERGY", "ADT^A60;IAM|1|DA|^Codeine|||A|7", "ADT^A60;IAM|1|DA||||d|7", id="IAM-6"),
        pytest.param("PROCEDURE", f"ADT^A08;{DIALYSIS.format(1, '20260301', '1', 'a')}",
                     f"ADT^A08;{DIALYSIS.format(1, '20260301', '1', 'd')}", id="PR1-20"),
    ],
)  # fmt: skip
def test_the_letters_of_an_action_may_be_small(kind: str, first: str, then: str) -> None:
    assert record(kind, first)
    assert not record(kind, first, then)


STROKE = "DG1|1||I63.9^Stroke^I10||20260301|{}" + "|" * 15 + "{}"


@pytest.mark.parametrize(
    ("stories", "expected"),
    [
        pytest.param([STROKE.format("A", "")], ["Stroke active 00"], id="admitting"),
        pytest.param([STROKE.format("W", "")], ["Stroke preliminary 00"], id="working"),
        pytest.param([STROKE.format("W", ""), STROKE.format("F", "")], ["Stroke active 00"], id="final after working"),
        pytest.param([STROKE.format("W", ""), STROKE.format("", "")], ["Stroke preliminary 00"], id="type left out"),
        pytest.param([STROKE.format("F", ""), "DG1|1||I63.9^Stroke^I10"], ["Stroke active 00"], id="date left out"),
        pytest.param([STROKE.format("F", ""), STROKE.format("F", "D")], [], id="deleted"),
        pytest.param([STROKE.format("F", ""), 'DG1|""|""|""|""'], [], id="all deleted"),
        pytest.param([STROKE.format("F", ""), 'DG1|""|""|""|""', "DG1|1||I63.9^Stroke^I10"], ["Stroke active"],
                     id="listed again"),
        pytest.param(["DG1|1|||Stroke|20260301|F", "DG1|1|||Stroke|20260301090000|F"], ["Stroke active 09"],
                     id="date corrected"),
        pytest.param(["DG1|1|||History of stroke||F"], ["History of stroke ended"], id="history of"),
        pytest.param(["DG1|1|||None||W"], ["not No current problems or disability active"], id="none"),
    ],
)  # fmt: skip
def test_a_diagnosis_is_what_its_entries_say(stories: list[str], expected: list[str]) -> None:
    assert record("PROBLEM", *(f"ADT^A08;{visit()};{story}" for story in stories)) == expected


def test_a_diagnosis_with_a_number_is_corrected_under_it() -> None:
    first, second = (f"ADT^A08;{visit()};DG1|1||{code}|||F{'|' * 14}D7^EHR" for code in ("I63.9^Stroke", "G45.9^TIA"))
    assert record("PROBLEM", first, second) == ["TIA active"]
    deleted = f"ADT^A08;{visit()};DG1|1||||||{'|' * 13}D7^EHR|D"
    assert not record("PROBLEM", first, deleted)


def test_the_nulls_of_one_visit_delete_nothing_of_another() -> None:
    sent = [f"ADT^A08;{visit(v)};{STROKE.format('F', '')}" for v in ("V1", "V2")]
    assert len(record("PROBLEM", *sent, f'ADT^A08;{visit("V2")};DG1|1||""|""')) == 1


@pytest.mark.parametrize(
    ("diagnosis", "relation"),
    [("Z80.3^Family history of breast cancer^I10C", ""), ("^FHx: breast cancer", ""),
     ("^Mother: breast cancer", "mother"),
     ("^Breast cancer in mother", "mother"), ("^Breast cancer (sister)", "sister"),
     ("^Family history of breast cancer in aunt", "aunt"), ("^Father had colon cancer", "father")],
)  # fmt: skip
def test_what_runs_in_the_family_is_told_of_it_and_of_whom(diagnosis: str, relation: str) -> None:
    sent = f"ADT^A08;{visit()};DG1|1||{diagnosis}"
    assert not record("PROBLEM", sent)
    (entry,) = [each for each in stands(sent, sent) if each.fact.kind == pb.FACT_KIND_RESULT]
    assert (entry.fact.code.code, entry.fact.note) == ("10157-6", relation)


@pytest.mark.parametrize("diagnosis", ["^Asthma in childhood", "^Delivery of child", "^Mother-child conflict",
                                       "^Fever in child", "^Relapse, second"])  # fmt: skip
def test_what_names_a_relative_in_passing_is_the_patients_own(diagnosis: str) -> None:
    assert record("PROBLEM", f"ADT^A08;{visit()};DG1|1||{diagnosis}||20260301|F")
