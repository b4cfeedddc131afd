"""How kidney function limits the dose of a drug: each limit with its source. Numbers in, a limit out.

Guarantee: a limit is one that its source states; a drug or a kidney function without one has none, and nothing between
two limits is interpolated.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from terminology.drug_classes import classes_of
from terminology.drugs import Ingredient


class Measure(StrEnum):
    """The kidney function that a source speaks of; adults."""

    EGFR = "eGFR"  # mL/min/1.73 m2
    CLEARANCE = "creatinine clearance"  # mL/min, Cockcroft-Gault


class Advice(StrEnum):
    """Where no dose is right."""

    CONTRAINDICATED = "contraindicated"
    NOT_RECOMMENDED = "not recommended"


@dataclass(frozen=True, slots=True)
class Limit:
    """Below this kidney function: at most so many mg a day, or the drug is not to be used."""

    below: float
    allowed: Decimal | Advice
    source: str


@dataclass(frozen=True, slots=True)
class Highest:
    """At most so many mg a day, whatever the kidneys do."""

    allowed: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Dosing:
    """The limits of one drug, the lowest kidney function first; the highest dose of all where a source here says it."""

    measure: Measure
    limits: tuple[Limit, ...]
    highest: Highest | None = None


_FDA, _KDIGO = "FDA label", "KDIGO 2012"


def _label(measure: Measure, *limits: tuple[float, int | Advice]) -> Dosing:
    stated = ((below, at if isinstance(at, Advice) else Decimal(at)) for below, at in limits)
    return Dosing(measure, tuple(Limit(below, allowed, _FDA) for below, allowed in stated))


# Ids of the ingredients that terminology knows -> the limits, by the US prescribing information except where another
# source is named. A combination has the limits of its own label, and none by its parts.
DOSING: Mapping[frozenset[str], Dosing] = {
    # Metformin: contraindicated below 30 (FDA Drug Safety Communication, 8 April 2016); between 30 and 44 half of the
    # maximum of 2000 mg (KDIGO 2022 diabetes in CKD guideline, Kidney Int 2022;102(5S), figure 23).
    frozenset({"6809"}): Dosing(
        Measure.EGFR,
        (Limit(30, Advice.CONTRAINDICATED, _FDA), Limit(45, Decimal(1000), "KDIGO 2022")),
        Highest(Decimal(2000), "KDIGO 2022"),
    ),
    # Sitagliptin (JANUVIA, section 2.2).
    frozenset({"593411"}): _label(Measure.EGFR, (30, 25), (45, 50)),
    # Amoxicillin (AMOXIL, section 2.4): 500 mg every 24 hours below a GFR of 10, every 12 hours below 30.
    frozenset({"723"}): _label(Measure.EGFR, (10, 500), (30, 1000)),
    # Sulfamethoxazole with trimethoprim (BACTRIM, dosage in renal impairment).
    frozenset({"10180", "10829"}): _label(Measure.CLEARANCE, (15, Advice.NOT_RECOMMENDED)),
    # Nitrofurantoin (MACROBID, contraindications).
    frozenset({"7454"}): _label(Measure.CLEARANCE, (60, Advice.CONTRAINDICATED)),
    # Gabapentin (NEURONTIN, section 2.4, table 1).
    frozenset({"25480"}): _label(Measure.CLEARANCE, (15, 300), (30, 700), (60, 1400)),
    # Allopurinol (ZYLOPRIM, dosage in renal impairment).
    frozenset({"519"}): _label(Measure.CLEARANCE, (10, 100), (20, 200)),
    # Rosuvastatin (CRESTOR, severe renal impairment, not on haemodialysis).
    frozenset({"301542"}): _label(Measure.CLEARANCE, (30, 10)),
    # Alendronate (FOSAMAX, use in renal impairment).
    frozenset({"46041"}): _label(Measure.CLEARANCE, (35, Advice.NOT_RECOMMENDED)),
}
# NSAIDs: avoid below a GFR of 30 (KDIGO 2012 CKD guideline, Kidney Int Suppl 2013;3:1-150, table 32).
_NSAID = Dosing(Measure.EGFR, (Limit(30, Advice.NOT_RECOMMENDED, _KDIGO),))


def dosing_of(drug: Collection[Ingredient]) -> Dosing | None:
    """Of a drug by its ingredients. None where no limits are listed: that says nothing about its safety."""
    return _NSAID if any(map(is_nsaid, drug)) else DOSING.get(frozenset(each.id for each in drug))


def is_nsaid(ingredient: Ingredient) -> bool:
    """An NSAID as prescribing information means it: not one that is taken in low dose against platelets."""
    classes = {each.id for each in classes_of(ingredient)}
    return "nsaid" in classes and "antiplatelet" not in classes


def limit_at(dosing: Dosing, function: float) -> Limit | None:
    """The limit that applies at this kidney function; None above all of them."""
    return next((limit for limit in dosing.limits if function < limit.below), None)
