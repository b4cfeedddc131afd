"""What a fact is about, as terminology knows it: ingredients, allergens, classes, names, and keys to compare by.

Guarantee: two facts with the same concepts have the same subject, and it is looked up once per process. What
terminology does not know is known by what was sent.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_MEDICATION, FACT_KIND_PROBLEM, CodedConcept
from terminology import allergens, drug_classes, drugs, observables, problems
from terminology import names as observed
from terminology.allergens import Allergen
from terminology.concepts import LOINC
from terminology.drug_classes import DrugClass
from terminology.drugs import Ingredient

from grounding import keys

Coded = tuple[str, str, str]
# The semantic tag of a name of SNOMED CT, which nobody says.
_TAG = re.compile(
    r"\s*\((?:disorder|finding|situation|substance|procedure|regime/therapy|person|morphologic abnormality|"
    r"observable entity|record artifact|event|physical object)\)$",
    re.IGNORECASE,
)
# What terminologies put around a name: `Family history of ...`, `... (disorder)`, `..., unspecified`.
_WRAPPING = re.compile(
    r"^family history of (?:malignant neoplasm of )?|\s*\((?:disorder|finding|situation|substance|procedure)\)$|"
    r",? unspecified$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Subject:
    """A kind of fact and its concepts (system, code, display): as normalised, as sent, and its coded value."""

    kind: int
    code: Coded
    sent: Coded
    coded: Coded

    @cached_property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """What a medication is made of, by code before name; none for an unknown one."""
        if self.kind != FACT_KIND_MEDICATION:
            return ()
        by_code = drugs.ingredients_of_code(*self.code[:2]) or drugs.ingredients_of_code(*self.sent[:2])
        return by_code or drugs.ingredients_in(self.code[2]) or drugs.ingredients_in(self.sent[2])

    @cached_property
    def allergens(self) -> tuple[Allergen, ...]:
        """What an allergy is about: ingredients, a class or another substance; none where it is not known."""
        if self.kind != FACT_KIND_ALLERGY:
            return ()
        return allergens.allergens_of(_concept(self.code)) or allergens.allergens_of(_concept(self.sent))

    @cached_property
    def classes(self) -> tuple[DrugClass, ...]:
        """The classes of a medication. Of an allergy, the class that it is about, and of an ingredient those whose
        members are taken as alike.
        """
        own = [each for ingredient in self.ingredients for each in drug_classes.classes_of(ingredient)]
        own += [each.drug_class for each in self.allergens if each.drug_class]
        for each in self.allergens:
            around = drug_classes.classes_of(each.ingredient) if each.ingredient else ()
            own += [one for one in around if one in allergens.alike()]
        return tuple(dict.fromkeys(own))

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every key under which a name in a text may mean it."""
        parts, classes = map(keys.of_ingredient, self.ingredients), map(keys.of_class, self.classes)
        return self.own_keys.union(parts, classes)

    @cached_property
    def own_keys(self) -> frozenset[str]:
        """Every key that means this concept itself: not the class of a drug, not one part of a combination."""
        coded = [keys.of_concept(each) for each in self._concepts if each.code or each.display]
        drug = [keys.of_drug(each) for each in (self.ingredients, self._ordered) if each]
        allergic = [keys.of_ingredient(each.ingredient) for each in self.allergens if each.ingredient]
        return frozenset([*coded, *drug, *allergic])

    @cached_property
    def ordered_keys(self) -> frozenset[str]:
        """The key of the drug as it was ordered: of a part of a combination, that of the combination."""
        drug = self._ordered or self.ingredients
        return frozenset({keys.of_drug(drug)}) if drug else frozenset()

    @cached_property
    def _ordered(self) -> tuple[Ingredient, ...]:
        """The combination as which a part of it was sent: of an order of two ingredients a record has two facts."""
        sent = drugs.ingredients_of(_concept(self.sent)) if self.kind == FACT_KIND_MEDICATION else ()
        return sent if len(sent) > 1 else ()

    @cached_property
    def name(self) -> str:
        """What a reader calls it: a drug by its ingredients."""
        concept = _concept(self.code if self.code[1] or self.code[2] else self.sent)
        is_allergy = self.kind == FACT_KIND_ALLERGY
        drug = drugs.ingredients_of_code(concept.system, concept.code) if is_allergy else self.ingredients
        if drug:
            return " / ".join(each.name for each in drug)
        if self.kind == FACT_KIND_PROBLEM and not concept.display:
            return problems.short_name(concept)
        return _TAG.sub("", observed.short_name(concept))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """How it is written: its name, every display it was sent with, and `urine creatinine`."""
        texts = [self.name, *(each.display for each in self._concepts)]
        texts += [
            f"{other} {each.display.split(' [')[0]}"
            for each in self._concepts
            if (other := observed.other_specimen(each))
        ]
        plain = [" ".join(text.split()) for text in texts if text.strip()]
        return tuple(dict.fromkeys([*plain, *(_WRAPPING.sub("", text) for text in plain)]))

    @cached_property
    def loinc(self) -> str:
        """The LOINC code of what is measured; empty where it is not known."""
        return _loinc(self.code)

    @cached_property
    def sent_loinc(self) -> str:
        """Of what was sent, which may be another substance: urea for urea nitrogen."""
        return _loinc(self.sent) or self.loinc

    @property
    def _concepts(self) -> tuple[CodedConcept, ...]:
        return tuple(_concept(each) for each in (self.code, self.sent, self.coded))


@lru_cache(maxsize=16_384)
def of(kind: int, code: Coded, sent: Coded, coded: Coded) -> Subject:
    """The one subject of these concepts."""
    return Subject(kind, code, sent, coded)


def _concept(coded: Coded) -> CodedConcept:
    system, code, display = coded
    return CodedConcept(system=system, code=code, display=display)


def _loinc(coded: Coded) -> str:
    known = observables.of(_concept(coded))
    if known is None:
        return ""
    return coded[1] if coded[0] == LOINC else known.loinc
