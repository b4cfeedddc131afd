"""Every offset is a leaf, a duplicate or recorded before, in any order of deliveries."""

from auditing.domain.audit_event import Entry, entry_of
from auditing.domain.completeness import partition_counts
from auditing.domain.records import Record
from auditing.domain.sequencing import Plan, Position, event_key, sequence
from hypothesis import given
from hypothesis import strategies as st

TOPIC = "memory.record-updated.v1"


def entry(offset: int, event: int, partition: int = 0) -> Entry:
    return entry_of(Record(TOPIC, partition, offset, 0, {"ce_id": f"e-{event}"}, b""), bytes(32))


def known_of(*plans: Plan) -> dict[tuple[str, str], int]:
    return {event_key(leaf.entry): leaf.index for plan in plans for leaf in plan.leaves}


def test_indexes_follow_the_size_of_the_log_without_gap() -> None:
    plan = sequence([entry(0, 1), entry(1, 2), entry(2, 3)], 40, {}, {})
    assert [leaf.index for leaf in plan.leaves] == [40, 41, 42]


def test_a_redelivered_event_gets_no_second_leaf_but_a_pointer_to_the_first() -> None:
    plan = sequence([entry(0, 1), entry(1, 1), entry(2, 2)], 0, {}, {})
    assert [leaf.entry.offset for leaf in plan.leaves] == [0, 2]
    assert [(d.leaf_index, d.entry.offset) for d in plan.duplicates] == [(0, 1)]
    assert plan.positions[TOPIC, 0] == Position(3, 2, 1)


def test_an_event_of_an_earlier_batch_is_recognised() -> None:
    plan = sequence([entry(7, 1)], 5, {(TOPIC, "e-1"): 3}, {(TOPIC, 0): Position(7, 7, 0)})
    assert plan.leaves == []
    assert plan.duplicates[0].leaf_index == 3


def test_a_batch_read_again_adds_nothing() -> None:
    batch = [entry(0, 1), entry(1, 2)]
    first = sequence(batch, 0, {}, {})
    again = sequence(batch, 2, known_of(first), first.positions)
    assert (again.leaves, again.duplicates, again.positions) == ([], [], {})


def test_the_same_id_on_another_topic_is_another_event() -> None:
    other = entry_of(Record("imaging.document-read.v1", 0, 0, 0, {"ce_id": "e-1"}, b""), bytes(32))
    assert len(sequence([entry(0, 1), other], 0, {}, {}).leaves) == 2


def test_offsets_that_were_never_seen_are_missing() -> None:
    plan = sequence([entry(0, 1), entry(5, 2)], 0, {}, {})
    assert plan.positions[TOPIC, 0].missing == 4


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20)), max_size=60), st.integers(1, 7))
def test_leaves_and_duplicates_add_up_to_the_offsets_however_they_are_batched(
    events: list[tuple[int, int]], batch: int
) -> None:
    offsets = [0, 0, 0]
    entries = []
    for partition, event in events:
        entries.append(entry(offsets[partition], event, partition))
        offsets[partition] += 1
    size = 0
    known: dict[tuple[str, str], int] = {}
    positions: dict[tuple[str, int], Position] = {}
    for first in range(0, len(entries), batch):
        # Each batch overlaps the one before: a crash between the commit and the offset.
        plan = sequence(entries[max(0, first - 2) : first + batch], size, known, positions)
        size += len(plan.leaves)
        known |= known_of(plan)
        positions |= plan.positions
    assert size == len({event for _, event in events})
    assert all(positions[TOPIC, p].next_offset == n for p, n in enumerate(offsets) if n)
    assert all(position.missing == 0 for position in positions.values())


def test_completeness_shows_what_the_broker_has_and_the_log_has_not() -> None:
    counts = partition_counts({("a", 0): Position(10, 7, 2)}, {("a", 0): 12, ("a", 1): 3})
    assert [(c.partition, c.recorded_to, c.end_offset, c.duplicates, c.missing) for c in counts] == [
        (0, 10, 12, 2, 1),
        (1, 0, 3, 0, 0),
    ]
