"""The tables of drugs are whole and without contradiction; names, codes and displays lead to the right ingredients."""

from collections import Counter, defaultdict

import pytest
from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import drug_classes, drugs, products, tables
from terminology.concepts import NDC, RXNORM
from terminology.scan import words_of

TABLES = {
    "ingredients": ("name", "rxcui", "classes", "synonyms", "name_source", "rxcui_source", "class_source"),
    "drug_classes": ("class", "name", "synonyms", "parents", "source"),
    "brands": ("brand", "ingredients", "source"),
    "products": ("code", "ingredients", "source"),
    "ndc": ("ingredients", "products", "source"),
    "not_drugs": ("phrase", "source"),
    "allergens": ("name", "kind", "target", "alike", "synonyms", "codes", "source"),
    "cross_reactions": ("from", "to", "strength", "evidence", "source"),
}


def _names(text: str) -> set[str]:
    return {each.name for each in drugs.ingredients_in(text)}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_a_source_that_is_listed(name: str) -> None:
    known = {row["key"] for row in tables.read("sources", ("key", "document", "licence"))}
    columns = [column for column in TABLES[name] if column.endswith("source")]
    for row in tables.read(name, TABLES[name]):
        for column in columns:
            assert set(row.several(column)) <= known, f"{name}:{row.line}"


def test_every_ingredient_says_where_its_name_code_and_classes_come_from() -> None:
    for row in tables.read("ingredients", TABLES["ingredients"]):
        assert row["name_source"]
        assert bool(row["rxcui"]) == bool(row["rxcui_source"]), row["name"]
        assert bool(row["classes"]) == bool(row["class_source"]), row["name"]


def test_at_least_600_ingredients_are_known_each_once() -> None:
    ingredients = drugs.everything()
    assert len(ingredients) >= 600
    for attribute in ("id", "name"):
        counts = Counter(getattr(each, attribute) for each in ingredients)
        assert not [value for value, count in counts.items() if count > 1]


def test_every_name_leads_back_to_its_ingredient() -> None:
    for ingredient in drugs.everything():
        for name in ingredient.names:
            assert drugs.by_name(name) == ingredient, name
            assert drugs.ingredients_in(f"{name.upper()} 5 MG TAB") == (ingredient,), name


def test_no_name_means_two_ingredients_unless_it_is_a_combination() -> None:
    meanings: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in tables.read("ingredients", TABLES["ingredients"]):
        for name in (row["name"], *row.several("synonyms")):
            meanings[words_of(name)].add(row["name"])
    for row in tables.read("brands", TABLES["brands"]):
        meanings[words_of(row["brand"])].add(row["ingredients"])
    assert not {words: meaning for words, meaning in meanings.items() if len(meaning) > 1}


def test_every_brand_and_product_is_made_of_ingredients_of_the_table() -> None:
    own = {each.name for each in drugs.everything()}
    for table in ("brands", "products", "ndc"):
        for row in tables.read(table, TABLES[table]):
            assert set(row.several("ingredients")) <= own, f"{table}:{row.line}"
            assert row["ingredients"]


def test_every_code_stands_once() -> None:
    codes = [row["code"] for row in tables.read("products", TABLES["products"])]
    codes += [each.rxcui for each in drugs.everything() if each.rxcui]
    ndc = [product for row in tables.read("ndc", TABLES["ndc"]) for product in row.several("products")]
    for each in (codes, ndc):
        assert len(each) == len(set(each))
    assert all(len(product) == len("555554444") and product.isdigit() for product in ndc)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("METFORMIN HCL 500 MG TAB", {"metformin"}),
        ("Hydrocodone Bitartrate 5 MG / Acetaminophen 325 MG Oral Tablet", {"hydrocodone", "acetaminophen"}),
        ("HYDROCODONE-ACETAMINOPHEN 5-325", {"hydrocodone", "acetaminophen"}),
        ("amoxicillin 250 MG / clavulanate 125 MG Oral Tablet [Augmentin]", {"amoxicillin", "clavulanate"}),
        ("BACTRIM DS", {"sulfamethoxazole", "trimethoprim"}),
        ("Acetaminophen 300 MG / HYDROcodone Bitartrate 5 MG [Vicodin]", {"acetaminophen", "hydrocodone"}),
        ("Tylenol #3", {"acetaminophen", "codeine"}),
        ("Tylenol PM", {"acetaminophen", "diphenhydramine"}),
        ("Sudafed PE", {"phenylephrine"}),
        ("Ascomp with Codeine", {"aspirin", "butalbital", "caffeine", "codeine"}),
        ("Alka-Seltzer Plus", set()),
        ("Zantac 360", set()),
        ("Robitussin DM", {"dextromethorphan", "guaifenesin"}),
        ("Advil Cold & Sinus", {"ibuprofen", "pseudoephedrine"}),
        ("DigiFab", {"digoxin immune fab"}),
        ("digoxin immune fab (ovine) 40 MG Injection", {"digoxin immune fab"}),
        ("digoxin 0.125 MG Oral Tablet", {"digoxin"}),
        ("Lantus SoloStar 100 UNT/ML", {"insulin glargine"}),
        ("insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML [Humulin]", {"insulin human"}),
        ("insulin syringe 1 ML", set()),
        ("aspirin-free Tylenol", {"acetaminophen"}),
        ("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]", {"metoprolol"}),
        ("Lasix 40mg", {"furosemide"}),
        ("potassium chloride 20 MEQ", {"potassium chloride"}),
        ("losartan potassium 50 MG", {"losartan"}),
        ("isosorbide mononitrate 30 MG", {"isosorbide mononitrate"}),
        ("isosorbide dinitrate 10 MG", {"isosorbide dinitrate"}),
        ("lithium carbonate 300 MG", {"lithium"}),
        ("rho(D) immune globulin", {"rho(D) immune globulin"}),
        ("salbutamol 100 microgram inhaler", {"albuterol"}),
        ("paracetamol 1 g", {"acetaminophen"}),
        ("sumatriptan tacrolimus clopidogrel cefuroxime", {"sumatriptan", "tacrolimus", "clopidogrel", "cefuroxime"}),
        ("penicillin", set()),
        ("heart murmur", set()),
    ],
)
def test_a_display_names_its_ingredients_and_nothing_else(text: str, names: set[str]) -> None:
    assert _names(text) == names


@pytest.mark.parametrize(
    ("system", "code", "names"),
    [
        (RXNORM, "6809", {"metformin"}),
        (RXNORM, "10831", {"sulfamethoxazole", "trimethoprim"}),
        (RXNORM, "562251", {"amoxicillin", "clavulanate"}),
        (NDC, "0093-1048-01", {"metformin"}),
        (NDC, "00093-1048-01", {"metformin"}),
        (NDC, "00093104801", {"metformin"}),
        (NDC, "0093104801", {"metformin"}),
        (NDC, "no code", set()),
        (drugs.LONGITUDE, "longitude:sumatriptan", {"sumatriptan"}),
        ("http://loinc.org", "6809", set()),
    ],
)
def test_a_code_of_a_known_system_leads_to_its_ingredients(system: str, code: str, names: set[str]) -> None:
    assert {each.name for each in drugs.ingredients_of_code(system, code)} == names


def test_a_code_is_stronger_than_a_display_and_an_unknown_code_leaves_the_display() -> None:
    known = CodedConcept(system=RXNORM, code="6809", display="lisinopril")
    unknown = CodedConcept(system=RXNORM, code="0", display="lisinopril")
    assert [each.name for each in drugs.ingredients_of(known)] == ["metformin"]
    assert [each.name for each in drugs.ingredients_of(unknown)] == ["lisinopril"]


def test_ten_digits_that_two_products_may_mean_are_unknown() -> None:
    assert products.ndc("0037-8120-00") == ("alprostadil",)
    assert products.ndc("00378-1200-0") == ("acebutolol",)
    assert products.ndc("0037812000") == ()


def test_every_ingredient_comes_back_from_its_coded_form() -> None:
    for ingredient in drugs.everything():
        assert drugs.ingredients_of(drugs.concept_of(ingredient)) == (ingredient,)


def test_every_class_exists_and_none_contains_itself() -> None:
    identifiers = {each.id for each in drug_classes.everything()}
    for each in drug_classes.everything():
        assert set(each.parents) <= identifiers
    for ingredient in drugs.everything():
        assert set(ingredient.classes) <= identifiers, ingredient.name
        classes = drug_classes.classes_of(ingredient)
        assert len(classes) == len(set(classes))
        own = {each.id for each in classes[: len(ingredient.classes)]}
        assert not own & {parent for each in classes for parent in each.parents}, ingredient.name


def test_every_name_of_a_class_leads_back_to_it() -> None:
    for each in drug_classes.everything():
        for name in each.names:
            assert drug_classes.class_named(name.upper()) == each, name


def test_a_class_contains_the_members_of_the_classes_below_it() -> None:
    def members(text: str) -> set[str]:
        drug_class = drug_classes.class_named(text)
        assert drug_class
        return {each.name for each in drug_classes.members(drug_class)}

    assert {"amoxicillin", "penicillin G", "cefazolin", "meropenem", "aztreonam"} <= members("beta-lactams")
    assert members("aminopenicillins") < members("PCN") < members("beta-lactams") < members("antibiotics")
    assert "insulin glargine" in members("insulins")
    assert "digoxin immune fab" not in members("cardiac glycosides")


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("NSAIDS", "nsaid"),
        ("STATINS", "statin"),
        ("ACE-I", "ace-inhibitor"),
        ("sulfa drugs", "sulfonamide-antibacterial"),
        ("CEPHALOSPORINS", "cephalosporin"),
        ("SGLT-2 inhibitors", "sglt2-inhibitor"),
        ("blood thinners", "anticoagulant"),
    ],
)
def test_a_class_is_known_as_readers_write_it(text: str, identifier: str) -> None:
    drug_class = drug_classes.class_named(text)
    assert drug_class
    assert drug_class.id == identifier


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anticholinergic", "cholinergic-muscarinic-agonist"),
        ("parenteral-iron", "phosphate-binder"),
        ("potassium-salt", "laxative"),
        ("programmed-death-ligand-1-blocker", "programmed-death-receptor-1-blocking-antibody"),
        ("opioid", "opioid-antagonist"),
        ("penicillin", "cephalosporin"),
        ("sulfonamide-antibacterial", "sulfonamide-nonantibiotic"),
        ("anticoagulant", "antifibrinolytic-agent"),
        ("amide-local-anesthetic", "ester-local-anesthetic"),
        ("sglt2-inhibitor", "glp1-agonist"),
        ("ace-inhibitor", "angiotensin-receptor-blocker"),
    ],
)
def test_no_ingredient_is_in_two_classes_that_exclude_each_other(one: str, other: str) -> None:
    first, second = drug_classes.by_id(one), drug_classes.by_id(other)
    assert first
    assert second
    assert drug_classes.members(first)
    assert drug_classes.members(second)
    assert not drug_classes.members(first) & drug_classes.members(second)


@pytest.mark.parametrize(
    "text",
    ["Walgreens", "CVS Pharmacy", "TopCare", "Meijer", "Sunmark", "scrub", "sea water", "justice"],
)
def test_a_shop_or_an_ordinary_word_is_no_drug(text: str) -> None:
    assert _names(text) == set()
    assert _names(f"{text} ibuprofen") == {"ibuprofen"}
