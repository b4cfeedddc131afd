"""Allergens: what a recorded allergy is about, and how a drug relates to it.

Guarantee: every ingredient of a combination is an allergen of its own; a relation says what it is (the ingredient, its
class, a sibling in a class of allergens, or a cross-reaction with its evidence); None says that no row relates the two.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import cross_reactions, drug_classes, drugs, tables
from terminology.drug_classes import DrugClass
from terminology.drugs import Ingredient
from terminology.naming import Lexicon, Name
from terminology.scan import Words, scan, words_of

LONGITUDE = "urn:longitude:allergen"
_COLUMNS = ("name", "kind", "target", "alike", "synonyms", "codes", "source")


@dataclass(frozen=True, slots=True)
class Allergen:
    """What an allergy is about: an ingredient, a class, or something else, of which only the name is known."""

    name: str
    ingredient: Ingredient | None = None
    drug_class: DrugClass | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A name at characters `start` to `end` of a text, and its allergens: of a combination every one."""

    start: int
    end: int
    allergens: tuple[Allergen, ...]


class RelationKind(StrEnum):
    """How a drug relates to an allergen."""

    INGREDIENT = "ingredient"
    CLASS = "class"
    SAME_CLASS = "same class"
    CROSS_REACTION = "cross-reaction"


@dataclass(frozen=True, slots=True)
class Relation:
    """How a drug relates to an allergen: through which class, and for a cross-reaction how strongly and who says so."""

    kind: RelationKind
    drug_class: DrugClass | None = None
    cross_reaction: cross_reactions.CrossReaction | None = None


def allergens_of(concept: CodedConcept) -> tuple[Allergen, ...]:
    """The allergens of a coded or written allergy; none when it is unknown."""
    by_code = _by_code().get((concept.system, concept.code))
    if by_code:
        return (by_code,)
    ingredients = drugs.ingredients_of_code(concept.system, concept.code)
    return tuple(map(_of_ingredient, ingredients)) or allergens_in(concept.display)


def allergens_in(text: str) -> tuple[Allergen, ...]:
    """The allergens that a text names, in its order."""
    return tuple(dict.fromkeys(each for meaning in scan(text, _names(), _longest()) for each in meaning))


def mentions(text: str) -> tuple[Mention, ...]:
    """The allergens that a text names, with their places. Words that only call it an allergy are no part of a name."""
    named = (Mention(each.start, each.end, _bare_names()[each.keys[0]]) for each in _lexicon().mentions(text))
    return tuple(each for each in named if each.allergens)


def concept_of(allergen: Allergen) -> CodedConcept:
    """The coded form of an allergen, which `allergens_of` reads back."""
    if allergen.ingredient:
        return drugs.concept_of(allergen.ingredient)
    system, code = _codes().get(allergen, (LONGITUDE, allergen.name))
    return CodedConcept(system=system, code=code, display=allergen.name)


def relation(allergen: Allergen, ingredient: Ingredient) -> Relation | None:
    """The closest relation of a drug to an allergen."""
    if allergen.ingredient == ingredient:
        return Relation(RelationKind.INGREDIENT)
    classes = drug_classes.classes_of(ingredient)
    if allergen.drug_class in classes:
        return Relation(RelationKind.CLASS, allergen.drug_class)
    shared = _shared_class(allergen, classes)
    if shared:
        return Relation(RelationKind.SAME_CLASS, shared)
    cross = cross_reactions.between(_keys(allergen), (ingredient.name, *(each.id for each in classes)))
    return Relation(RelationKind.CROSS_REACTION, cross_reaction=cross) if cross else None


@cache
def allergen_classes() -> frozenset[DrugClass]:
    """The classes that people are recorded as allergic to."""
    return frozenset(each.drug_class for each, _ in _rows() if each.drug_class)


@cache
def alike() -> frozenset[DrugClass]:
    """The classes whose members are taken as alike: an allergy to one counts for the others."""
    return frozenset(each.drug_class for each, row in _rows() if each.drug_class and row["alike"])


def _shared_class(allergen: Allergen, classes: Iterable[DrugClass]) -> DrugClass | None:
    """The narrowest class in which a drug stands with an allergen and whose members the table takes as alike."""
    return next((each for each in _classes_of(allergen) if each in classes and each in alike()), None)


def _classes_of(allergen: Allergen) -> tuple[DrugClass, ...]:
    """The classes that an allergen is or belongs to: aminopenicillins are penicillins, and then beta-lactams."""
    if allergen.ingredient:
        return drug_classes.classes_of(allergen.ingredient)
    return drug_classes.with_wider((allergen.drug_class.id,)) if allergen.drug_class else ()


def _keys(allergen: Allergen) -> tuple[str, ...]:
    """The ids by which cross-reactions know an allergen, the narrowest first."""
    own = (allergen.ingredient.name,) if allergen.ingredient else ()
    return (*own, *(each.id for each in _classes_of(allergen)))


def _of_ingredient(ingredient: Ingredient) -> Allergen:
    return Allergen(ingredient.name, ingredient=ingredient)


@cache
def _rows() -> tuple[tuple[Allergen, tables.Row], ...]:
    return tuple((_allergen(row), row) for row in tables.read("allergens", _COLUMNS))


def _allergen(row: tables.Row) -> Allergen:
    if row["kind"] == "ingredient":
        return Allergen(row["target"], ingredient=drugs.by_name(row["target"]))
    drug_class = drug_classes.by_id(row["target"]) if row["kind"] == "class" else None
    return Allergen(row["name"], drug_class=drug_class)


@cache
def _by_code() -> dict[tuple[str, str], Allergen]:
    codes = {_split(code): allergen for allergen, row in _rows() for code in row.several("codes")}
    own = {(LONGITUDE, allergen.name): allergen for allergen in (*_of_classes(), *(each for each, _ in _rows()))}
    return own | codes


@cache
def _codes() -> dict[Allergen, tuple[str, str]]:
    """The first code of each allergen that has one."""
    return {allergen: _split(row.several("codes")[0]) for allergen, row in _rows() if row["codes"]}


def _split(code: str) -> tuple[str, str]:
    system, _, own = code.rpartition("#")
    return system, own


def _of_classes() -> Iterator[Allergen]:
    return (Allergen(each.name, drug_class=each) for each in drug_classes.everything())


@cache
def _names() -> Mapping[Words, tuple[Allergen, ...]]:
    """Words to allergens: of drugs, of classes, and those that the table adds; a name may mean a drug and a class."""
    known = {words: tuple(map(_of_ingredient, meaning)) for words, meaning in drugs.phrases().items()}
    classes = ((words_of(name), each) for each in _of_classes() if each.drug_class for name in each.drug_class.names)
    for words, allergen in (*classes, *_written()):
        known[words] = tuple(dict.fromkeys((*known.get(words, ()), allergen)))
    return known


def _written() -> Iterator[tuple[Words, Allergen]]:
    for allergen, row in _rows():
        yield from ((words_of(name), allergen) for name in (row["name"], *row.several("synonyms")))


@cache
def _longest() -> int:
    return max(map(len, _names()))


@cache
def _lexicon() -> Lexicon:
    return Lexicon(Name(words, words) for words in _bare_names())


@cache
def _bare_names() -> Mapping[str, tuple[Allergen, ...]]:
    """Names without those that say `allergy` themselves; phrases that name no drug stay."""
    return {" ".join(words): meaning for words, meaning in _names().items() if not (meaning and "allergy" in words)}
