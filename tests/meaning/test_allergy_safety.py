"""Allergy safety by class, over all rows: an allergy and an order as HL7, read by ingestion, spoken of by the rules.

For every allergen class an order of each of its ingredients alerts, brands and combinations included; an ingredient
that no row relates to it does not; a cross-reaction is told as what it is. What is expected is taken from the tables
row by row and not from the code that relates two of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache

import pytest
from consult.rules.allergy import drug_of_an_allergic_class
from grounding import Sources, Verdict, Verifier, render
from ingestion.domain.reading import Feed, read
from longitude.reasoning.v1.assessment_pb2 import STATEMENT_KIND_ALERT, STATEMENT_KIND_PROPOSAL
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FACT_KIND_ALLERGY, FACT_KIND_MEDICATION, ClinicalFact
from terminology import allergens, cross_reactions, drug_classes, drugs
from terminology.cross_reactions import CrossReaction, Strength
from terminology.drug_classes import DrugClass
from terminology.drugs import Ingredient
from terminology.scan import words_of

MOMENT = datetime(2026, 10, 7, tzinfo=UTC)
HEADER = "MSH|^~\\&|EHR|NORTHWEST|LONGITUDE|LONGITUDE|20261006120000||{kind}|{control}|P|2.5.1"
PERSON = "PID|1||NW-1^^^NORTHWEST^MR||DOE^JANE||19570418|F"
# Orders of one message: a pharmacy sends many, and reading them together is quicker.
ORDERS = 200
CLASSES = sorted(allergens.allergen_classes(), key=lambda each: each.id)


def facts_of(kind: str, *segments: str) -> list[ClinicalFact]:
    message = "\r".join([HEADER.format(kind=kind, control=len(segments)), PERSON, *segments])
    return read(message.encode(), MOMENT, Feed()).content.facts


def allergy(text: str) -> list[ClinicalFact]:
    found = facts_of("ADT^A08^ADT_A01", "PV1|1|O", f"AL1|1|DA|^{text}")
    return [fact for fact in found if fact.kind == FACT_KIND_ALLERGY]


def orders(names: Sequence[str]) -> dict[str, list[ClinicalFact]]:
    """The facts of an order of each drug by its name, as a pharmacy writes it."""
    ordered: dict[str, list[ClinicalFact]] = {name: [] for name in names}
    for start in range(0, len(names), ORDERS):
        part = names[start : start + ORDERS]
        segments = [
            segment
            for number, name in enumerate(part)
            for segment in (f"ORC|NW|{number}^EHR||||||||||||||20261006", f"RXE||^{name}|1||TAB")
        ]
        for fact in facts_of("RDE^O11^RDE_O11", *segments):
            if fact.kind == FACT_KIND_MEDICATION:
                ordered[fact.source_code.display].append(fact)
    return ordered


@cache
def ingredient_orders() -> dict[str, list[ClinicalFact]]:
    return orders([each.name.upper() for each in drugs.everything()])


@cache
def brand_orders() -> dict[tuple[str, ...], list[ClinicalFact]]:
    """Of every brand that is sold of its ingredients."""
    brands = {" ".join(words).upper(): words for words in drugs.names()}
    return {brands[name]: found for name, found in orders(list(brands)).items()}


def record(*facts: ClinicalFact) -> Sources:
    recorded = (RecordedFact(fact=fact) for fact in facts)
    return Sources.of(MOMENT, recorded, identifiers=[facts[0].patient])


def alerted(allergic: Sequence[ClinicalFact], medications: Iterable[ClinicalFact]) -> set[str]:
    """Ids of the medications that an alert names."""
    sources = record(*allergic, *medications)
    told = (each for each in drug_of_an_allergic_class(sources) if each.kind == STATEMENT_KIND_ALERT)
    return {each.fact_ids[0] for each in told}


def within(drug_class: DrugClass, ingredient: Ingredient) -> bool:
    return ingredient in drug_classes.members(drug_class)


def wider(drug_class: DrugClass) -> tuple[str, ...]:
    """The ids of a class and of what holds it, the narrowest first: no class of an allergy has two parents."""
    parents = [each for each in map(drug_classes.by_id, drug_class.parents) if each]
    assert len(parents) <= 1
    return (drug_class.id, *(identifier for parent in parents for identifier in wider(parent)))


def closest(drug_class: DrugClass, ingredient: Ingredient) -> CrossReaction | None:
    """The row between an allergy to a class and a drug, the narrowest on both sides."""
    own = (ingredient.name, *(each.id for each in drug_classes.classes_of(ingredient)))
    of = wider(drug_class)
    rows = [each for each in cross_reactions.everything() if each.of in of and each.to in own]
    return min(rows, key=lambda row: of.index(row.of) + own.index(row.to), default=None)


def alike(drug_class: DrugClass, ingredient: Ingredient) -> bool:
    """Whether a class that holds this one and whose members are alike has the drug: heparin, with an LMWH."""
    return any(within(each, ingredient) for each in allergens.alike() if each.id in wider(drug_class))


def endangers(drug_class: DrugClass, ingredient: Ingredient) -> bool:
    """By the rows alone: a member, one that is alike or of the same name, or a cross-reaction that is not unlikely."""
    row = closest(drug_class, ingredient)
    named = (ingredient,) == drugs.names().get(words_of(drug_class.name))
    related = named or within(drug_class, ingredient) or alike(drug_class, ingredient)
    return related or (row is not None and row.strength is not Strength.UNLIKELY)


@pytest.mark.parametrize("drug_class", CLASSES, ids=lambda each: each.id)
def test_an_order_alerts_exactly_where_a_row_relates_it_to_an_allergy_to_a_class(drug_class: DrugClass) -> None:
    allergic = allergy(drug_class.name.upper())
    assert allergic
    every = [(each, fact) for each in drugs.everything() for fact in ingredient_orders()[each.name.upper()]]
    found = alerted(allergic, (fact for _, fact in every))
    expected = {each.name for each in drugs.everything() if endangers(drug_class, each)}
    assert {each.name for each, fact in every if fact.fact_id in found} == expected


@pytest.mark.parametrize("drug_class", CLASSES, ids=lambda each: each.id)
def test_an_order_of_a_brand_or_combination_alerts_when_one_of_its_ingredients_does(drug_class: DrugClass) -> None:
    allergic = allergy(drug_class.name.upper())
    meaning = drugs.names()
    endangering = {words for words, made_of in meaning.items() if any(endangers(drug_class, each) for each in made_of)}
    found = alerted(allergic, (fact for words in endangering for fact in brand_orders()[words]))
    silent = {words for words in endangering if not any(fact.fact_id in found for fact in brand_orders()[words])}
    assert silent == set()


@pytest.mark.parametrize("drug_class", CLASSES, ids=lambda each: each.id)
def test_every_way_to_write_a_class_is_an_allergy_to_it(drug_class: DrugClass) -> None:
    members = [fact for each in drug_classes.members(drug_class) for fact in ingredient_orders()[each.name.upper()]]
    assert members
    for name in drug_class.names:
        assert alerted(allergy(name.upper()), members[:1]) == {members[0].fact_id}, name


@pytest.mark.parametrize("ingredient", drugs.everything()[::7], ids=lambda each: each.name)
def test_an_allergy_to_an_ingredient_alerts_on_it_and_on_those_that_count_as_alike(ingredient: Ingredient) -> None:
    own = [each for each in drug_classes.classes_of(ingredient) if each in allergens.alike()]
    alike = {each.name for shared in own for each in drug_classes.members(shared)} | {ingredient.name}
    every = [(each, fact) for each in alike for fact in ingredient_orders()[each.upper()]]
    found = alerted(allergy(ingredient.name.upper()), (fact for _, fact in every))
    assert {name for name, fact in every if fact.fact_id in found} == alike


def _rows() -> Iterator[tuple[CrossReaction, str, str]]:
    """Each cross-reaction, with an allergy to its first and an order of a drug of its second side."""
    for row in cross_reactions.everything():
        allergen, drug = drug_classes.by_id(row.of), drug_classes.by_id(row.to)
        members = sorted(drug_classes.members(drug), key=lambda each: each.name) if drug else []
        if not drug:
            yield row, allergen.name if allergen else row.of, row.to
        for each in members:
            if allergen and closest(allergen, each) == row and not (within(allergen, each) or alike(allergen, each)):
                yield row, allergen.name, each.name
                break


@pytest.mark.parametrize(("row", "allergen", "drug"), [*_rows()], ids=lambda each: getattr(each, "of", each))
def test_a_cross_reaction_is_told_as_what_it_is(row: CrossReaction, allergen: str, drug: str) -> None:
    medications = ingredient_orders()[drug.upper()]
    sources = record(*allergy(allergen.upper()), *medications)
    told = drug_of_an_allergic_class(sources)
    alerts = [render(each, sources) for each in told if each.kind == STATEMENT_KIND_ALERT]
    proposed = any(each.kind == STATEMENT_KIND_PROPOSAL for each in told)
    if row.strength is Strength.UNLIKELY:
        assert alerts == []
        return
    [alert] = alerts
    assert f"cross-reaction {row.strength}: {row.evidence}" in alert.text
    assert proposed is (row.strength is Strength.LIKELY)
    assert Verifier(sources).verify(alert.text, alert.citations).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("allergen", "drug", "words"),
    [
        ("SULFA", "BACTRIM DS 800-160 MG TAB", "(sulfonamide antibiotic)"),
        ("CEPHALOSPORINS", "KEFLEX 500 MG CAP", "(cephalosporin)"),
        ("NSAIDS", "NAPROXEN 500 MG TAB", "(NSAID)"),
        ("STATINS", "ZOCOR 20 MG TAB", "(statin)"),
        ("PENICILLIN", "AUGMENTIN 875 MG TAB", "(penicillin)"),
        ("VICODIN", "TYLENOL 500 MG TAB", "although an allergy is recorded"),
    ],
)
def test_an_alert_names_the_class_and_every_word_of_it_is_supported(allergen: str, drug: str, words: str) -> None:
    [medications] = orders([drug]).values()
    sources = record(*allergy(allergen), *medications)
    told = [render(each, sources) for each in drug_of_an_allergic_class(sources)]
    assert words in told[0].text
    for each in told:
        assert Verifier(sources).verify(each.text, each.citations).verdict is Verdict.SUPPORTED, each.text
