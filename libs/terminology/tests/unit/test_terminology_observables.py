"""Observables: the tables are whole, every name and code leads back, and no other specimen or property slips in."""

import re
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import areas, observables, units
from terminology.concepts import LOINC, SNOMED
from terminology.names import named, other_specimen, panel, panels, short_name
from terminology.observables import by_id, by_loinc, equation, equivalents, key, of
from terminology.results import by_local, by_name
from terminology.specimens import specimen, specimen_in
from terminology.substances import related_units, substance
from terminology.tables import read

ALL = tuple(observables.observables().values())
ALIASES = read("local_codes", ("alias", "loinc", "source"))
KINDS = {"laboratory", "vital-sign", "score", "finding", "survey", "demographic", "document", "panel"}
TABLES = {
    "elements": ("element", "weight", "source"),
    "local_codes": ("alias", "loinc", "source"),
    "observable_codes": ("loinc", "name", "observable", "differs", "substance", "source"),
    "observables": (
        "id", "loinc", "name", "kind", "analyte", "specimen", "property", "unit", "decimals", "units", "substance",
        "family", "low", "high", "short", "names", "abbreviations", "source",
    ),
    "qualifiers": ("word", "because", "source"),
    "panels": ("panel", "names", "abbreviations", "loinc", "members", "source"),
    "relations": ("substance", "unit", "to", "factor", "offset", "source"),
    "specimens": ("specimen", "counts_as", "words", "hl7", "snomed", "source"),
    "substances": ("substance", "formula", "mass", "valence", "source"),
    "ucum_atoms": ("atom", "value", "unit", "offset", "metric", "source"),
    "unit_readings": ("spelling", "units", "source"),
    "units": ("ucum", "printed", "spellings", "prose", "misread", "source"),
}  # fmt: skip


def concept(code: str, display: str = "", system: str = LOINC) -> CodedConcept:
    return CodedConcept(system=system, code=code, display=display)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_sources_that_are_listed(name: str) -> None:
    sources = {row["key"] for row in read("sources", ("key", "document", "licence"))}
    rows = read(name, TABLES[name])
    assert rows
    for row in rows:
        assert row.several("source"), row.line
        assert set(row.several("source")) <= sources, row.line


def test_an_observable_is_whole() -> None:
    for known in ALL:
        assert known.kind in KINDS, known.id
        assert known.analyte, known.id
        assert known.property, known.id
        assert known.short, known.id
        assert not known.specimen or specimen(known.specimen) is not None, known.id
        for part in filter(None, known.substance.split("/")):
            assert substance(part) or related_units(part) or part in ("albumin", "protein"), known.id


def test_the_units_of_an_observable_are_ucum_and_comparable() -> None:
    for known in ALL:
        assert units.ucum(known.unit) == known.unit if known.unit else not known.units, known.id
        assert all(units.ucum(unit) == unit for unit in known.units), known.id
        assert all(units.comparable(unit, known.unit, known.substance) for unit in known.units), known.id


def test_ids_and_codes_are_unique_and_codes_have_their_check_digit() -> None:
    codes = [*(known.loinc for known in ALL), *(code.loinc for code in equivalents())]
    assert len(codes) == len(set(codes))
    assert len(by_id()) == len(ALL)
    assert [code for code in codes if not _checks(code)] == []
    assert {code for group in panels() for code in group.loinc if not _checks(code)} == set()
    assert {code for area in areas.known().values() for code in area.results if not _checks(code)} == set()
    assert {code for area in areas.occasions().values() for code in area.results if not _checks(code)} == set()
    assert {code for row in areas.suitability().values() for code in row.results if not _checks(code)} == set()


def _checks(code: str) -> bool:
    """LOINC Users' Guide, appendix on the modulus 10 check digit."""
    body, _, digit = code.partition("-")
    doubled = (sum(divmod(int(c) * 2, 10)) if n % 2 == 0 else int(c) for n, c in enumerate(reversed(body)))
    return (10 - sum(doubled) % 10) % 10 == int(digit)


def test_every_name_leads_back_to_its_observable() -> None:
    for known in ALL:
        short = (known.short, known.short.upper(), known.short.lower())
        for name in (known.name, *known.names, *known.abbreviations, *short):
            assert known in named(name), f"{known.id}: {name}"


def test_every_code_leads_back_to_its_observable() -> None:
    for known in ALL:
        assert by_loinc(known.loinc) is not None, known.id
        assert of(concept(known.loinc)) == known, known.id
        assert short_name(concept(known.loinc)) == known.short, known.id


def test_every_panel_leads_to_its_members() -> None:
    for group in panels():
        for name in (group.id, *group.names, *group.abbreviations, *group.loinc):
            assert panel(name) is not None, name
        for name in (*group.names, *group.abbreviations):
            assert set(group.members) <= set(named(name))
    pressure = panel("BP")
    assert pressure is not None
    assert [member.loinc for member in pressure.members] == ["8480-6", "8462-4"]
    assert pressure.loinc == {"85354-9", "55284-4", "18684-1"}


@pytest.mark.parametrize(
    ("name", "loinc"),
    [
        ("HR", "8867-4"), ("RR", "9279-1"), ("SpO2", "59408-5"), ("Cr", "2160-0"), ("K", "2823-3"), ("Na", "2951-2"),
        ("HbA1c", "4548-4"), ("A1c", "4548-4"), ("LFTs", "1742-6"), ("WBC", "6690-2"), ("Hb", "718-7"),
        ("Hgb", "718-7"), ("Plt", "777-3"), ("INR", "6301-6"), ("ACR", "9318-7"), ("uACR", "9318-7"),
        ("eGFR", "33914-3"), ("BNP", "30934-4"), ("TSH", "3016-3"), ("BP", "8480-6"), ("bp", "8462-4"),
        ("sugar", "2345-7"), ("sugar", "4548-4"), ("kidney function", "2160-0"), ("Kidney Function", "33914-3"),
        ("blood count", "718-7"), ("blood fats", "2093-3"), ("creatinine in urine", "2161-8"), ("troponin", "10839-9"),
    ],
)  # fmt: skip
def test_what_physicians_and_laymen_say_is_known(name: str, loinc: str) -> None:
    assert loinc in {known.loinc for known in named(name)}


@pytest.mark.parametrize("name", ["na", "k", "ca", "xyz", "", "mg"])
def test_a_short_abbreviation_in_another_case_is_nothing(name: str) -> None:
    assert named(name) == ()


def test_an_equivalent_says_what_differs_and_shares_the_key() -> None:
    for code in equivalents():
        assert code.differs
        assert key(concept(code.loinc)) == key(concept(code.observable.loinc))
        assert equation(concept(code.loinc)) == code.differs
        assert code.observable in named(code.name)
    assert equation(concept("2160-0")) == ""


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        ("2160-0", "1.680", "mg/dL", "1.680"),
        ("2160-0", "121", "umol/L", "1.37"),
        ("14682-9", "121", "umol/L", "1.37"),
        ("4548-4", "55", "mmol/mol", "7.2"),
        ("718-7", "121", "g/L", "12.1"),
        ("3094-0", "9.3", "mmol/L", "26.1"),
        ("2823-3", "5.0", "meq/L", "5.0"),
        ("29463-7", "850", "g", "0.85"),
        ("29463-7", "180", "lb", "81.6"),
        ("3091-6", "60", "mg/dL", "28.0"),
        ("22664-7", "9.3", "mmol/L", "26.1"),
        ("8310-5", "98.6", "°F", "37.0"),
        ("6690-2", "7200", "/uL", "7.2"),
        ("8302-2", "1.755", "m", "175.5"),
        ("1742-6", "40", "IU/L", "40"),
        ("6301-6", "2.50", "1", "2.50"),
        ("2345-7", "5.5", "mmol/L", "99"),
        ("8480-6", "16.0", "kPa", "120"),
    ],
)
def test_values_come_in_the_records_unit_with_the_digits_sent(code: str, value: str, unit: str, expected: str) -> None:
    known = by_loinc(code)
    assert known is not None
    assert str(known.in_unit(Decimal(value), unit)) == expected


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("718-7", "g/mL"),
        ("33914-3", "mL/min"),
        ("2160-0", "%"),
        ("2160-0", ""),
        ("4548-4", "mg/dL"),
        ("2823-3", "ng/mL"),
    ],
)
def test_a_result_in_a_strange_unit_is_not_converted(code: str, unit: str) -> None:
    known = by_loinc(code)
    assert known is not None
    assert not known.accepts(unit)
    assert known.in_unit(Decimal(5), unit) is None


@given(st.decimals(0, 10**6, places=3))
def test_a_number_in_the_records_unit_keeps_every_digit(value: Decimal) -> None:
    known = by_loinc("2160-0")
    assert known is not None
    assert str(known.in_unit(value, "mg/dL")) == str(value)


def test_results_of_a_code_compare_in_any_unit_of_its_substance() -> None:
    assert observables.convert(Decimal(1), "g", "mg") == 1000
    assert observables.convert(Decimal(1), "mg/dL", "umol/L", "unknown") is None
    converted = observables.convert(Decimal("1.0"), "mg/dL", "umol/L", "2160-0")
    assert converted is not None
    assert float(converted) == pytest.approx(88.4, rel=1e-4)


def test_another_specimen_is_another_observable() -> None:
    pairs = [
        ("2160-0", "2161-8"),
        ("2345-7", "2342-4"),
        ("2823-3", "2828-2"),
        ("3016-3", "29575-8"),
        ("1963-8", "1960-4"),
    ]
    for blood, other in pairs:
        assert key(concept(blood)) != key(concept(other))


def test_no_equivalent_crosses_from_blood_to_another_specimen() -> None:
    for code in equivalents():
        match = re.search(r"\] (?:in|of) (?P<specimen>[A-Z].*?)(?: by |$)", code.name)
        own = specimen(code.observable.specimen)
        if match and own:
            other = specimen(match["specimen"])
            assert other is not None, code.name
            assert other == own or (other.is_blood and own.is_blood)


def test_equations_of_kidney_function_are_one_family_and_stay_told_apart() -> None:
    codes = ["33914-3", "48642-3", "48643-1", "62238-1", "77147-7", "88293-6", "88294-4", "98979-8"]
    assert {key(concept(code)) for code in codes} == {f"{LOINC}|33914-3"}
    assert equation(concept("98979-8")) == "equation: CKD-EPI 2021"
    # Equations with a race coefficient are left as they are.
    for code in ("48643-1", "88293-6", "88294-4"):
        known = of(concept(code))
        assert known is not None
        assert (known.loinc, known.family) == (code, "egfr")


def test_a_local_name_is_its_observable_in_its_unit_only() -> None:
    for row in ALIASES:
        alias, known = row["alias"], by_loinc(row["loinc"])
        assert known is not None, alias
        assert by_local(alias, known.observable.unit) == known, alias
        assert by_local(alias, "furlong") is None, alias
        if specimen(known.observable.specimen) and known.observable.specimen != "urine":
            assert by_local(alias, known.observable.unit, (f"{alias} urine",)) is None, alias


@pytest.mark.parametrize(
    ("name", "unit", "loinc"),
    [
        ("Creatinine", "mg/dL", "2160-0"),
        ("Serum creatinine", "umol/L", "2160-0"),
        ("HbA1c", "mmol/mol", "4548-4"),
        ("Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", "2160-0"),
        ("Creatinine[Mass/volume]inBlood", "mg/dL", "2160-0"),
        ("Hemoglobin A1c/Hemoglobin.total in Blood", "%", "4548-4"),
        ("Haemoglobin", "g/L", "718-7"),
        ("Urea", "mmol/L", "3094-0"),
        ("Blood urea nitrogen", "mg/dL", "3094-0"),
        ("eGFR (CKD-EPI)", "ml/min/1.73m2", "33914-3"),
        ("Urine albumin/creatinine ratio", "mg/g", "9318-7"),
        ("Albumin/Creatinine [Mass Ratio] in Urine", "mg/mmol", "9318-7"),
        ("Systolic Blood Pressure", "mmHg", "8480-6"),
        ("Urine creatinine", "mg/dL", "2161-8"),
        ("K", "mmol/L", "2823-3"),
    ],
)
def test_a_printed_name_is_one_observable(name: str, unit: str, loinc: str) -> None:
    code = by_local(name, unit)
    assert code is not None
    assert code.observable.loinc == loinc
    assert by_name(name) == code


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Creatinine clearance", "mL/min"), ("Microalbumin", "mg/L"), ("Potassium, urine", "mmol/L"), ("xyz", "mg/dL"),
        ("", "mg/dL"), ("K", "kg"), ("ALB", "mg/L"), ("CA", "U/mL"), ("Glucose, capillary", "mg/dL"), ("K", ""),
        ("Glucose CSF", "mg/dL"), ("Calcium ionised urine", "mmol/L"), ("Creatinine", "mg/dl/x"), ("GHB", "%"),
        ("DDIMER", "ug/mL"),
    ],
)  # fmt: skip
def test_another_specimen_unit_or_an_unknown_name_is_never_guessed(name: str, unit: str) -> None:
    assert by_local(name, unit) is None


@pytest.mark.parametrize(
    ("code", "unit", "beside"),
    [
        ("WT", "kg", "Birth weight"),
        ("WT", "kg", "Target weight"),
        ("WT", "kg", "Weight loss"),
        ("HR", "/min", "Fetal heart rate"),
        ("CREA", "mg/dL", "Creatinine clearance"),
        ("BILI", "mg/dL", "Direct bilirubin"),
        ("CA", "mg/dL", "Calcium corrected for albumin"),
        ("K", "mmol/L", "Sodium"),
        ("GLU", "mg/dL", "Glucose 2h post"),
        ("SBP", "mmHg", "Systolic standing"),
        ("WT", "g", "Placenta weight"),
        ("WT", "kg", "Dry weight"),
        ("HT", "cm", "Height of fundus"),
        ("TEMP", "Cel", "Incubator temperature"),
    ],
)
def test_a_text_that_names_or_qualifies_something_else_refuses_the_code(code: str, unit: str, beside: str) -> None:
    assert by_local(code, unit) is not None
    assert by_local(code, unit, (beside,)) is None


@pytest.mark.parametrize(
    ("code", "unit", "order", "is_known"),
    [
        ("CA", "mmol/L", "Ionised calcium", False),
        ("GLU", "mg/dL", "Glucose tolerance test", False),
        ("WT", "g", "Birth weight", False),
        ("GLU", "mmol/L", "Lumbar puncture", False),
        ("GLU", "mg/dL", "Post dialysis panel", True),
        ("TSH", "mIU/L", "TSH with free T4", True),
        ("CA", "mmol/L", "Calcium", True),
    ],
)
def test_an_order_that_qualifies_what_a_code_names_refuses_it(
    code: str, unit: str, order: str, *, is_known: bool
) -> None:
    material = specimen_in(order)
    within = [order, *([material.name] if material else [])]
    assert (by_local(code, unit, within=within) is not None) is is_known


@pytest.mark.parametrize(
    ("code", "unit", "beside"),
    [
        ("KREA", "umol/L", "Kreatinin"),
        ("CREA", "mg/dL", "Creatinine (enzymatic)"),
        ("EGFR", "mL/min/1.73m2", "Estimated GFR"),
        ("DBIL", "mg/dL", "Direct bilirubin"),
        ("UREA", "mmol/L", "Urea"),
        ("GLU", "mg/dL", "Glucose [Mass/volume] in Blood"),
        ("PLT", "10*9/L", "Platelets"),
        ("K", "mmol/L", "local text of the laboratory"),
    ],
)
def test_a_text_that_says_the_same_or_nothing_known_does_not(code: str, unit: str, beside: str) -> None:
    assert by_local(code, unit, (beside,)) is not None


def test_an_order_speaks_for_its_specimen_only() -> None:
    assert by_local("WBC", "/uL", (), ("Urinalysis",)) is None
    assert by_local("GLU", "mg/dL", (), ("CSF analysis",)) is None
    assert by_local("K", "mmol/L", (), ("Glucose tolerance",)) is not None


def test_a_specimen_beside_the_code_counts_too() -> None:
    assert by_local("CREA", "mg/dL", ("Creatinine", "in Harn")) is None
    assert by_local("CREA", "mg/dL", ("Creatinine", "Serum")) is not None
    assert by_local("UCREA", "mg/dL", ("Creatinine, serum",)) is None


@pytest.mark.parametrize(
    ("text", "name", "specimen_name"),
    [
        (concept("2160-0"), "creatinine", ""),
        (concept("2161-8"), "urine creatinine", "urine"),
        (concept("1-8", "Acyclovir [Susceptibility]"), "Acyclovir", ""),
        (concept("x", "Zink [Mass/volume] in Urine by Flame"), "Zink in urine", "urine"),
        (concept("x", "Zink [Mass/volume] in Serum or Plasma"), "Zink", ""),
        (concept("x"), "x", ""),
        (concept("x", "Fever", SNOMED), "Fever", ""),
    ],
)
def test_a_reader_sees_a_short_name_with_the_specimen_that_is_not_blood(
    text: CodedConcept, name: str, specimen_name: str
) -> None:
    assert short_name(text) == name
    assert other_specimen(text) == specimen_name


def test_a_code_of_another_system_counts_only_by_a_whole_long_name() -> None:
    assert of(concept("C1", "Creatinine [Mass/volume] in Serum or Plasma", "urn:lab")) == of(concept("2160-0"))
    for display in ("Creatinine", "Address", "Sex", "Creatinine [Mass/volume] in Sweat", ""):
        assert of(concept("C1", display, "urn:lab")) is None
    assert key(concept("C1", "Creatinine", "urn:lab")) == "urn:lab|C1"
    assert key(concept("", " Some  Thing ", "")) == "display|some thing"


def test_limits_of_a_living_patient_refuse_a_lost_decimal_point() -> None:
    known = by_id()["creatinine"]
    assert known.plausible(Decimal("1.68"))
    assert not known.plausible(Decimal(168))
    assert by_id()["tsh"].plausible(Decimal(10**6))


def test_the_names_that_several_share_lead_to_all_of_them() -> None:
    shared = Counter(observables.plain(known.short) for known in ALL)
    for name, count in shared.items():
        assert len(named(name)) >= count


@pytest.mark.parametrize(("loinc", "named"), [("14682-9", "2160-0"), ("26464-8", "26464-8"), ("6690-2", "6690-2")])
def test_a_record_names_a_code_by_its_observable_unless_that_adds_a_method(loinc: str, named: str) -> None:
    code = observables.by_loinc(loinc)
    assert code is not None
    assert code.concept.code == named
    assert observables.of(code.concept) is code.observable


@pytest.mark.parametrize(
    ("loinc", "unit", "value", "expected"),
    [
        ("6690-2", "G/L", "5.4", "5.4"),
        ("777-3", "G/l", "210", "210"),
        ("718-7", "G/L", "134", "13.4"),
        ("718-7", "g/L", "134", "13.4"),
        ("6690-2", "g/L", "5.4", None),
        ("2823-3", "G/L", "5.4", None),
    ],
)
def test_a_spelling_of_two_units_is_the_one_that_fits_what_is_measured(
    loinc: str, unit: str, value: str, expected: str | None
) -> None:
    code = observables.by_loinc(loinc)
    assert code is not None
    assert code.accepts(unit) == (expected is not None)
    assert code.in_unit(Decimal(value), unit) == (Decimal(expected) if expected else None)


def test_a_shared_spelling_names_units_that_exist() -> None:
    for row in read("unit_readings", TABLES["unit_readings"]):
        assert len(set(row.several("units"))) > 1, row.line
        assert units.readings(row["spelling"]) == row.several("units")
        assert all(units.ucum(code) == code for code in row.several("units")), row.line
