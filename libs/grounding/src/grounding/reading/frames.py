"""Clauses whose parts may stand in any order: a verb of some meaning, and what belongs to it.

A row of `data/frames.tsv` says which parts an assertion takes beside a verb of a meaning (`data/verbs.tsv`).
Guarantee: every node of such a clause is its verb, a part in its role, an auxiliary, or a word that asserts nothing;
any other word stops it. Where the parts can be bound in several ways, all of them are told, and none is chosen.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from grounding.reading import tables
from grounding.reading.nodes import Node
from grounding.reading.patterns import Alphabet, split

_FRAMES = ("kind", "verb", "parts", "sets", "reads", "not")
_VERBS = ("meaning", "tense", "verbs")
_PAST = "past"
# In which other ways the parts of a clause may be bound.
OTHERWISE = "otherwise"
# Said of a clause about a result that it leaves out.
CARRIED = "carried"
_ADJUNCT, _SUBJECT, _ORDER = "adjunct", "subject", "order"
_BESIDE = ("when", "circumstance")
_SLOT = re.compile(
    r"(?:(?P<marks>[\w|]+) )?<(?:(?P<role>\w+):)?(?P<kinds>[\w|-]+)>(?P<optional>\?)?(?:\+(?P<beside>\w+))?(?: |$)"
)
_VALUE = "value"
_GROUP = "frame-"
_BARE = "_"
# The part that a clause may leave out where the one before it is about the same result.
_CARRIED = frozenset({"obs"})
# What is done now is more than what was done.
_NOW = frozenset(("is", "are"))
_HAVING = frozenset(("had", "has", "have", "got"))
# `Were both` before the verb of two.
_BOTH = "bothaux"
# More ways than these to bind the parts are not held against the record.
_MOST = 4
_VOWELS = "aeiou"


class FrameError(ValueError):
    """A row of frames or verbs that cannot be read."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a frame. `marks`: the prepositions before it; `beside`: the role of a time directly beside it."""

    role: str
    kinds: tuple[str, ...]
    marks: frozenset[str]
    optional: bool
    beside: str = ""
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """A row: which assertion a verb makes of which parts."""

    kind: str
    meanings: frozenset[str]
    slots: tuple[Slot, ...]
    sets: Mapping[str, str]
    line: int
    reads: str = ""
    never: str = ""

    @property
    def left_out(self) -> frozenset[str]:
        """The roles of the subject, where the clause before may tell it."""
        return frozenset(self.sets.get(_SUBJECT, "").split("|")) - {""}


@dataclass(frozen=True, slots=True)
class _Part:
    """A constituent with the preposition before it.

    `joined`: nothing but that stands between it and the one before; `late`: the verb stands before it.
    """

    node: Node
    mark: str
    joined: bool
    late: bool


@dataclass(frozen=True, slots=True)
class _Scan:
    """What is known of a clause so far."""

    parts: tuple[_Part, ...] = ()
    meanings: frozenset[str] = frozenset()
    order: str = ""
    auxiliary: str = ""
    mark: str = ""
    pronoun: bool = False
    apart: bool = True

    @property
    def verb(self) -> frozenset[str]:
        """The meaning of its verb; of an auxiliary alone that of having."""
        return self.meanings or (frozenset({"have"}) if self.auxiliary in _HAVING else frozenset())


@dataclass(frozen=True)
class Frames:
    """The frames, the verbs by their words, and the closed groups of words beside them."""

    alphabet: Alphabet
    frames: tuple[Frame, ...]
    verbs: Mapping[tuple[str, ...], frozenset[str]]
    groups: Mapping[str, tuple[str, ...]]
    # Meanings of verbs of which only what was done is read.
    past: frozenset[str] = frozenset()

    def clauses(self, nodes: Sequence[Node], at: int) -> Iterator[tuple[int, Node]]:
        """Each clause that begins here, with its end."""
        if self._is_beside(nodes[at]):
            return
        yield from self._scanned(nodes, [(node, place) for place, node in enumerate(nodes[at:], at + 1)])
        flat = [each for place, node in enumerate(nodes[at:], at + 1) for each in _opened(node, place)]
        if len(flat) > len(nodes) - at:
            yield from self._scanned(nodes, flat)

    def _scanned(self, nodes: Sequence[Node], ends: Sequence[tuple[Node, int]]) -> Iterator[tuple[int, Node]]:
        """Each clause that these begin with. `ends`: the place among all nodes behind each; 0 within one of them."""
        own = [node for node, _ in ends]
        scan, place = _Scan(), 0
        while place < len(own):
            step = self._step(scan, own, place)
            if step is None:
                return
            scan, place = step
            end = ends[place - 1][1]
            if end and scan.verb and not scan.mark and self._may_end(nodes, end):
                made = self._made(scan, own[:place])
                if made is not None:
                    yield end, made

    def _may_end(self, nodes: Sequence[Node], place: int) -> bool:
        return place == len(nodes) or not nodes[place].kinds or self._is_beside(nodes[place])

    def _is_beside(self, node: Node) -> bool:
        return any(self._is(node, kind) for kind in _BESIDE)

    def _step(self, scan: _Scan, nodes: Sequence[Node], place: int) -> tuple[_Scan, int] | None:
        """One more word or part of a clause; None where it stops."""
        node = nodes[place]
        if _BOTH in node.kinds:
            return replace(scan, auxiliary=node.text, apart=True), place + 1
        if node.kinds or self._is_beside(node):
            joined = bool(scan.parts) and not scan.apart
            part = _Part(node, scan.mark, joined, bool(scan.verb))
            return replace(scan, parts=(*scan.parts, part), mark="", apart=False), place + 1
        return None if scan.mark and node.text not in self._articles else self._worded(scan, nodes, place)

    def _worded(self, scan: _Scan, nodes: Sequence[Node], place: int) -> tuple[_Scan, int] | None:
        found = self._longest(nodes, place)
        if found is None:
            return (replace(scan, mark=nodes[place].text), place + 1) if nodes[place].text in self._marks else None
        name, end = found
        after = _verb(scan, name) if isinstance(name, frozenset) else _marked(scan, name, nodes[place].text)
        return (after, end) if after else None

    def _longest(self, nodes: Sequence[Node], place: int) -> tuple[str | frozenset[str], int] | None:
        """The verb or the words of a group that stand here."""
        for end in range(min(place + self._length, len(nodes)), place, -1):
            if all(not node.kinds for node in nodes[place:end]):
                words = tuple(node.text for node in nodes[place:end])
                if words in self._words:
                    return self._words[words], end
        return None

    @cached_property
    def _words(self) -> Mapping[tuple[str, ...], str | frozenset[str]]:
        groups = {tuple(split(each)): name for name, spelled in self.groups.items() for each in spelled}
        return {**self.verbs, **groups}

    @cached_property
    def _length(self) -> int:
        return max(map(len, self._words))

    @cached_property
    def _marks(self) -> frozenset[str]:
        return frozenset(mark for frame in self.frames for slot in frame.slots for mark in slot.marks) - {_BARE}

    @cached_property
    def _articles(self) -> frozenset[str]:
        return frozenset(self.groups["frame-article"])

    def _made(self, scan: _Scan, nodes: Sequence[Node]) -> Node | None:
        """The assertion that these nodes make; None where no frame takes them."""
        if any(self._is_beside(nodes[place]) for place in (0, -1)) and not self._takes_last(scan):
            return None
        for frame in self.frames:
            meant = scan.verb & frame.meanings
            if not meant or (scan.auxiliary in _NOW and meant & self.past):
                continue
            ways = self._ways(frame, scan)
            if ways and len(ways) <= _MOST:
                first, *others = (_node(frame, roles, scan, nodes) for roles in ways)
                return replace(first, roles={**first.roles, OTHERWISE: tuple(others)}) if others else first
        return None

    def _takes_last(self, scan: _Scan) -> bool:
        """A time ends a clause only where it is of a part of it, else it is read beside the clause."""
        return bool(scan.parts) and any(
            slot.beside or "when" in slot.kinds
            for frame in self.frames
            if not scan.verb.isdisjoint(frame.meanings)
            for slot in frame.slots
        )

    def _ways(self, frame: Frame, scan: _Scan) -> list[Mapping[str, tuple[Node, ...]]]:
        """Each way to give every part its role."""
        if bool(scan.order) != any(slot.role == _ORDER for slot in frame.slots):
            return []
        slots = [slot for slot in frame.slots if slot.role != _ORDER]
        ways: list[Mapping[str, tuple[Node, ...]]] = []
        for bound in self._bound(slots, scan.parts, {}):
            missing = {slot.role for slot in slots if not slot.optional} - set(bound.values())
            if missing <= frame.left_out | _CARRIED and not (scan.pronoun and not missing):
                ways.append(self._roles(bound, scan.parts, slots))
        return ways

    def _roles(
        self, bound: Mapping[int, str], parts: Sequence[_Part], slots: Sequence[Slot]
    ) -> dict[str, tuple[Node, ...]]:
        """The parts by their roles: those of a slot without a name by their kinds."""
        unnamed = {slot.role: slot.kinds for slot in slots if not slot.is_named}
        roles: dict[str, tuple[Node, ...]] = {}
        for place, role in bound.items():
            node = parts[place].node
            kind = next(each for each in unnamed.get(role, (role,)) if role not in unnamed or self._is(node, each))
            roles[kind] = (*roles.get(kind, ()), node)
        return roles

    def _is(self, node: Node, kind: str) -> bool:
        return self.alphabet.is_of_kind(node, kind)

    def _bound(
        self, slots: Sequence[Slot], parts: Sequence[_Part], bound: Mapping[int, str]
    ) -> Iterator[Mapping[int, str]]:
        """Each way to bind the parts, by their places."""
        place = len(bound)
        if place == len(parts):
            yield bound
            return
        for role in self._roles_of(slots, parts, place, bound):
            yield from self._bound(slots, parts, {**bound, place: role})

    def _roles_of(
        self, slots: Sequence[Slot], parts: Sequence[_Part], place: int, bound: Mapping[int, str]
    ) -> Iterator[str]:
        """The roles that a part may have beside those that are bound."""
        part, taken = parts[place], set(bound.values())
        is_time = not part.mark and self._is_beside(part.node)
        before = next((slot for slot in slots if place and slot.role == bound[place - 1]), None)
        if before and before.beside and part.joined and is_time:
            yield before.beside
            # `The order of May was stopped`, but `stopped was the order in May`.
            if not part.late or _VALUE in before.kinds:
                return
        yield from (slot.role for slot in slots if slot.role not in taken and self._fits(slot, part))
        if is_time and not any("when" in slot.kinds for slot in slots):
            yield _ADJUNCT

    def _fits(self, slot: Slot, part: _Part) -> bool:
        return any(self._is(part.node, kind) for kind in slot.kinds) and (part.mark or _BARE) in slot.marks


def _verb(scan: _Scan, meanings: frozenset[str]) -> _Scan | None:
    """A clause has one verb."""
    return None if scan.meanings else replace(scan, meanings=meanings, apart=True)


def _marked(scan: _Scan, group: str, word: str) -> _Scan | None:
    """What a word of a group says of a clause."""
    name = group.removeprefix(_GROUP)
    if name in ("first", "last", "again"):
        return None if scan.order else replace(scan, order=name, apart=True)
    said: dict[str, _Scan] = {
        "aux": replace(scan, auxiliary=word, apart=True),
        "pronoun": replace(scan, pronoun=True, apart=True),
        "person": replace(scan, apart=True),
    }
    return said.get(name, scan)


def _opened(node: Node, place: int) -> list[tuple[Node, int]]:
    """A result with one value as what it was made of, since a verb may stand between them (`5.6 potassium reached`)."""
    parts = node.parts[0].parts if node.kind == "results" and len(node.parts) == 1 else ()
    single = sum("value" in part.kinds or "pair" in part.kinds for part in parts) == 1
    return [*((part, 0) for part in parts[:-1]), (parts[-1], place)] if single else [(node, place)]


def _node(frame: Frame, roles: Mapping[str, tuple[Node, ...]], scan: _Scan, nodes: Sequence[Node]) -> Node:
    left_out = any(slot.role in _CARRIED for slot in frame.slots) and not roles.keys() & _CARRIED
    sets = {
        name: said for name, said in frame.sets.items() if name != "counted" or {"times", "frequency"} & roles.keys()
    }
    if scan.order:
        sets[_ORDER] = scan.order
    if left_out:
        sets[CARRIED] = "yes"
    text = " ".join(node.text for node in nodes)
    return Node(text, nodes[0].start, nodes[-1].end, frozenset({frame.kind}), tuple(nodes), roles, sets)


def frames(alphabet: Alphabet, groups: Mapping[str, tuple[str, ...]]) -> Frames:
    """The frames and verbs of `data/`."""
    made = tuple(
        Frame(
            row["kind"],
            frozenset(row["verb"].split("|")),
            tuple(_slots(row["parts"], line)),
            dict(each.split("=", 1) for each in row["sets"].split()),
            line,
            row["reads"],
            row["not"],
        )
        for line, row in tables.rows("frames", _FRAMES)
    )
    own = {name: words for name, words in groups.items() if name.startswith(_GROUP)}
    return Frames(alphabet, made, verbs(), own, _past())


def _slots(parts: str, line: int) -> Iterator[Slot]:
    at = 0
    while at < len(parts):
        match = _SLOT.match(parts, at)
        if match is None:
            raise FrameError(f"frames.tsv:{line}: cannot be read from character {at}: {parts}")
        kinds = tuple(match["kinds"].split("|"))
        marks = frozenset((match["marks"] or _BARE).split("|"))
        role, beside = match["role"], match["beside"] or ""
        yield Slot(role or kinds[0], kinds, marks, bool(match["optional"]), beside, is_named=bool(role))
        at = match.end()


def verbs() -> dict[tuple[str, ...], frozenset[str]]:
    """The meanings of each form of each verb."""
    found: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for _, row in tables.rows("verbs", _VERBS):
        for entry in filter(None, map(str.strip, row["verbs"].split("|"))):
            for words in _forms(entry, only_past=row["tense"] == _PAST):
                found[words].add(row["meaning"])
    return {words: frozenset(meanings) for words, meanings in found.items()}


def _past() -> frozenset[str]:
    return frozenset(row["meaning"] for _, row in tables.rows("verbs", _VERBS) if row["tense"] == _PAST)


def _forms(entry: str, *, only_past: bool) -> Iterator[tuple[str, ...]]:
    """`start` in its regular forms, `rise rose risen rises rising` in all but the bare one, with what stands behind."""
    verb, _, behind = entry.partition("+")
    bare, *spelled = verb.split()
    for form in spelled or _regular(bare):
        if not (only_past and form.endswith(("s", "ing"))):
            yield (*split(form), *split(behind))


def _regular(verb: str) -> tuple[str, ...]:
    if verb.endswith("e"):
        return (f"{verb}s", f"{verb}d", f"{verb[:-1]}ing")
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return (f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing")
    hissing = verb.endswith(("s", "x", "z", "ch", "sh"))
    return (f"{verb}{'es' if hissing else 's'}", f"{verb}ed", f"{verb}ing")
