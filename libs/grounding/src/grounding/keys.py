"""Keys by which names in a text and facts of a record compare.

Guarantee: what a name may mean and what a fact is about have the same key exactly where terminology says that they are
one thing. A combination of drugs has a key of its own: a name of the combination does not mean one of its parts.
"""

from collections.abc import Iterable
from functools import lru_cache

from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import observables
from terminology.concepts import LOINC
from terminology.drug_classes import DrugClass
from terminology.drugs import Ingredient

_CLASS, _INGREDIENT, _COMBINATION = "class|", "ingredient|", "combination|"


@lru_cache(maxsize=16_384)
def _of(system: str, code: str, display: str) -> str:
    return observables.key(CodedConcept(system=system, code=code, display=display))


def of_concept(concept: CodedConcept) -> str:
    """The observable's where it is one, else `system|code`, else the words."""
    return _of(concept.system, concept.code, concept.display)


def of_loinc(code: str) -> str:
    return _of(LOINC, code, "")


def of_class(drug_class: DrugClass) -> str:
    return _CLASS + drug_class.id


def of_ingredient(ingredient: Ingredient) -> str:
    return _INGREDIENT + ingredient.id


def of_drug(ingredients: Iterable[Ingredient]) -> str:
    """Of the ingredient, or of exactly this combination."""
    ids = sorted(each.id for each in ingredients)
    return (_INGREDIENT if len(ids) == 1 else _COMBINATION) + "+".join(ids)


def is_class(key: str) -> bool:
    return key.startswith(_CLASS)


def is_result(key: str) -> bool:
    return key.startswith(f"{LOINC}|")


def is_drug(key: str) -> bool:
    """Whether it is the key of an ingredient or of a combination."""
    return key.startswith((_INGREDIENT, _COMBINATION))
