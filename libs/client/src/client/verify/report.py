"""The verdict on a whole log, worked out from leaves and records as they come; no I/O.

The log holds when its root is rebuilt from its leaves, agrees with every tree head it ever signed, and when every
record of Kafka has its leaf with the hash of its value. Integrity without the last would not be completeness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from longitude.auditing.v1.auditing_service_pb2 import Leaf

from client.errors import VerificationError
from client.records import RawRecord
from client.verify.leaf import check_leaf
from client.verify.merkle import RootBuilder, leaf_hash
from client.verify.note import Checkpoint
from client.verify.stores import Expected

MAX_PROBLEMS = 100
# Of a leaf's signature: no consumer took the record.
_REFUSED = frozenset({"missing", "wrong"})


@dataclass(slots=True)
class Report:
    """What was found.

    `missing`: records without a leaf. `redelivered`: records of an event that has its leaf at another place (of these
    `differing` with another value: the sender's retry, received at another time). `expired`: leaves whose records
    Kafka has deleted by retention. `heads`: earlier signed tree heads that the tree passes through. `cosigned`:
    witnesses under the newest. `tiles`: objects of the log that are as the leaves give them. `unsigned`: leaves of
    records that their topic's owner did not sign, which no consumer takes. `rows`, `objects`: of each table, and of
    the object store, what is as it was logged; `bad_rows`, `bad_objects`: what is not. `untold`: rows whose events
    Kafka may have deleted. `unseen`: stores that were not looked at.
    """

    origin: str = ""
    size: int = 0
    root: bytes = b""
    verified: int = 0
    missing: int = 0
    redelivered: int = 0
    differing: int = 0
    expired: int = 0
    heads: int = 0
    cosigned: int = 0
    tiles: int = 0
    unsigned: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    bad_rows: int = 0
    untold: int = 0
    objects: int = 0
    bad_objects: int = 0
    unseen: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything that was asked holds."""
        return not self.problems and self.missing == 0

    def problem(self, text: str) -> None:
        """Note what does not hold; the first hundred are enough."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(text)


class LogCheck:
    """Feed the tree heads, then leaves and records, then ask for the report."""

    def __init__(self) -> None:
        self.report = Report()
        self._tree = RootBuilder()
        # Of the leaves, in order.
        self.hashes: list[bytes] = []
        self._heads: dict[int, bytes] = {}
        self._hash_at: dict[tuple[str, int, int], bytes] = {}
        self._events: dict[tuple[str, str], bytes] = {}
        self._unmatched: list[RawRecord] = []
        self._refused: set[tuple[str, int, int]] = set()
        # What the stores must hold by the events of leaves that hold.
        self.expected = Expected()

    @property
    def size(self) -> int:
        """Leaves taken so far."""
        return self._tree.size

    def take_head(self, head: Checkpoint) -> None:
        """A tree head that the log signed at some time: the tree must pass through it."""
        if self._heads.setdefault(head.size, head.root) != head.root:
            self.report.problem(f"the log signed two different trees of {head.size} leaves")

    def take_leaf(self, leaf: Leaf) -> None:
        """The next leaf, in order."""
        if leaf.index != self._tree.size:
            raise VerificationError(f"leaf {leaf.index} came where leaf {self._tree.size} was due")
        try:
            check_leaf(leaf)
        except VerificationError as error:
            self.report.problem(str(error))
        self._compare_head()
        self._tree.add(leaf.leaf_data)
        self.hashes.append(leaf_hash(leaf.leaf_data))
        place, event = (leaf.topic, leaf.partition, leaf.offset), (leaf.topic, leaf.event_id)
        if place in self._hash_at or event in self._events:
            self.report.problem(f"leaf {leaf.index} repeats another leaf")
        self._hash_at[place] = self._events[event] = leaf.payload_sha256
        if leaf.signature in _REFUSED:
            self.report.unsigned += 1
            self._refused.add(place)

    def take_record(self, record: RawRecord) -> None:
        """A record of Kafka; one without a leaf may get it from leaves still to come."""
        expected = self._hash_at.pop(record.place, None)
        if expected is None:
            self._unmatched.append(record)
        elif expected == record.sha256:
            self.report.verified += 1
            if record.place not in self._refused:
                self.expected.take(record.topic, record.value)
        else:
            self.report.problem("{}/{}/{}: the payload was altered after it was logged".format(*record.place))

    def settle(self) -> int:
        """Try again the records that had no leaf; how many still have none."""
        waiting, self._unmatched = self._unmatched, []
        for record in waiting:
            first = self._events.get((record.topic, record.event_id))
            if record.place in self._hash_at or first is None:
                self.take_record(record)
            else:
                self.report.redelivered += 1
                self.report.differing += first != record.sha256
        return len(self._unmatched)

    def finish(
        self, head: Checkpoint, starts: Mapping[tuple[str, int], int], ends: Mapping[tuple[str, int], int]
    ) -> Report:
        """The verdict. `starts` and `ends` are the offsets between which Kafka was read."""
        self._compare_head()
        self.report.origin, self.report.size, self.report.root = head.origin, head.size, head.root
        if self._tree.size != head.size or self._tree.root() != head.root:
            self.report.problem(f"the {self._tree.size} leaves do not give the signed root of {head.size} leaves")
        for size in sorted(self._heads):
            if size > head.size:
                self.report.problem(f"the log once had {size} leaves: it was cut back to {head.size}")
        self.report.missing = self.settle()
        for record in self._unmatched:
            self.report.problem("{}/{}/{}: the record has no leaf".format(*record.place))
        self._account_for_leaves(starts, ends)
        return self.report

    def _compare_head(self) -> None:
        signed = self._heads.get(self._tree.size)
        if signed is None:
            return
        self.report.heads += 1
        if signed != self._tree.root():
            self.report.problem(f"the first {self._tree.size} leaves are not those that the log once signed")

    def _account_for_leaves(self, starts: Mapping[tuple[str, int], int], ends: Mapping[tuple[str, int], int]) -> None:
        """Leaves whose record was not seen: newer than the reading, deleted by retention, or gone."""
        for topic, partition, offset in self._hash_at:
            if offset < starts.get((topic, partition), 0):
                self.report.expired += 1
            elif offset < ends.get((topic, partition), 1 << 63):
                self.report.problem(f"{topic}/{partition}/{offset}: Kafka has lost the record of a leaf")
