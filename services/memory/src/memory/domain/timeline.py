"""What held, and what we knew, when: how later statements change earlier ones that are themselves never changed.

Which statement is meant. Facts of one message under one identity (`longitude.record.v1.Identity`) are one statement. A
later statement about the same person, under a number of the same authority, continues an earlier one when they share a
group and a name; it then replaces all of its facts, whatever became of their number, value, unit or time. So what is
said under the surviving number of a merge goes on with what was said under the merged one, and two numbers that part
again part their statements: nothing is kept of it. A result that comes unchanged under another number stands under
both; a correction under either replaces both. The birth date and the sex of a number stay its own: where those of
two numbers of one person differ, the merge may be wrong, and the record says so. Statements of one message never
replace each other. Where several stand under one identity (replicates, a tolerance test), the one of the same time is
meant, else the nearest (`_continued`). A correction, a withdrawal or what follows a preliminary result means, where it
names none, the only one of its order, observation and time (`_corrected`). A final result that follows a final result
of another time corrects nothing: both stand.

Which one is later. Statements are put in the source's own order:

1. `stated_at`, the time of the message (MSH-7; for documents and films when they were made), but never later than the
   moment we received it, so that a sender's clock that runs ahead cannot pin a statement;
2. at the same stated time, what the status says: ordered or preliminary before active or final, those before a
   correction, a correction before a withdrawal;
3. then the order in which the message was received and the place in it; the fact id settles the rest.

So an old message that arrives late never replaces a newer one, and the final timeline does not depend on the order of
arrival as long as the source's times differ.

What a statement leaves out is as it was stated before (HL7 v2.5.1 section 2.5.3), unless it deletes it: start, end,
state, drug and dose are carried over, and the entry says from which statements. A result carries its time alone. A
statement about a whole group (an order discontinued by ORC alone) has no content: it gives its status to everything
that stands there, except that one about results leaves the order itself, and one with names (a service that was asked
for and has its results) means those; a document that is so announced stands until its content comes. ENTERED_IN_ERROR
withdraws, and nothing is carried over from what was withdrawn. What was read from a document falls with the document.

When a statement holds. From its start, or where none was ever stated, from when it was first stated. A medication order
that goes on with another dose continues: the earlier statement still answers for the time before. A result, a document,
a procedure, a vaccination is an instant; at a later moment the latest result of each concept is the one known to hold,
and everything that was done by then stays done.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache

from consult import times
from contracts.identifiers import event_id
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_DEMOGRAPHIC,
    FACT_KIND_DOCUMENT,
    FACT_KIND_ENCOUNTER,
    FACT_KIND_IMAGING_FINDING,
    FACT_KIND_IMMUNIZATION,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_PROCEDURE,
    FACT_KIND_RESULT,
    FACT_STATUS_ACTIVE,
    FACT_STATUS_CORRECTED,
    FACT_STATUS_ENDED,
    FACT_STATUS_ENTERED_IN_ERROR,
    FACT_STATUS_FINAL,
    FACT_STATUS_ORDERED,
    FACT_STATUS_PRELIMINARY,
    FACT_STATUS_UNSPECIFIED,
    ClinicalFact,
    FactStatus,
    Identity,
)
from terminology.loinc import BIRTH_DATE, SEX

_RANK = {
    FACT_STATUS_ORDERED: 0,
    FACT_STATUS_PRELIMINARY: 0,
    FACT_STATUS_CORRECTED: 2,
    FACT_STATUS_ENTERED_IN_ERROR: 3,
}
_ORDINARY_RANK = 1
_REPLACES_HISTORY = (FACT_STATUS_CORRECTED, FACT_STATUS_ENTERED_IN_ERROR)
_UNSETTLED = (FACT_STATUS_PRELIMINARY, FACT_STATUS_ORDERED)
# Fields that a later statement carries over; a result carries its time alone.
_TIMES = ("valid_from", "valid_to")
_CONTENT = ("code", "source_code", "dosage", "note", "severity", "about")
_INSTANTS = frozenset(
    (FACT_KIND_RESULT, FACT_KIND_DOCUMENT, FACT_KIND_PROCEDURE, FACT_KIND_IMMUNIZATION, FACT_KIND_IMAGING_FINDING)
)
# Kinds whose statements have a course: ordered or begun, going on, ended. A procedure has one until it is done.
_COURSES = frozenset(
    (FACT_KIND_MEDICATION, FACT_KIND_PROCEDURE, FACT_KIND_ENCOUNTER, FACT_KIND_PROBLEM, FACT_KIND_ALLERGY)
)
# Schemes of group ids that name a service within a number (`filler-service`).
_SERVICE = "-service"
# What may come as the result of an order.
_REPORTED = (FACT_KIND_RESULT, FACT_KIND_DOCUMENT, FACT_KIND_IMAGING_FINDING)
_LISTED = frozenset((FACT_KIND_ALLERGY, FACT_KIND_PROBLEM))
_TELLING_APART = frozenset((BIRTH_DATE, SEX))
# Of RecordedFact.fact: its field number and wire type, as protobuf's encoding has them.
_FACT_TAG = bytes((RecordedFact.FACT_FIELD_NUMBER << 3 | 2,))
# Of these the latest of a concept answers for a moment; of the other instants, all.
_MEASURED = (FACT_KIND_RESULT, FACT_KIND_DEMOGRAPHIC)


@dataclass(frozen=True)
class StatedFact:
    """One fact as its source stated it, and when the record learned it."""

    fact: ClinicalFact
    stated_at: datetime
    received_at: datetime
    ordinal: int
    recorded_at: datetime

    @cached_property
    def payload(self) -> bytes:
        """The fact on the wire."""
        return self.fact.SerializeToString(deterministic=True)

    @property
    def order(self) -> tuple[datetime, int, datetime, int, str]:
        """Position among the statements of one identity."""
        rank = _RANK.get(self.fact.status, _ORDINARY_RANK)
        return (self.stated_at, rank, self.received_at, self.ordinal, self.fact.fact_id)


@dataclass(frozen=True)
class Entry:
    """A statement with what became of it, as far as the record knew."""

    statement: StatedFact
    # The fact with what it carries over from earlier statements.
    fact: ClinicalFact
    # Since when it is known to hold: its start, or when it was first stated.
    since: datetime
    carried_from: tuple[str, ...] = ()
    successor: ClinicalFact | None = None
    # When the record first knew a later statement of the identity.
    superseded_at: datetime | None = None
    # From when on a successor speaks instead; None when it replaces the whole statement.
    continued_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Neither superseded nor withdrawn."""
        return self.successor is None and self.fact.status != FACT_STATUS_ENTERED_IN_ERROR

    def holds_at(self, moment: datetime) -> bool:
        """Whether the statement answers for this moment."""
        _, end = times.interval(self.fact)
        if self.successor is not None:
            return self.continued_at is not None and times.contains(
                self.since, _earlier(end, self.continued_at), moment
            )
        return self.stands and times.contains(self.since, end, moment)

    def recorded(self) -> RecordedFact:
        """The fact in the words of the API, with what became of it."""
        view = self._became()
        view.fact.CopyFrom(self.fact)
        return view

    def view(self) -> bytes:
        """`recorded()` on the wire, around the bytes of the fact as it was stated where nothing was added to it."""
        stated = self.statement
        fact = stated.payload if self.fact is stated.fact else self.fact.SerializeToString(deterministic=True)
        return _FACT_TAG + _varint(len(fact)) + fact + self._became_on_the_wire()

    def _became_on_the_wire(self) -> bytes:
        if self.successor is None and not self.carried_from:
            return _only_recorded(self.statement.recorded_at)
        return self._became().SerializeToString(deterministic=True)

    def _became(self) -> RecordedFact:
        view = RecordedFact(recorded_at=times.stamp(self.statement.recorded_at), carried_from=self.carried_from)
        if self.successor is not None and self.superseded_at is not None:
            view.superseded_by = self.successor.fact_id
            view.superseded_at.CopyFrom(times.stamp(self.superseded_at))
        return view


@lru_cache(maxsize=64)
def _only_recorded(recorded_at: datetime) -> bytes:
    """What became of a statement that stands as it was stated: the same for a whole batch."""
    return RecordedFact(recorded_at=times.stamp(recorded_at)).SerializeToString(deterministic=True)


def replay(statements: Iterable[StatedFact], known_at: datetime | None = None) -> list[Entry]:
    """Every statement known by `known_at` with its fate, ordered by valid_from, then recorded_at, then fact id."""
    known = [each for each in statements if known_at is None or each.recorded_at <= known_at]
    entries = [entry for cluster in clusters(known) for entry in fates(cluster)]
    return sorted(entries, key=reading_order)


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """The current statements: neither superseded nor withdrawn."""
    return [entry for entry in entries if entry.stands]


def holding(entries: Iterable[Entry], moment: datetime) -> list[Entry]:
    """What answers for a moment of valid time: what held then, what was done by then, the last results."""
    latest: dict[tuple[int, str, str, str], datetime] = {}
    found: list[Entry] = []
    for entry in entries:
        if entry.fact.kind in _INSTANTS:
            if not entry.stands or entry.since > moment:
                continue
            if entry.fact.kind in _MEASURED:
                concept = _concept(entry.fact)
                latest[concept] = max(entry.since, latest.get(concept, entry.since))
        elif not entry.holds_at(moment):
            continue
        found.append(entry)
    return [
        entry for entry in found if entry.fact.kind != FACT_KIND_RESULT or entry.since == latest[_concept(entry.fact)]
    ]


def _concept(fact: ClinicalFact) -> tuple[int, str, str, str]:
    return fact.kind, fact.code.system, fact.code.code, fact.about.code


# --- which statements belong together ---------------------------------------------------------------------------------


def clusters(statements: Sequence[StatedFact]) -> list[list[StatedFact]]:
    """Sets of statements about one person that share a group id, directly or through others: no set acts on another.

    A number is one of its authority: what two authorities call by one name are two things.
    """
    parent: dict[object, object] = {}

    def root(one: object) -> object:
        while (above := parent.setdefault(one, one)) != one:
            one = above
        return one

    keys = [_cluster_keys(statement.fact) for statement in statements]
    for first, *others in keys:
        for other in others:
            parent[root(other)] = root(first)
    sets: dict[object, list[StatedFact]] = defaultdict(list)
    for statement, (first, *_) in zip(statements, keys, strict=True):
        sets[root(first)].append(statement)
    return list(sets.values())


def _cluster_keys(fact: ClinicalFact) -> list[tuple[str, ...]]:
    return [(fact.patient.authority, group) for group in fact.identity.groups] or [("", "", fact.fact_id)]


@dataclass(frozen=True)
class _Statement:
    """The facts of one message under one identity."""

    facts: tuple[StatedFact, ...]

    @property
    def identity(self) -> Identity:
        return self.facts[0].fact.identity

    @property
    def first(self) -> ClinicalFact:
        return self.facts[0].fact

    @property
    def order(self) -> tuple[datetime, int, datetime, int, str]:
        return max(fact.order for fact in self.facts) if len(self.facts) > 1 else self.facts[0].order

    @cached_property
    def time(self) -> datetime | None:
        return times.moment(self.first, "valid_from")

    @property
    def message(self) -> object:
        """Statements of one message never replace each other."""
        return self.first.source.event_id or self.first.fact_id


def _statements(cluster: Iterable[StatedFact]) -> Iterator[_Statement]:
    gathered: dict[object, list[StatedFact]] = defaultdict(list)
    for stated in cluster:
        fact, identity = stated.fact, stated.fact.identity
        who = (fact.source.event_id or fact.fact_id, *identity.groups, "\0", *identity.names, identity.instance)
        # What has no identity is about itself alone, and so is what is said of a whole group.
        gathered[who if identity.groups and not identity.whole_group else fact.fact_id].append(stated)
    return (_Statement(tuple(sorted(facts, key=lambda each: each.ordinal))) for facts in gathered.values())


def _messages(cluster: Iterable[StatedFact]) -> list[list[_Statement]]:
    """The statements by message, in the source's order."""
    gathered: dict[object, list[_Statement]] = defaultdict(list)
    for statement in _statements(cluster):
        gathered[statement.message].append(statement)
    for together in gathered.values():
        together.sort(key=lambda each: each.order)
    return sorted(gathered.values(), key=lambda together: together[-1].order)


def _same_group(one: Identity, other: Identity) -> bool:
    """Whether they share an id and the deciding scheme of neither names two things."""
    if not set(one.groups) & set(other.groups):
        return False
    deciding = {_scheme(one.groups[0]), _scheme(other.groups[0])}
    return not any(
        (ours := _of_scheme(one, scheme)) and (theirs := _of_scheme(other, scheme)) and not ours & theirs
        for scheme in deciding
    )


def _scheme(group: str) -> str:
    return group.partition(":")[0]


def _of_scheme(identity: Identity, scheme: str) -> set[str]:
    return {group for group in identity.groups if _scheme(group) == scheme}


def _same(one: Identity, other: Identity) -> bool:
    named = set(one.names) & set(other.names) or not (one.names or other.names)
    return bool(named) and _same_group(one, other)


# --- the fate of the statements of one cluster ------------------------------------------------------------------------


@dataclass
class Chain:
    """One statement through its life: the entries of its last form are open."""

    last: _Statement
    # Of the last statement, with every other name of the thing that an earlier one gave.
    identity: Identity
    entries: list[Entry]
    first_stated: datetime
    closed: list[Entry] = field(default_factory=list)


def fates(cluster: Iterable[StatedFact]) -> list[Entry]:
    """What became of each statement of one cluster."""
    return [entry for entry, _ in lives(cluster)]


def resumed(last: StatedFact, identity: Identity, entries: Sequence[Entry], first_stated: datetime) -> Chain:
    """A chain as `lives` left it: the first fact of its last statement, its aliases, and its open entries."""
    return Chain(_Statement((last,)), identity, list(entries), first_stated)


def lives(cluster: Iterable[StatedFact], before: Sequence[Chain] = ()) -> list[tuple[Entry, Chain | None]]:
    """What became of each statement of one cluster, and the chain that it is open in.

    `before`: the open chains of earlier statements, in the order of their last ones. What was closed then does not
    change any more where every statement of `cluster` is later than all of those, and no document is among them.
    """
    chains: list[Chain] = list(before)
    ended: list[Chain] = []
    for statements in _messages(cluster):
        contents: list[_Statement] = []
        wholes: list[_Statement] = []
        for each in statements:
            (wholes if each.identity.whole_group else contents).append(each)
        for whole in wholes:
            if any(_moves(whole, content) for content in contents):
                continue
            if not _apply_to_group(whole, chains) and _announces(whole):
                chains.append(_begun(whole, []))
        replaced = _continued(chains, contents) if chains else {}
        for statement in contents:
            continued = [chain for chain in chains if replaced.get(id(chain)) is statement] if replaced else []
            chains.append(_begun(statement, continued))
        if replaced:
            ended += [chain for chain in chains if id(chain) in replaced]
            chains = [chain for chain in chains if id(chain) not in replaced]
    closed = [entry for chain in (*ended, *chains) for entry in chain.closed]
    open_in = [chain for chain in chains for _ in chain.entries]
    entries = [*closed, *(entry for chain in chains for entry in chain.entries)]
    return list(zip(_fallen(_known_superseded(entries)), [*(None for _ in closed), *open_in], strict=True))


def _continued(chains: Sequence[Chain], statements: Sequence[_Statement]) -> dict[int, _Statement]:
    """Which statement of a message replaces which open chain (by its `id`)."""
    found: dict[int, _Statement] = {}
    meant = {
        id(s): [
            c
            for c in chains
            if _same(c.identity, s.identity) and not _tells_apart(c.last.first, s.first) and not _said_again(c, s)
        ]
        for s in statements
    }
    for statement in statements:
        for chain in meant[id(statement)]:
            place = chain.last.identity.instance == statement.identity.instance
            if chain.last.time == statement.time and (id(chain) not in found or place):
                found[id(chain)] = statement
    taken = {id(statement) for statement in found.values()}
    for statement in statements:
        # One visit has one statement: under two numbers (a merge of visits) it replaces both.
        if id(statement) not in taken or statement.first.kind == FACT_KIND_ENCOUNTER:
            free = [c for c in meant[id(statement)] if id(c) not in found and _replaces(statement, c.last)]
            nearest = _nearest(statement, free) or _corrected(statement, [c for c in chains if id(c) not in found])
            found |= {id(chain): statement for chain in nearest}
    return found


def _corrected(statement: _Statement, chains: Sequence[Chain]) -> list[Chain]:
    """What a result means that names none: the only one of its observation and time that it corrects or settles.

    Senders leave OBX-4 out, or add it, when they correct, and name a number by another service (OBR-4). `No growth`
    comes without OBX-4, and then each organism under its own.
    """
    if statement.first.kind != FACT_KIND_RESULT:
        return []
    alike = [chain for chain in chains if _is_alike(chain, statement)]
    return alike if len(alike) == 1 else []


def _is_alike(chain: Chain, statement: _Statement) -> bool:
    earlier = chain.last.first
    if earlier.kind != FACT_KIND_RESULT or chain.last.time != statement.time:
        return False
    if not any(entry.stands for entry in chain.entries) or not _observed_alike(chain.identity, statement.identity):
        return False
    if statement.first.status in _REPLACES_HISTORY:
        return _same_group(_of_order(chain.identity), _of_order(statement.identity))
    return earlier.status in _UNSETTLED and _same_group(chain.identity, statement.identity)


def _of_order(identity: Identity) -> Identity:
    """By the numbers of the order alone, whatever service they are given for."""
    return Identity(groups=[group for group in identity.groups if not _scheme(group).endswith(_SERVICE)] or [""])


def _observed_alike(one: Identity, other: Identity) -> bool:
    """Whether a name of each is one observation (OBX-3, OBR-26), and OBX-4 is one, or not stated by either of them."""
    pairs = ((_observation(ours), _observation(theirs)) for ours in one.names for theirs in other.names)
    return any(a[::2] == b[::2] and (a[1] == b[1] or "" in (a[1], b[1])) for a, b in pairs)


def _observation(name: str) -> tuple[str, str, str]:
    """`CODE/SUB-ID<PARENT` in its parts."""
    own, _, parent = name.partition("<")
    code, _, sub_id = own.rpartition("/")
    return code, sub_id, parent


def _moves(whole: _Statement, content: _Statement) -> bool:
    """A message takes a thing from one number and states it under another: where both are one person, nothing goes."""
    return whole.first.patient != content.first.patient and _same_group(whole.identity, content.identity)


def _tells_apart(one: ClinicalFact, other: ClinicalFact) -> bool:
    """The birth date or the sex of two numbers: neither corrects the other."""
    return one.kind == FACT_KIND_DEMOGRAPHIC and one.code.code in _TELLING_APART and one.patient != other.patient


def _said_again(chain: Chain, statement: _Statement) -> bool:
    """A result that comes unchanged under another number of the person corrects nothing: it stands under both."""
    if statement.first.kind != FACT_KIND_RESULT or chain.last.first.patient == statement.first.patient:
        return False
    return [_measured(entry.fact) for entry in chain.entries] == [_measured(each.fact) for each in statement.facts]


def _measured(fact: ClinicalFact) -> ClinicalFact:
    """What a result says, without who says it."""
    bare = ClinicalFact()
    bare.CopyFrom(fact)
    for name in ("fact_id", "patient", "identity", "source", "stated_at"):
        bare.ClearField(name)
    return bare


def _nearest(statement: _Statement, chains: Sequence[Chain]) -> list[Chain]:
    """Those of the nearest time, and those that were not settled yet; a statement without a time means all."""
    if not chains:
        return []
    nearest = min(chains, key=lambda chain: _distance(chain.last.time, statement.time))
    return [
        chain
        for chain in chains
        if statement.first.kind == FACT_KIND_ENCOUNTER
        or statement.time in (None, chain.last.time)
        or chain.last.time == nearest.last.time
        or chain.last.first.status in _UNSETTLED
    ]


def _replaces(statement: _Statement, earlier: _Statement) -> bool:
    """A result of another time replaces one that was not final yet, or says that it is a correction."""
    if statement.first.kind != FACT_KIND_RESULT or earlier.first.kind != FACT_KIND_RESULT:
        return True
    times_differ = None not in (statement.time, earlier.time) and statement.time != earlier.time
    return not times_differ or earlier.first.status in _UNSETTLED or statement.first.status in _REPLACES_HISTORY


def _distance(one: datetime | None, other: datetime | None) -> float:
    return abs((one - other).total_seconds()) if one is not None and other is not None else 0.0


def _begun(statement: _Statement, before: Sequence[Chain]) -> Chain:
    """The chain that goes on with a statement; `before` are those that it replaces, which are closed."""
    earlier = [entry for chain in before for entry in chain.entries]
    stated = min([_stated(statement), *(chain.first_stated for chain in before)])
    entries = [_completed(each, _predecessor(each.fact, statement, earlier), stated) for each in statement.facts]
    for chain in before:
        chain.closed += [_superseded(entry, entries) for entry in chain.entries]
        chain.entries = []
    return Chain(statement, _known_as(statement.identity, *(chain.identity for chain in before)), entries, stated)


def _known_as(identity: Identity, *earlier: Identity) -> Identity:
    """An identity with the aliases that earlier statements of the same thing gave."""
    if not earlier:
        return identity
    groups = dict.fromkeys((*identity.groups, *(group for each in earlier for group in each.groups)))
    names = dict.fromkeys((*identity.names, *(name for each in earlier for name in each.names)))
    return Identity(groups=groups, names=names, instance=identity.instance)


def _apply_to_group(whole: _Statement, chains: Iterable[Chain]) -> bool:
    """Give the status of a statement without content to everything that stands in its group; false if nothing is.

    A state is given to what has a course; a withdrawal to all: a result stands although its order was discontinued.
    """
    group = [chain for chain in chains if _same_group(chain.identity, whole.identity)]
    meant = _named(group, whole)
    for chain in meant:
        chain.identity = _known_as(chain.identity, whole.identity)
        if not _is_meant(chain.last.first, whole.first):
            continue
        after = [_derived(entry, whole.facts[0]) for entry in chain.entries if entry.stands]
        withdrawn = [entry for entry in chain.entries if not entry.stands]
        chain.closed += [_superseded(entry, after) for entry in chain.entries if entry.stands]
        chain.entries = after + withdrawn
    return bool(meant)


def _named(group: Sequence[Chain], whole: _Statement) -> list[Chain]:
    """Of a group what a statement is about: all, or where it has names, those that share one, else the only one."""
    if not whole.identity.names:
        return list(group)
    alike = [chain for chain in group if chain.last.first.kind == whole.first.kind]
    named = [chain for chain in alike if set(chain.identity.names) & set(whole.identity.names)]
    return named or (alike if len(alike) == 1 else [])


def _announces(whole: _Statement) -> bool:
    """A document that is told of before its content comes stands for itself."""
    return whole.first.kind == FACT_KIND_DOCUMENT and whole.first.status != FACT_STATUS_ENTERED_IN_ERROR


def _is_meant(fact: ClinicalFact, whole: ClinicalFact) -> bool:
    """A withdrawal of results is none of what was ordered; any other reaches all. A state is of what has a course."""
    if whole.status == FACT_STATUS_ENTERED_IN_ERROR:
        return whole.kind != FACT_KIND_RESULT or fact.kind in _REPORTED
    if whole.kind == FACT_KIND_DOCUMENT:
        return fact.kind == FACT_KIND_DOCUMENT
    return fact.kind in _COURSES and fact.status not in (FACT_STATUS_FINAL, FACT_STATUS_CORRECTED)


def _derived(entry: Entry, whole: StatedFact) -> Entry:
    """The entry as a statement about its group leaves it, under an id of its own."""
    said = whole.fact
    fact = ClinicalFact()
    fact.CopyFrom(entry.fact)
    fact.fact_id = event_id("said-of-group", said.fact_id, entry.fact.fact_id)
    fact.source.CopyFrom(said.source)
    for deleted in said.deleted:
        fact.ClearField(deleted)  # type: ignore[arg-type]
    fact.source.document_id = entry.fact.source.document_id
    del fact.deleted[:]
    fact.deleted.extend(said.deleted)
    if said.status == FACT_STATUS_ACTIVE and fact.kind == FACT_KIND_PROCEDURE:
        # A service that was asked for is in force as an order until it is done.
        fact.status = FACT_STATUS_ORDERED
    elif said.status != FACT_STATUS_UNSPECIFIED:
        fact.status = said.status
    if said.status == FACT_STATUS_ACTIVE:
        fact.ClearField("valid_to")
    for name in ("valid_to", "stated_at"):
        if said.HasField(name):
            getattr(fact, name).CopyFrom(getattr(said, name))
    if said.note:
        fact.note = said.note
    statement = replace(whole, fact=fact, recorded_at=max(whole.recorded_at, entry.statement.recorded_at))
    return Entry(statement, fact, entry.since, (*entry.carried_from, entry.fact.fact_id))


def _predecessor(fact: ClinicalFact, statement: _Statement, earlier: Sequence[Entry]) -> Entry | None:
    """The entry from which a fact takes what it leaves out: the same part, or the only one."""
    if not earlier:
        return None
    same = [entry for entry in earlier if entry.fact.identity.part == fact.identity.part]
    if same:
        return same[-1]
    return earlier[-1] if len(statement.facts) == 1 else None


def _completed(stated: StatedFact, before: Entry | None, first_stated: datetime) -> Entry:
    fact = stated.fact
    carried = _left_out(fact, before.fact) if before is not None else ()
    if not carried and fact.status != FACT_STATUS_UNSPECIFIED:
        return Entry(stated, fact, _since(fact, before, first_stated))
    full = ClinicalFact()
    full.CopyFrom(fact)
    for name in carried:
        assert before is not None
        value = getattr(before.fact, name)
        if name == "dosage":
            full.further_dosages.extend(before.fact.further_dosages)
        if isinstance(value, str | int):
            setattr(full, name, value)
        else:
            getattr(full, name).CopyFrom(value)
    if full.status == FACT_STATUS_UNSPECIFIED:
        full.status = _state_that_shows(full)
    sources = (*before.carried_from, before.fact.fact_id) if before is not None and carried else ()
    return Entry(stated, full, _since(full, before, first_stated), sources)


def _state_that_shows(fact: ClinicalFact) -> "FactStatus.ValueType":
    """The state of what nobody stated one of: a service that was asked for, a course with or without an end.

    Orders and documents name visits without a word on whether they go on: that is not known.
    """
    if fact.kind == FACT_KIND_PROCEDURE:
        return FACT_STATUS_ORDERED
    if fact.HasField("valid_to"):
        return FACT_STATUS_ENDED
    named_only = fact.kind == FACT_KIND_ENCOUNTER and "valid_to" not in fact.deleted
    return FACT_STATUS_UNSPECIFIED if named_only else FACT_STATUS_ACTIVE


def _left_out(fact: ClinicalFact, before: ClinicalFact) -> tuple[str, ...]:
    """The fields that a statement takes from the one before it."""
    names: list[str] = []
    deleted = set(fact.deleted)
    if fact.kind != FACT_KIND_RESULT and before.status == FACT_STATUS_ENTERED_IN_ERROR:
        # What was withdrawn is not gone on with. A list that names it again says that it is there; an event or an order
        # that says nothing of the state leaves it withdrawn.
        again = fact.status != FACT_STATUS_UNSPECIFIED or fact.kind in _LISTED
        return () if again else ("status",)
    if fact.kind == before.kind == FACT_KIND_DEMOGRAPHIC and fact.WhichOneof("value") is None and before.text:
        names += [] if "text" in deleted else ["text"]
    if fact.kind == before.kind and fact.kind != FACT_KIND_RESULT:
        names += [name for name in _CONTENT if name not in deleted and _empty(fact, name) and not _empty(before, name)]
        if fact.status == FACT_STATUS_UNSPECIFIED and "valid_to" not in deleted:
            names.append("status")
    names += [name for name in _TIMES if name not in deleted and _empty(fact, name) and not _empty(before, name)]
    goes_on = fact.status not in (FACT_STATUS_UNSPECIFIED, FACT_STATUS_ENDED) and before.status == FACT_STATUS_ENDED
    if "valid_to" in names and fact.kind in _COURSES and goes_on:
        names.remove("valid_to")
    if "valid_from" in names and _is_another_dose(fact, before):
        names.remove("valid_from")
    return tuple(names)


def _empty(fact: ClinicalFact, name: str) -> bool:
    value = getattr(fact, name)
    return not value if isinstance(value, str | int) else not fact.HasField(name)  # type: ignore[arg-type]


def _is_another_dose(fact: ClinicalFact, before: ClinicalFact) -> bool:
    """A dose that was changed has not been taken since the order began."""
    return fact.kind == FACT_KIND_MEDICATION and fact.HasField("dosage") and fact.dosage != before.dosage


def _since(fact: ClinicalFact, before: Entry | None, first_stated: datetime) -> datetime:
    start = times.moment(fact, "valid_from")
    if start is not None:
        return start
    if before is not None and _is_another_dose(fact, before.fact):
        return times.moment(fact, "stated_at") or first_stated
    return first_stated


def _stated(statement: _Statement) -> datetime:
    return min(times.moment(each.fact, "stated_at") or each.stated_at for each in statement.facts)


def _superseded(entry: Entry, after: Sequence[Entry]) -> Entry:
    """The entry with its successor: the same part of the later statement, else its first."""
    same = [each for each in after if each.fact.identity.part == entry.fact.identity.part]
    successor = (same or list(after))[0]
    return replace(
        entry,
        successor=successor.fact,
        superseded_at=successor.statement.recorded_at,
        continued_at=_continued_from(entry, successor),
    )


def _continued_from(entry: Entry, successor: Entry) -> datetime | None:
    if entry.fact.kind != FACT_KIND_MEDICATION:
        return None
    if entry.fact.status in _REPLACES_HISTORY or successor.fact.status in _REPLACES_HISTORY:
        return None
    return successor.since if successor.since > entry.since else None


def _known_superseded(entries: Sequence[Entry]) -> list[Entry]:
    """Set `superseded_at` to when the record first knew any later statement of the chain."""
    if all(entry.successor is None for entry in entries):
        return list(entries)
    by_id = {entry.fact.fact_id: entry for entry in entries}
    first_known: dict[str, datetime] = {}
    for entry in entries:
        path = [entry]
        while (successor := path[-1].successor) is not None and successor.fact_id not in first_known:
            path.append(by_id[successor.fact_id])
        known = first_known[successor.fact_id] if successor is not None else times.LATEST
        for each in reversed(path):
            known = min(known, each.statement.recorded_at)
            first_known[each.fact.fact_id] = known
    return [
        replace(entry, superseded_at=max(entry.statement.recorded_at, first_known[entry.successor.fact_id]))
        if entry.successor is not None
        else entry
        for entry in entries
    ]


def _fallen(entries: Sequence[Entry]) -> list[Entry]:
    """What was read from a document falls with it."""
    gone = {
        entry.fact.source.document_id: entry
        for entry in entries
        if entry.fact.kind == FACT_KIND_DOCUMENT and entry.fact.source.document_id and not entry.stands
    }
    kept = {
        entry.fact.source.document_id for entry in entries if entry.fact.kind == FACT_KIND_DOCUMENT and entry.stands
    }

    def fate(entry: Entry) -> Entry:
        document = gone.get(entry.fact.source.document_id)
        reads = entry.fact.kind != FACT_KIND_DOCUMENT and entry.fact.source.document_id not in kept
        if document is None or not reads or not entry.stands:
            return entry
        known = max(entry.statement.recorded_at, document.superseded_at or document.statement.recorded_at)
        return replace(entry, successor=document.successor or document.fact, superseded_at=known)

    return [fate(entry) for entry in entries] if gone else list(entries)


def _earlier(end: datetime | None, limit: datetime) -> datetime:
    return limit if end is None else min(end, limit)


def reading_order(entry: Entry) -> tuple[datetime, datetime, str]:
    """By valid_from, then recorded_at, then fact id."""
    start = times.moment(entry.fact, "valid_from")
    return (start or times.EARLIEST, entry.statement.recorded_at, entry.fact.fact_id)


def _varint(number: int) -> bytes:
    """A length as protobuf writes it: seven bits a byte, the lowest first, all but the last marked."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
