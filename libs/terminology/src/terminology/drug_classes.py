"""Classes of drugs: their names as readers write them, the classes that contain them, and their members.

Guarantee: a class contains the members of the classes below it; an ingredient whose class no document states has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from terminology import drugs, tables
from terminology.drugs import Ingredient
from terminology.scan import Words, words_of


@dataclass(frozen=True, slots=True)
class DrugClass:
    """A class: the FDA's established pharmacologic class or a group of the ATC index. `parents` are ids."""

    id: str
    name: str
    names: tuple[str, ...]
    parents: tuple[str, ...]


def by_id(identifier: str) -> DrugClass | None:
    return _by_id().get(identifier)


def class_named(text: str) -> DrugClass | None:
    """The class that a text names, in any of its spellings: `NSAIDS`, `sulfa drugs`, `ACE-I`."""
    return names().get(words_of(text))


def members(drug_class: DrugClass) -> frozenset[Ingredient]:
    """The ingredients of a class and of the classes below it."""
    return _members().get(drug_class.id, frozenset())


def classes_of(ingredient: Ingredient) -> tuple[DrugClass, ...]:
    """The classes of an ingredient, its own first, then those that contain them."""
    return with_wider(ingredient.classes)


def with_wider(identifiers: tuple[str, ...]) -> tuple[DrugClass, ...]:
    """The classes of these ids, then those that contain them, the narrowest first."""
    return tuple(_by_id()[each] for each in _with_ancestors(identifiers))


@cache
def everything() -> tuple[DrugClass, ...]:
    """All classes."""
    rows = tables.read("drug_classes", ("class", "name", "synonyms", "parents", "source"))
    return tuple(
        DrugClass(row["class"], row["name"], (row["name"], *row.several("synonyms")), row.several("parents"))
        for row in rows
    )


@cache
def names() -> Mapping[Words, DrugClass]:
    """Classes by the words of their names."""
    return {words_of(name): each for each in everything() for name in each.names}


@cache
def _by_id() -> dict[str, DrugClass]:
    return {each.id: each for each in everything()}


@cache
def _members() -> dict[str, frozenset[Ingredient]]:
    found: dict[str, set[Ingredient]] = {}
    for ingredient in drugs.everything():
        for drug_class in classes_of(ingredient):
            found.setdefault(drug_class.id, set()).add(ingredient)
    return {identifier: frozenset(ingredients) for identifier, ingredients in found.items()}


def _with_ancestors(identifiers: tuple[str, ...]) -> tuple[str, ...]:
    level, known = identifiers, dict.fromkeys(identifiers)
    while level:
        level = tuple(parent for each in level for parent in _by_id()[each].parents if parent not in known)
        known |= dict.fromkeys(level)
    return tuple(known)
