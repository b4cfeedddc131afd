"""A record as rows read it: what is taken now, what is asked about, problems, results; each worked out once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from grounding import Sources, facts
from grounding.comparing.drugs import daily
from grounding.dosing import is_nsaid
from grounding.reading import names
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import drug_classes, families
from terminology.drugs import Ingredient
from terminology.loinc import ALBUMIN, BILIRUBIN, INR

from knowledge.kidney import KidneyFunction, kidney_function
from knowledge.liver import LiverFunction, least_points
from knowledge.terms import Drugs, Problems, Results

_NSAID = "nsaid"
# What the Child-Pugh score counts, in these units; INR says nothing of the liver while an anticoagulant is taken.
_LIVER = ((BILIRUBIN, "mg/dL"), (ALBUMIN, "g/dL"), (INR, "{INR}"))
_LIVER_DAYS = 90
_ANTICOAGULANTS = Drugs(frozenset({"anticoagulant"}))
# A pregnancy that nobody ended is over after this.
PREGNANCY, _LONGEST_PREGNANCY = "pregnancy", timedelta(days=300)
DAYS_A_MONTH = 30.44
_DONE = (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_DOCUMENT, pb.FACT_KIND_RESULT, pb.FACT_KIND_IMAGING_FINDING)
# Words of routes by which a drug hardly reaches the rest of the body.
_LOCAL = re.compile(r"topical|cutaneous(?<!subcutaneous)|ophthalmic|\botic|\beyes?\b|\bears?\b|\bskin\b")


@dataclass(frozen=True, slots=True)
class Taken:
    """One drug that is taken or ordered: its newest order, and what rows may name it by."""

    fact: ClinicalFact
    names: frozenset[str]
    ingredients: frozenset[str]
    # On skin, in eye or ear: it hardly reaches the rest of the body.
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A drug or class that the question names, or an order proposes, and the record does not have."""

    name: str
    names: frozenset[str]
    # Whether orders propose it: then it is to be taken together with the others that they propose.
    proposed: bool = False


def names_of(*ingredients: Ingredient) -> frozenset[str]:
    """Names of ingredients and ids of their classes; aspirin against platelets counts as no NSAID."""
    own = [(each, drug_classes.classes_of(each)) for each in ingredients]
    classes = {known.id for each, listed in own for known in listed if known.id != _NSAID or is_nsaid(each)}
    return frozenset(classes.union(each.name.casefold() for each in ingredients))


class Patient:
    """Everything that conditions look at. `taken`: orders in force, any order; the newest of each drug counts."""

    def __init__(self, sources: Sources, taken: Sequence[ClinicalFact], asked: Sequence[Asked] = ()) -> None:
        self.sources = sources
        self.asked = tuple(asked)
        newest: dict[frozenset[str], ClinicalFact] = {}
        for fact in sorted(taken, key=facts.in_time, reverse=True):
            if own := frozenset(each.name.casefold() for each in facts.about(fact).ingredients):
                newest.setdefault(own, fact)
        self.taken = tuple(
            Taken(fact, names_of(*facts.about(fact).ingredients), own, _is_local(fact)) for own, fact in newest.items()
        )
        self._measured: dict[str, tuple[ClinicalFact, ...]] = {}

    @property
    def today(self) -> date:
        return self.sources.today

    @cached_property
    def age(self) -> int | None:
        return self.sources.age()

    @cached_property
    def sex(self) -> str:
        return str(self.sources.administrative_sex() or "")

    @cached_property
    def kidneys(self) -> KidneyFunction | None:
        return kidney_function(self.sources)

    @cached_property
    def liver(self) -> LiverFunction | None:
        """None unless bilirubin, albumin and INR are known of the last 90 days, and no anticoagulant is taken."""
        newest = [self.newest(Results((code,)), _LIVER_DAYS) for code, _ in _LIVER]
        values = [value_in(fact, unit) for fact, (_, unit) in zip(newest, _LIVER, strict=True) if fact]
        known = [each for each in values if each is not None]
        if len(known) < len(_LIVER) or self.drugs(_ANTICOAGULANTS):
            return None
        return LiverFunction(least_points(*known), tuple(fact for fact in newest if fact))

    @cached_property
    def allergies(self) -> tuple[ClinicalFact, ...]:
        """Those that are there and undisputed."""
        active = self.sources.active(pb.FACT_KIND_ALLERGY)
        return tuple(each for each in active if not facts.is_absent(each))

    @cached_property
    def problems(self) -> dict[str, ClinicalFact]:
        """Problems in force, the newest of each family; of the family's wider ones too."""
        return self._by_family(ended=False)

    @cached_property
    def history(self) -> dict[str, ClinicalFact]:
        """Problems that are in force or over."""
        return self._by_family(ended=True)

    def _by_family(self, *, ended: bool) -> dict[str, ClinicalFact]:
        listed = self.sources.of_kind(pb.FACT_KIND_PROBLEM) if ended else self.sources.active(pb.FACT_KIND_PROBLEM)
        own = [each for each in listed if not facts.is_absent(each) and not facts.is_family_history(each)]
        by_family: dict[str, ClinicalFact] = {}
        for fact in sorted(own, key=facts.in_time):
            for each in families.with_wider(names.families_among(names.keys_of(fact))):
                by_family[each.id] = fact
        old = by_family.get(PREGNANCY)
        if old and not ended and not self._is_recent(old, _LONGEST_PREGNANCY):
            del by_family[PREGNANCY]
        return by_family

    @cached_property
    def done(self) -> dict[str, ClinicalFact]:
        """What was done, written, measured or seen: by its name in lower case, the newest that has a day."""
        newest: dict[str, ClinicalFact] = {}
        for fact in sorted(self.sources.of_kind(*_DONE), key=facts.in_time):
            if facts.starts_on(fact) and not facts.is_absent(fact):
                newest[facts.name_of(fact).casefold()] = fact
        return newest

    @cached_property
    def past(self) -> frozenset[str]:
        """Names, in lower case, of problems and procedures, those of the past included."""
        entries = self.sources.of_kind(pb.FACT_KIND_PROBLEM, pb.FACT_KIND_PROCEDURE)
        return frozenset(facts.name_of(each).casefold() for each in entries if not facts.is_absent(each))

    def _is_recent(self, fact: ClinicalFact, within: timedelta) -> bool:
        since = facts.known_since(fact)
        return since is not None and self.today - since.date() <= within

    def problem(self, problems: Problems, *, ended: bool = False) -> ClinicalFact | None:
        """The newest problem of one of these families."""
        own = self.history if ended else self.problems
        known = [own[each] for each in sorted(problems.ids) if each in own]
        return max(known, key=facts.in_time, default=None)

    def drugs(self, drugs: Drugs, *, local: bool = False) -> tuple[Taken, ...]:
        """What is taken of these, the newest first; `local`: also what is given on skin, in eye or ear."""
        return tuple(each for each in self.taken if drugs.matches(each.names) and (local or not each.is_local))

    def asks_about(self, drugs: Drugs) -> tuple[Asked, ...]:
        """The drugs of the question that are of these."""
        return tuple(each for each in self.asked if drugs.matches(each.names))

    def proposes(self, drugs: Drugs) -> tuple[Asked, ...]:
        """The drugs of proposed orders that are of these."""
        return tuple(each for each in self.asks_about(drugs) if each.proposed)

    def measured(self, results: Results) -> tuple[ClinicalFact, ...]:
        """Results of any of these with a number, oldest first."""
        if len(results.codes) == 1:
            return self._of(results.codes[0])
        listed = {fact.fact_id: fact for code in results.codes for fact in self._of(code)}
        return tuple(sorted(listed.values(), key=facts.in_time))

    def _of(self, code: str) -> tuple[ClinicalFact, ...]:
        if code not in self._measured:
            own = self.sources.measured(code)
            self._measured[code] = tuple(each for each in own if not each.quantity.comparator)
        return self._measured[code]

    def newest(self, results: Results, days: int | None = None) -> ClinicalFact | None:
        """The newest of these results, not older than so many days."""
        newest = [self._of(code)[-1] for code in results.codes if self._of(code)]
        newest = [max(newest, key=facts.in_time)] if newest else []
        return newest[0] if newest and (days is None or self.days_since(newest[0]) <= days) else None

    def days_since(self, fact: ClinicalFact) -> int:
        """Whole days since it is known; a long time where no day is stated."""
        since = facts.known_since(fact)
        return (self.today - since.date()).days if since else 100_000


def _is_local(fact: ClinicalFact) -> bool:
    """Whether every dose that states a route is given on skin, in eye or ear."""
    routes = [each.route.casefold() for each in facts.dosages(fact) if each.route]
    return bool(routes) and all(_LOCAL.search(route) for route in routes)


def daily_dose(drug: Taken) -> Decimal | None:
    """In mg; None unless the order is of one ingredient and states one dose, in mass, and how often a day."""
    stated = facts.dosages(drug.fact)
    value = daily(stated[0]) if len(stated) == 1 and len(drug.ingredients) == 1 else None
    return None if value is None else Decimal(str(value))


def value_in(fact: ClinicalFact, unit: str) -> Decimal | None:
    """The value of a result in a unit; None where it cannot be converted."""
    return facts.convert(fact, fact.quantity, unit)
