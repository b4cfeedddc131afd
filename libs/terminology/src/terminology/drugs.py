"""Ingredients of drugs by code, by name and in free text; combinations are sets of ingredients.

An ingredient's id is its RxNorm code where a document states it, else `longitude:<name>`.
Guarantee: a drug that no row names is unknown, never assumed to be another; a salt, a strength or a form changes
nothing about the ingredients of a text, a brand names all of its ingredients, an antidote is not the drug in its name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from longitude.record.v1.fact_pb2 import CodedConcept

from terminology import products, tables
from terminology.concepts import NDC, RXNORM
from terminology.scan import Words, scan, words_of

LONGITUDE = "urn:longitude:ingredient"
_PREFIX = "longitude:"
_INGREDIENT_COLUMNS = ("name", "rxcui", "classes", "synonyms", "name_source", "rxcui_source", "class_source")


@dataclass(frozen=True, slots=True)
class Ingredient:
    """An active ingredient. `names` are its own, brands of it alone included; `classes` are ids of drug classes."""

    id: str
    rxcui: str
    name: str
    names: tuple[str, ...]
    classes: tuple[str, ...]


def by_rxcui(code: str) -> Ingredient | None:
    """The ingredient of an RxNorm ingredient code."""
    return _by_rxcui().get(code)


def by_id(identifier: str) -> Ingredient | None:
    """The ingredient of an id: an RxNorm code, or `longitude:<name>`."""
    return _by_id().get(identifier)


def by_name(text: str) -> Ingredient | None:
    """The ingredient that a text names and nothing else: its name, a synonym, or a brand of it alone."""
    ingredients = names().get(words_of(text), ())
    return ingredients[0] if len(ingredients) == 1 else None


def ingredients_in(text: str) -> tuple[Ingredient, ...]:
    """The ingredients that a text or the display of a product names, each once, in the order of the text."""
    return _once(each for meaning in scan(text, phrases(), _longest()) for each in meaning)


def ingredients_of(concept: CodedConcept) -> tuple[Ingredient, ...]:
    """The ingredients of a concept: by its code if a table has it, else by its display."""
    return ingredients_of_code(concept.system, concept.code) or ingredients_in(concept.display)


def ingredients_of_code(system: str, code: str) -> tuple[Ingredient, ...]:
    """The ingredients of a code of RxNorm, of the National Drug Codes or of this package; none when it is unknown."""
    if system == RXNORM:
        ingredient = by_rxcui(code)
        return (ingredient,) if ingredient else _named(products.rxnorm().get(code, ()))
    if system == NDC:
        return _named(products.ndc(code))
    own = by_id(code) if system == LONGITUDE else None
    return (own,) if own else ()


def is_brand(text: str) -> bool:
    """Whether this is the name of a product of one maker (`Humulin`)."""
    return text.casefold() in _brands()


def concept_of(ingredient: Ingredient) -> CodedConcept:
    """The coded form of an ingredient: RxNorm where its code is known, else the own id."""
    system = RXNORM if ingredient.rxcui else LONGITUDE
    return CodedConcept(system=system, code=ingredient.id, display=ingredient.name)


@cache
def everything() -> tuple[Ingredient, ...]:
    """All ingredients, by name."""
    brands: dict[str, list[str]] = {}
    for brand, ingredients in _brands().items():
        if len(ingredients) == 1:
            brands.setdefault(ingredients[0], []).append(brand)
    return tuple(_ingredient(row, brands) for row in tables.read("ingredients", _INGREDIENT_COLUMNS))


@cache
def names() -> Mapping[Words, tuple[Ingredient, ...]]:
    """What each name means, by its words: an ingredient, or the set of a combination's."""
    own = {words_of(name): (each,) for each in everything() for name in each.names}
    return {words_of(brand): _named(ingredients) for brand, ingredients in _brands().items()} | own


@cache
def phrases() -> Mapping[Words, tuple[Ingredient, ...]]:
    """Names, and phrases that contain a name without meaning the drug."""
    empty: tuple[Ingredient, ...] = ()
    rows = tables.read("not_drugs", ("phrase", "source"))
    return {**names(), **{words_of(row["phrase"]): empty for row in rows}}


@cache
def _longest() -> int:
    return max(map(len, phrases()))


def _ingredient(row: tables.Row, brands: Mapping[str, Iterable[str]]) -> Ingredient:
    name = row["name"]
    own = (name, *row.several("synonyms"), *brands.get(name, ()))
    return Ingredient(row["rxcui"] or _PREFIX + name, row["rxcui"], name, own, row.several("classes"))


@cache
def _brands() -> dict[str, tuple[str, ...]]:
    rows = tables.read("brands", ("brand", "ingredients", "source"))
    return {row["brand"]: row.several("ingredients") for row in rows}


@cache
def _by_rxcui() -> dict[str, Ingredient]:
    return {each.rxcui: each for each in everything() if each.rxcui}


@cache
def _by_id() -> dict[str, Ingredient]:
    return {each.id: each for each in everything()}


@cache
def _by_own_name() -> dict[str, Ingredient]:
    return {each.name: each for each in everything()}


def _named(own_names: Iterable[str]) -> tuple[Ingredient, ...]:
    """Ingredients by the names that stand in the tables; a name that is no ingredient there is a KeyError."""
    return tuple(_by_own_name()[name] for name in own_names)


def _once(ingredients: Iterable[Ingredient]) -> tuple[Ingredient, ...]:
    return tuple(dict.fromkeys(ingredients))
