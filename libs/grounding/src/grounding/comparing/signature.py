"""What an assertion says in a form in which two can be compared: names, words, amounts and sides, each in its part.

Guarantee: every word that is not among the silent ones counts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from grounding.lexicon import Keys
from grounding.reading import tables
from grounding.reading.grammar import ANTECEDENT, GAPPED
from grounding.reading.nodes import Node
from grounding.reading.tokens import Amount

# Words that say nothing beside the kind of an assertion: it is the same kind only by a verb that means the same.
_SILENT_WORDS = """
    the a an this that these her his their she he patient pt is was are were be been being has have had with
    of in on at by to for and or nor from there no not any none without denies denied deny evidence sign signs
    known reports reported complains presented presents c o showed shows revealed reveals demonstrated found
    did does do negative free neither age aged old given administered which treated must should again avoid
    avoided them advised told against also family history hx fhx fh normal take takes other anti inflammatory
    painkillers drugs medicines
"""
_SILENT = frozenset(_SILENT_WORDS.split())
_SAME = {
    "ptx": "pneumothorax", "opacities": "opacity", "metastases": "metastasis", "hematuria": "haematuria",
    "hemorrhage": "haemorrhage", "edema": "oedema", "feet": "foot", "tiredness": "tired",
    "probable": "probably", "likely": "probably", "suspects": "suspected", "suspect": "suspected",
    "possible": "possibly",
}  # fmt: skip


@lru_cache(50_000)
def word_of(text: str) -> str:
    """A word as it is compared: in small letters, in the singular."""
    word = text.casefold()
    if word in _SAME:
        return _SAME[word]
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural else word


# Places of the body: with one, a finding says more.
_SITES = frozenset(
    word_of(word)
    for _, row in tables.rows("words/findings", ("group", "words"))
    if row["group"] == "site"
    for word in row["words"].replace("|", " ").split()
)
# Places that a film of the chest shows.
_OF_CHEST = frozenset({"chest", "lung", "pleural", "pleura"})
# Words without which an affirmation says less and nothing else.
_DROPPED_WORDS = """
    acute mild moderate severe small patchy painful generalised generalized focal diffuse new
"""
DROPPED = frozenset(_DROPPED_WORDS.split())
# What a denial may add: where there is no fracture, there is no acute one.
_NARROWER = frozenset({"acute", "new"})
_WHOLE = frozenset({"side", "frequency", "route", "specimen", "stage"})
_APART = frozenset({"when", "film", "origin", "letter"})
_ITEMS = frozenset(
    {"care", "condition", "finding", "findings", "regimen", "result", "obs", "bp", "allergens", "procedures"}
)
# What productions say wholly by their names: a plan of care is set up, is in place, or the patient is put on it.
_WORDLESS = frozenset({"care", "care-plan"})
_ROLES = {"observed": "conditions", "findings": "conditions", "condition": "conditions", "finding": "conditions",
          "regimen": "regimens", "reason": "conditions"}  # fmt: skip
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


def films_of(words: Iterable[str]) -> frozenset[str]:
    """Which films words speak of."""
    return frozenset(FILMS[word] for word in words if word in FILMS)


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
        return frozenset() if self.names else self.words - DROPPED

    def affirms(self, other: "Signature") -> bool:
        """Whether what has this has the other: it says all that the other does, and more of what may be dropped."""
        return (
            self.names_all(other)
            and other.words <= self.words
            and self.words - other.words <= DROPPED | _SITES
            and other.amounts <= self.amounts
            and other.marks <= self.marks
        )

    def denies(self, other: "Signature", implied: frozenset[str] = frozenset()) -> bool:
        """Whether without this there is not the other: it is no narrower. `implied`: places that need no word."""
        named = self.names_all(other) and other.names_all(self)
        sure = bool(self.names) or bool(self.words & other.words)
        wide = self.words <= other.words | implied
        return named and sure and wide and self.amounts <= other.amounts and self.marks <= other.marks

    def names_all(self, other: "Signature") -> bool:
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
        if not self.rest.affirms(other.rest):
            return False
        return all(any(self._has(own, one, other) for own in self.items) for one in other.items)

    def _has(self, own: Item, one: Item, other: "Assertion") -> bool:
        if own.role != one.role:
            return False
        if self.kind != "absent":
            return own.own.affirms(one.own)
        shown = frozenset().union(*map(_places, other.films))
        if not one.own.words - own.own.words <= _NARROWER | _SITES:
            return False
        return own.own.denies(one.own, shown) and all(_places(film) <= one.own.words | shown for film in self.films)


def _places(film: Node) -> frozenset[str]:
    """What of the body a film shows, as far as it says so."""
    words = {word_of(part.text) for part in film.parts}
    of_chest = any(FILMS.get(word) == "chest" for word in words) or "cxr" in words
    return frozenset(words & _SITES) | (_OF_CHEST if of_chest else frozenset())


def of(clause: Node) -> Assertion:
    """The signature of a clause."""
    placed = [
        (_ROLES.get(role, role), item)
        for role, nodes in clause.roles.items()
        if role not in (ANTECEDENT, GAPPED)
        for node in nodes
        for item in _things(node)
    ]
    inside = {id(item) for _, item in placed}
    rest = _signature(clause, frozenset(inside))
    items, rest = _gathered([Item(role, _signature(item, frozenset())) for role, item in placed], rest)
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


def _gathered(things: list[Item], rest: Signature) -> tuple[tuple[Item, ...], Signature]:
    """`Given intramuscularly`: the route of the only drug, wherever it stands."""
    drugs = [each for each in things if each.role == "regimens"]
    if len(drugs) != 1:
        return tuple(things), rest
    of_drug = replace(drugs[0].own, marks=drugs[0].own.marks | rest.marks)
    items = tuple(replace(each, own=of_drug) if each is drugs[0] else each for each in things)
    return items, replace(rest, marks=frozenset())


def _things(node: Node) -> Iterator[Node]:
    if node.kinds & _ITEMS:
        yield node
    elif not _is_apart(node):
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
        elif leaf.text.isalnum() and leaf.text.casefold() not in _SILENT and node.kind not in _WORDLESS:
            words.add(word_of(leaf.text))
    return Signature(tuple(names), frozenset(words), frozenset(amounts), frozenset(marks))


def _is_apart(node: Node) -> bool:
    """A time is compared by itself; at which age something was is part of what is said."""
    return bool(node.kinds & _APART) and "aged" not in node.kinds


def _leaves(node: Node, without: frozenset[int]) -> Iterator[Node]:
    if id(node) in without or _is_apart(node):
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
