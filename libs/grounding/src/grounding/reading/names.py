"""The names that a text may hold, with what they may be: results, drugs, classes, problems, and those of the record.

Names come from `libs/terminology` and from the record's own facts, and from nowhere else.
"""

from functools import cache
from itertools import chain, combinations

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import families, names, problems

from grounding import facts, keys
from grounding.lexicon import Keys, Names
from grounding.lexicon import everywhere as _every_result_and_drug

OBSERVABLE, DRUG, CLASS, PROBLEM, PANEL, PRESSURE = "observable", "drug", "class", "problem", "panel", "pressure"
ALLERGEN, PROCEDURE, IMAGING, DOCUMENT, IMMUNIZATION, THING, ANSWER, ORGANISM = (
    "allergen",
    "procedure",
    "imaging",
    "document",
    "immunization",
    "thing",
    "answer",
    "organism",
)
KINDS = (OBSERVABLE, DRUG, CLASS, PROBLEM, PANEL, PRESSURE, ALLERGEN, PROCEDURE, IMAGING, DOCUMENT, IMMUNIZATION, THING, ANSWER, ORGANISM)
_FAMILY, _PANEL, _ANSWER, _ORGANISM = "family|", "panel|", "answer|", "organism|"
_KIND_OF_FACT = {
    pb.FACT_KIND_RESULT: OBSERVABLE,
    pb.FACT_KIND_MEDICATION: DRUG,
    pb.FACT_KIND_PROBLEM: PROBLEM,
    pb.FACT_KIND_ALLERGY: ALLERGEN,
    pb.FACT_KIND_PROCEDURE: PROCEDURE,
    pb.FACT_KIND_IMAGING_FINDING: IMAGING,
    pb.FACT_KIND_DOCUMENT: DOCUMENT,
    pb.FACT_KIND_IMMUNIZATION: IMMUNIZATION,
}


def of_answer(text: str) -> str:
    """The key of a coded or textual value of the record."""
    return _ANSWER + " ".join(text.split()).casefold()


def of_organism(name: str) -> str:
    """The key of what a susceptibility is about."""
    return _ORGANISM + " ".join(name.split()).casefold()


def every_set_of_kinds() -> tuple[frozenset[str], ...]:
    """Every set of kinds that a name may have: few names are of more than three."""
    return tuple(frozenset(each) for each in chain.from_iterable(combinations(KINDS, n) for n in range(1, 5)))


def of_family(identifier: str) -> str:
    return _FAMILY + identifier


def keys_of(fact: ClinicalFact) -> Keys:
    """Every key under which a name may mean the fact; the families that hold a problem among them."""
    own = facts.keys(fact)
    if fact.kind in (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_RESULT):
        held = chain(
            problems.families_of(fact.code), problems.families_of(fact.source_code), problems.families_of(fact.coded)
        )
        return own.union(of_family(each.id) for each in held)
    return own


def kind_of(fact: ClinicalFact) -> str:
    return _KIND_OF_FACT.get(fact.kind, THING)


def kinds_of(meaning: Keys) -> frozenset[str]:
    """What a name may be, by its keys alone."""
    return frozenset(kind for key in meaning if (kind := _kind(key)))


def _kind(key: str) -> str:
    if keys.is_result(key) or key.startswith("calculation|"):
        return OBSERVABLE
    if keys.is_drug(key):
        return DRUG
    if keys.is_class(key):
        return CLASS
    if key.startswith(_FAMILY):
        return PROBLEM
    if key == _PANEL + names.BLOOD_PRESSURE:
        return PRESSURE
    if key.startswith(_ANSWER):
        return ANSWER
    if key.startswith(_ORGANISM):
        return ORGANISM
    return PANEL if key.startswith(_PANEL) else ""


@cache
def members() -> dict[str, Keys]:
    """The key of a panel (blood pressure) -> the keys of its members."""
    return {
        _PANEL + each.id: frozenset(keys.of_loinc(member.loinc) for member in each.members) for each in names.panels()
    }


@cache
def everywhere() -> tuple[Names, ...]:
    """What every text may name, whatever its record."""
    own = Names()
    for family in families.known().values():
        for name in family.names:
            own.add(name.text, frozenset({of_family(name.key)}), as_written=name.ambiguous)
    for panel in names.panels():
        for name in panel.names:
            own.add(name, frozenset({_PANEL + panel.id}))
        for name in panel.abbreviations:
            own.add(name, frozenset({_PANEL + panel.id}), as_written=True)
    return (_every_result_and_drug(), own)
