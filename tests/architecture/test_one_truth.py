"""Whatever ingestion can emit, terminology knows: every row of its tables, sent as a message, comes back as itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ingestion.domain.reading import Feed, read
from longitude.record.v1 import fact_pb2 as pb
from terminology import (
    absence,
    allergens,
    documents,
    drug_classes,
    drugs,
    encounters,
    names,
    observables,
    tables,
    units,
    vaccines,
)
from terminology.concepts import CVX, LOINC, NDC, RXNORM, SNOMED, concept
from terminology.drugs import Ingredient

ROOT = Path(__file__).resolve().parents[2]
_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})


def escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def facts(message_type: str, *segments: str) -> list[pb.ClinicalFact]:
    """What a message says beside birth date and sex."""
    header = f"MSH|^~\\&|APP|NORTH|||20240301||{message_type}|M1|P|2.5.1"
    reading = read("\r".join([header, "PID|1||P1^^^NORTH^MR", *segments, ""]).encode(), datetime.now(UTC), Feed())
    return [fact for fact in reading.content.facts if fact.kind != pb.FACT_KIND_DEMOGRAPHIC]


def ordered(drug: str) -> set[Ingredient]:
    """The ingredients that the facts of an order are about; each fact is about one."""
    codes = [fact.code for fact in facts("RDE^O11", "ORC|NW|RX1", f"RXE||{drug}|1||mg")]
    known = [drugs.ingredients_of_code(code.system, code.code) for code in codes]
    assert all(len(each) == 1 for each in known), codes
    return {ingredient for (ingredient,) in known}


def test_every_drug_that_a_name_means_comes_back_as_its_ingredients() -> None:
    for words, meant in drugs.names().items():
        assert ordered("^" + escaped(" ".join(words))) == set(meant), words


def test_every_code_of_a_drug_comes_back_as_its_ingredients() -> None:
    for ingredient in drugs.everything():
        if ingredient.rxcui:
            assert ordered(f"{ingredient.rxcui}^^RXNORM") == {ingredient}
    for row in tables.read("products", tables.header("products")):
        assert ordered(f"{row['code']}^^RXNORM") == set(drugs.ingredients_of_code(RXNORM, row["code"]))
    for row in tables.read("ndc", tables.header("ndc")):
        code = row.several("products")[0] + "01"
        assert ordered(f"{code}^^NDC") == set(drugs.ingredients_of_code(NDC, code))


def allergen_texts() -> Iterator[str]:
    yield from (name for ingredient in drugs.everything() for name in ingredient.names)
    yield from (name for drug_class in drug_classes.everything() for name in (drug_class.name, *drug_class.names))
    for row in tables.read("allergens", tables.header("allergens")):
        yield from (row["name"], *row.several("synonyms"))


def test_every_allergen_that_a_name_means_comes_back_as_itself() -> None:
    for text in dict.fromkeys(allergen_texts()):
        known = allergens.allergens_in(text)
        stated = facts("ADT^A60", f"IAM|1|DA|^{escaped(text)}")
        assert known, text
        assert [fact.code for fact in stated] == [allergens.concept_of(each) for each in known], text
        assert [allergens.allergens_of(fact.code) for fact in stated] == [(each,) for each in known], text


def test_every_code_of_an_allergen_comes_back_as_itself() -> None:
    for row in tables.read("allergens", tables.header("allergens")):
        for code in row.several("codes"):
            system, _, own = code.rpartition("#")
            name = "SCT" if system == SNOMED else "RXNORM"
            (stated,) = facts("ADT^A60", f"IAM|1|DA|{own}^^{name}")
            assert allergens.allergens_of(stated.code) == allergens.allergens_of(concept(system, own)), code


def test_every_result_comes_in_the_unit_of_its_observable() -> None:
    own = [observables.by_loinc(loinc) for loinc in observables.observables()]
    for code in [*filter(None, own), *observables.equivalents()]:
        for unit in (code.observable.unit, *code.observable.units):
            (fact,) = facts("ORU^R01", f"OBX|1|NM|{code.loinc}^^LN||5|{escaped(unit)}|||||F")
            assert observables.of(fact.code) is code.observable
            assert fact.quantity.unit == code.observable.unit, (code.loinc, unit)


def test_every_local_name_comes_back_as_its_observable() -> None:
    for row in tables.read("local_codes", tables.header("local_codes")):
        code = observables.by_loinc(row["loinc"])
        assert code is not None
        if code.observable.unit:
            (fact,) = facts("ORU^R01", f"OBX|1|NM|{row['alias']}^^L||5|{escaped(code.observable.unit)}|||||F")
            assert observables.of(fact.code) is code.observable, row["alias"]


def test_every_spelling_of_a_unit_comes_back_as_ucum() -> None:
    for row in tables.read("units", tables.header("units")):
        for spelling in filter(None, (row["ucum"], *row.several("spellings"))):
            (fact,) = facts("ORU^R01", f"OBX|1|NM|X^^L||5|{escaped(spelling)}|||||F")
            known = units.readings(spelling)
            assert row["ucum"] in known, spelling
            # What several units share stays as sent where nothing says what is measured.
            assert fact.quantity.unit == (row["ucum"] if len(known) == 1 else spelling), spelling
            assert units.ucum(row["ucum"]) == row["ucum"]


def test_every_vaccine_document_visit_and_absence_comes_back_as_itself() -> None:
    for row in tables.read("vaccines", vaccines.COLUMNS):
        for fact in facts("VXU^V04", "ORC|RE||1", f"RXA|0|1|20230901||{row['code']}^^CVX|1"):
            assert fact.code == concept(CVX, row["code"], row["display"])
    for row in tables.read("documents", documents.COLUMNS):
        for kind in (*row.several("types"), f"{row['code']}^^LN"):
            (fact,) = facts("MDM^T02", f"TXA|1|{kind}|TX|20240301")
            assert documents.of(fact.code) == fact.code == concept(LOINC, row["code"], row["display"])
    for row in tables.read("encounter_classes", encounters.CLASS_COLUMNS):
        (fact,) = facts("ADT^A01", f"PV1|1|{row['class']}")
        assert encounters.of(fact.code) == fact.code
    for row in tables.read("absence_codes", absence.CODE_COLUMNS):
        if row["meaning"] == "none" and row["about"].endswith("allergy"):
            (fact,) = facts("ADT^A60", f"IAM|1|DA|{row['code']}^^{row['system']}")
            stated = absence.of(fact.code)
            assert fact.assertion == pb.ASSERTION_ABSENT
            assert stated is not None
            assert (stated.meaning, stated.about) == (row["meaning"], row["about"])


def test_a_panel_of_blood_pressure_has_the_parts_that_a_value_is_split_into() -> None:
    panel = names.panel("blood-pressure")
    assert panel is not None
    both = facts("ORU^R01", "OBX|1|ST|BP^^L||142/88|mmHg|||||F")
    assert [fact.code.code for fact in both] == [member.loinc for member in panel.members]


def test_ingestion_has_no_table_of_meanings() -> None:
    stored = {path.stem for path in (ROOT / "services" / "ingestion" / "src").rglob("*.tsv")}
    assert stored == {
        "charsets",
        "allergy_kinds",
        "allergy_severities",
        "allergy_states",
        "appointment_events",
        "appointment_states",
        "coded_fields",
        "designations",
        "identifier_types",
        "message_types",
        "observation_states",
        "order_controls",
        "order_states",
        "placeholders",
        "problem_states",
        "report_states",
        "segments",
        "visit_events",
    }
