"""Allergens are read from codes and words, and every drug is told as what it is to an allergen, or not at all."""

from operator import attrgetter

import pytest
from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import cross_reactions, drug_classes, drugs, tables
from terminology.allergens import (
    Allergen,
    RelationKind,
    alike,
    allergen_classes,
    allergens_in,
    allergens_of,
    concept_of,
    mentions,
    relation,
)
from terminology.concepts import RXNORM, SNOMED
from terminology.cross_reactions import Strength
from terminology.drugs import Ingredient

COLUMNS = ("name", "kind", "target", "alike", "synonyms", "codes", "source")
CLASSES = sorted(allergen_classes(), key=attrgetter("id"))


def _ingredient(name: str) -> Ingredient:
    ingredient = drugs.by_name(name)
    assert ingredient, name
    return ingredient


def _allergen(text: str) -> Allergen:
    allergens = allergens_in(text)
    assert len(allergens) == 1, allergens
    return allergens[0]


def _wider(drug_class: drug_classes.DrugClass) -> set[str]:
    """The ids of a class and of all that hold it, by the rows alone."""
    parents = (drug_classes.by_id(each) for each in drug_class.parents)
    return {drug_class.id}.union(*(_wider(each) for each in parents if each))


def _crosses(drug_class: drug_classes.DrugClass, ingredient: Ingredient) -> bool:
    """Whether a row joins the two, or a wider class whose members are alike holds both."""
    own, to = _wider(drug_class), {each.id for each in drug_classes.classes_of(ingredient)}
    crossed = any(each.of in own and each.to in {ingredient.name, *to} for each in cross_reactions.everything())
    return crossed or any(each.id in own & to for each in alike())


def test_every_row_is_of_a_known_kind_and_its_target_exists() -> None:
    for row in tables.read("allergens", COLUMNS):
        if row["kind"] == "class":
            drug_class = drug_classes.by_id(row["target"])
            assert drug_class, row["target"]
            assert row["name"] == drug_class.name
        elif row["kind"] == "ingredient":
            assert drugs.by_name(row["target"]), row["target"]
        else:
            assert row["kind"] in {"substance", "unspecified"}
            assert row["target"] == row["name"]
            assert not row["alike"]


@pytest.mark.parametrize("drug_class", CLASSES, ids=[each.id for each in CLASSES])
def test_every_member_of_an_allergen_class_alerts_and_an_unrelated_drug_does_not(
    drug_class: drug_classes.DrugClass,
) -> None:
    members = drug_classes.members(drug_class)
    assert members
    for name in drug_class.names:
        assert drug_class in {each.drug_class for each in allergens_in(name.upper())}, name
    allergen = Allergen(drug_class.name, drug_class=drug_class)
    for ingredient in drugs.everything():
        told = relation(allergen, ingredient)
        if ingredient in members:
            assert told
            assert (told.kind, told.drug_class) == (RelationKind.CLASS, drug_class)
        else:
            assert bool(told) == _crosses(drug_class, ingredient), ingredient.name


def test_every_ingredient_alerts_for_itself_by_each_of_its_names() -> None:
    for ingredient in drugs.everything():
        for name in ingredient.names:
            told = [relation(allergen, ingredient) for allergen in allergens_in(name)]
            assert any(each and each.kind is RelationKind.INGREDIENT for each in told), name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SULFA", {"sulfonamide antibiotic"}),
        ("sulfa drugs", {"sulfonamide antibiotic"}),
        ("SULFA (SULFONAMIDE ANTIBIOTICS)", {"sulfonamide antibiotic"}),
        ("CEPHALOSPORINS", {"cephalosporin"}),
        ("NSAIDS", {"NSAID"}),
        ("STATINS", {"statin"}),
        ("PCN", {"penicillin"}),
        ("penicillins", {"penicillin"}),
        ("PENICILLIN G", {"penicillin G"}),
        ("ACE inhibitors", {"ACE inhibitor"}),
        ("Bactrim", {"sulfamethoxazole", "trimethoprim"}),
        ("Sulfamethoxazole / Trimethoprim", {"sulfamethoxazole", "trimethoprim"}),
        ("Peanut Allergy", {"Peanut"}),
        ("latex, peanuts and eggs", {"Latex", "Peanut", "Egg"}),
        ("insulin", {"insulin", "insulin human"}),
        ("XYZallergen", set()),
    ],
)
def test_an_allergy_is_known_as_it_is_written(text: str, names: set[str]) -> None:
    assert {each.name for each in allergens_in(text)} == names


@pytest.mark.parametrize(
    ("system", "code", "names"),
    [
        (SNOMED, "91936005", {"penicillin"}),
        (SNOMED, "300916003", {"Latex"}),
        (SNOMED, "293586001", {"aspirin"}),
        (SNOMED, "609328004", {"Allergic disposition"}),
        (RXNORM, "70618", {"penicillin"}),
        (RXNORM, "10831", {"sulfamethoxazole", "trimethoprim"}),
    ],
)
def test_an_allergy_is_known_by_its_code_alone(system: str, code: str, names: set[str]) -> None:
    assert {each.name for each in allergens_of(CodedConcept(system=system, code=code))} == names


def test_every_allergen_comes_back_from_its_coded_form() -> None:
    written = [each for row in tables.read("allergens", COLUMNS) for each in allergens_in(row["name"])]
    for allergen in (*written, *(Allergen(each.name, drug_class=each) for each in drug_classes.everything())):
        assert allergens_of(concept_of(allergen)) == (allergen,)


@pytest.mark.parametrize(
    ("allergy", "drug", "kind"),
    [
        ("sulfa", "sulfamethoxazole", RelationKind.CLASS),
        ("cephalosporins", "Keflex", RelationKind.CLASS),
        ("nsaids", "naproxen", RelationKind.CLASS),
        ("statins", "Zocor", RelationKind.CLASS),
        ("beta-lactams", "cefazolin", RelationKind.CLASS),
        ("amoxicillin", "amoxicillin", RelationKind.INGREDIENT),
        ("amoxicillin", "piperacillin", RelationKind.SAME_CLASS),
        ("aspirin", "ibuprofen", RelationKind.SAME_CLASS),
        ("lisinopril", "ramipril", RelationKind.SAME_CLASS),
        ("codeine", "morphine", RelationKind.SAME_CLASS),
        ("aminopenicillins", "penicillin V", RelationKind.SAME_CLASS),
        ("low molecular weight heparin", "heparin", RelationKind.SAME_CLASS),
        ("furosemide", "torsemide", RelationKind.SAME_CLASS),
        ("erythromycin", "telithromycin", RelationKind.SAME_CLASS),
    ],
)
def test_a_relation_says_what_it_is(allergy: str, drug: str, kind: RelationKind) -> None:
    told = relation(_allergen(allergy), _ingredient(drug))
    assert told
    assert told.kind is kind


@pytest.mark.parametrize(
    ("allergy", "drug", "strength"),
    [
        ("amoxicillin", "cephalexin", Strength.LIKELY),
        ("amoxicillin", "ceftriaxone", Strength.POSSIBLE),
        ("cephalexin", "amoxicillin", Strength.LIKELY),
        ("penicillin", "meropenem", Strength.UNLIKELY),
        ("ceftazidime", "aztreonam", Strength.LIKELY),
        ("cefazolin", "aztreonam", Strength.UNLIKELY),
        ("sulfa", "furosemide", Strength.UNLIKELY),
        ("sulfa", "sulfasalazine", Strength.LIKELY),
        ("sulfa", "simeprevir", Strength.POSSIBLE),
        ("vancomycin", "dalbavancin", Strength.POSSIBLE),
        ("aminopenicillins", "ceftriaxone", Strength.POSSIBLE),
        ("aminopenicillins", "cephalexin", Strength.LIKELY),
        ("meropenem", "penicillin G", Strength.POSSIBLE),
        ("oxcarbazepine", "eslicarbazepine", Strength.LIKELY),
    ],
)
def test_the_narrowest_cross_reaction_is_told_with_its_evidence(allergy: str, drug: str, strength: Strength) -> None:
    told = relation(_allergen(allergy), _ingredient(drug))
    assert told
    assert told.kind is RelationKind.CROSS_REACTION
    assert told.cross_reaction
    assert told.cross_reaction.strength is strength
    assert told.cross_reaction.evidence.endswith(")")
    assert told.cross_reaction.sources


@pytest.mark.parametrize(
    ("allergy", "drug"),
    [
        ("penicillin", "metformin"),
        ("amoxicillin", "azithromycin"),
        ("sulfa", "trimethoprim"),
        ("spironolactone", "furosemide"),
        ("peanut", "amoxicillin"),
        ("digoxin", "digoxin immune fab"),
        ("furosemide", "ethacrynic acid"),
        ("iron dextran", "ferric citrate"),
    ],
)
def test_a_drug_that_no_row_relates_to_the_allergy_has_no_relation(allergy: str, drug: str) -> None:
    assert relation(_allergen(allergy), _ingredient(drug)) is None


def test_every_cross_reaction_joins_what_exists() -> None:
    for each in cross_reactions.everything():
        for end in (each.of, each.to):
            assert drug_classes.by_id(end) or drugs.by_name(end), end


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("Penicillin allergy since childhood", [("Penicillin", {"penicillin"})]),
        ("allergic to Bactrim and latex", [("Bactrim", {"sulfamethoxazole", "trimethoprim"}), ("latex", {"Latex"})]),
        ("amoxicillin-clavulanate", [("amoxicillin", {"amoxicillin"}), ("clavulanate", {"clavulanate"})]),
        ("penicillin, G", [("penicillin", {"penicillin"})]),
        ("latex free gloves, penicillin allergy test", []),
    ],
)
def test_allergens_are_mentioned_at_their_characters(text: str, mentioned: list[tuple[str, set[str]]]) -> None:
    told = [(text[each.start : each.end], {one.name for one in each.allergens}) for each in mentions(text)]
    assert told == mentioned


def test_every_name_of_an_allergen_is_mentioned() -> None:
    for row in tables.read("allergens", COLUMNS):
        (mention,) = mentions(f"allergic to {row['name']}")
        assert set(mention.allergens) == set(allergens_in(row["name"])), row["name"]


def test_evidence_that_counts_the_allergic_to_one_is_not_told_of_the_other_way_round() -> None:
    counted = [each for each in cross_reactions.everything() if each.evidence.startswith("Fewer than")]
    turned = {(each.to, each.of): each.evidence for each in counted}
    assert counted
    assert not [each for each in cross_reactions.everything() if turned.get((each.of, each.to)) == each.evidence]
