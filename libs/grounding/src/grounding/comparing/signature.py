"""What an assertion says in a form in which two can be compared: names, words, amounts and sides, by the part they play.

Guarantee: every word that is not among the silent ones counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from grounding.lexicon import Keys
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

# Words that say nothing beside the kind of an assertion: it is the same kind only by a verb that means the same.
_SILENT = frozenset(
    "the a an this that these her his their she he patient pt is was are were be been being has have had with of in on "
    "at by to for and or nor from there no not any none without denies denied deny evidence sign signs known reports "
    "reported complains presented presents c o showed shows revealed reveals demonstrated found did does do "
    "negative free neither age aged old given administered which treated must should again avoid avoided them advised "
    "told against also family history hx fhx fh normal".split()
)
# Words without which an affirmation says less and nothing else.
_DROPPED = frozenset("acute mild moderate severe small patchy painful generalised generalized focal diffuse new".split())
_WHOLE = frozenset({"side", "frequency", "route", "specimen", "stage"})
_APART = frozenset({"when", "film", "origin", "letter"})
_ITEMS = frozenset({"condition", "finding", "findings", "regimen", "result", "obs", "bp", "allergens", "procedures"})
_SAME = {
    "ptx": "pneumothorax", "opacities": "opacity", "metastases": "metastasis", "hematuria": "haematuria",
    "hemorrhage": "haemorrhage", "edema": "oedema", "feet": "foot", "tiredness": "tired",
}  # fmt: skip
_ROLES = {"observed": "conditions", "findings": "conditions", "condition": "conditions", "finding": "conditions",
          "regimen": "regimens"}  # fmt: skip
_KINDS = {"finding": "present", "problem": "present", "no-finding": "absent", "no-problem": "absent"}
_PAST = frozenset({"history", "hx", "past", "had", "pmh", "pmhx", "previous"})
# What kinds of texts are called, and films; of a film, what of the body it shows.
KINDS_OF_TEXTS = frozenset(
    {"discharge", "admission", "consult", "kidney", "renal", "diabetes", "radiology", "nephrology", "laboratory"}
)
FILMS = {
    "chest": "chest", "cxr": "chest", "film": "film", "xr": "film", "ray": "film", "radiograph": "film", "ct": "ct",
    "mri": "mri", "ultrasound": "ultrasound", "imaging": "film",
}  # fmt: skip
_SIDES = {"left": "left", "right": "right", "both": "bilateral", "bilateral": "bilateral", "bilaterally": "bilateral"}


def word_of(text: str) -> str:
    """A word as it is compared: in small letters, in the singular."""
    word = text.casefold()
    if word in _SAME:
        return _SAME[word]
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))  # noqa: PLR2004
    return word[:-1] if is_plural else word


def sides_of(text: str) -> frozenset[str]:
    return frozenset(_SIDES[word] for word in text.casefold().replace("-", " ").split() if word in _SIDES)


@dataclass(frozen=True)
class Signature:
    """`names`: keys of each name; `words`: all others that count; `marks`: side, route, how often."""

    names: tuple[Keys, ...] = ()
    words: frozenset[str] = frozenset()
    amounts: frozenset[object] = frozenset()
    marks: frozenset[object] = frozenset()

    @property
    def core(self) -> frozenset[str]:
        """Words by which a text is looked for where there is no name."""
        return frozenset() if self.names else self.words - _DROPPED

    def affirms(self, other: "Signature") -> bool:
        """Whether what has this has the other: it says all that the other says, and more only of what may be dropped."""
        return (
            self._names(other)
            and other.words <= self.words
            and self.words - other.words <= _DROPPED
            and other.amounts <= self.amounts
            and other.marks <= self.marks
        )

    def denies(self, other: "Signature") -> bool:
        """Whether without this there is not the other: it is no narrower."""
        named = self._names(other) and other._names(self)
        sure = bool(self.names) or bool(self.words & other.words)
        return named and sure and self.words <= other.words and self.amounts <= other.amounts and self.marks <= other.marks

    def _names(self, other: "Signature") -> bool:
        return all(any(keys & own for own in self.names) for keys in other.names)


@dataclass(frozen=True)
class Item:
    """One thing that is named, and which part it plays."""

    role: str
    own: Signature


@dataclass(frozen=True)
class Assertion:
    """A clause, its things, and what else it says."""

    node: Node
    kind: str
    items: tuple[Item, ...]
    rest: Signature
    whens: tuple[Node, ...] = ()
    films: tuple[Node, ...] = ()
    origins: tuple[Node, ...] = ()
    sides: frozenset[str] = field(default=frozenset())

    @property
    def is_past(self) -> bool:
        return any(part.text in _PAST for part in self.node.parts)

    def entails(self, other: "Assertion") -> bool:
        """Whether it asserts all of what the other does."""
        if self.kind != other.kind or dict(self.node.sets) != dict(other.node.sets):
            return False
        if not other.items and not other.rest.words:
            return False
        return self.rest.affirms(other.rest) and all(any(self._has(own, one) for own in self.items) for one in other.items)

    def _has(self, own: Item, one: Item) -> bool:
        if own.role != one.role:
            return False
        return own.own.denies(one.own) if self.kind == "absent" else own.own.affirms(one.own)


def of(clause: Node) -> Assertion:
    """The signature of a clause."""
    placed = [(_ROLES.get(role, role), item) for role, nodes in clause.roles.items() for node in nodes for item in _things(node)]
    inside = {id(item) for _, item in placed}
    rest = _signature(clause, frozenset(inside))
    items = tuple(Item(role, _signature(item, frozenset())) for role, item in placed)
    return Assertion(
        clause,
        _KINDS.get(clause.kind, clause.kind),
        items,
        rest,
        tuple(_all(clause, "when")),
        tuple(_all(clause, "film")),
        tuple(_all(clause, "origin")),
        frozenset(each.says("side") for item in (clause, *(node for _, node in placed)) for each in _all(item, "side")),
    )


def _things(node: Node) -> Iterator[Node]:
    if node.kinds & _ITEMS:
        yield node
    elif not node.kinds & _APART:
        for part in node.parts:
            yield from _things(part)


def _all(node: Node, kind: str) -> Iterator[Node]:
    if kind in node.kinds:
        yield node
    else:
        for part in node.parts:
            yield from _all(part, kind)


def _signature(node: Node, without: frozenset[int]) -> Signature:
    names: list[Keys] = []
    words: set[str] = set()
    amounts: set[object] = set()
    marks: set[object] = set()
    for leaf in _leaves(node, without):
        if leaf.kinds & _WHOLE:
            marks.add((leaf.kind, *sorted(leaf.sets.items()), *_numbers(leaf)))
        elif isinstance(leaf.value, frozenset):
            names.append(leaf.value)
        elif isinstance(leaf.value, Amount):
            amounts.add((leaf.value.value, leaf.value.unit))
        elif leaf.value is not None:
            amounts.add(leaf.text.casefold())
        elif leaf.text.isalnum() and leaf.text.casefold() not in _SILENT:
            words.add(word_of(leaf.text))
    return Signature(tuple(names), frozenset(words), frozenset(amounts), frozenset(marks))


def _leaves(node: Node, without: frozenset[int]) -> Iterator[Node]:
    if id(node) in without or node.kinds & _APART:
        return
    if not node.parts or node.kinds & _WHOLE:
        yield node
        return
    for part in node.parts:
        yield from _leaves(part, without)


def _numbers(node: Node) -> Iterator[object]:
    for part in node.parts:
        if isinstance(part.value, Amount):
            yield part.value.value
        yield from _numbers(part)
