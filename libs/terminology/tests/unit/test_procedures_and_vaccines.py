"""Procedures, vaccines, visits, documents and answers: a code and a name lead to the same row."""

import pytest
from terminology import answers, documents, encounters, procedures, reports, tables, vaccines
from terminology.concepts import ACT_CODE, CPT, CVX, LOINC, NDC, SNOMED, concept


def test_every_name_of_a_procedure_leads_to_it() -> None:
    for row in tables.read("procedures", procedures.COLUMNS):
        for name in row.several("names"):
            assert row["code"] in {procedure.code for procedure in procedures.named(f"He had {name}.")}


@pytest.mark.parametrize("text", ["needs therapy", "the incision is clean", "counseling", "scheduling"])
def test_a_word_that_is_too_wide_names_no_procedure(text: str) -> None:
    assert procedures.named(text) == ()


def test_codes_of_cpt_are_unknown() -> None:
    assert procedures.of(concept(CPT, "71045", "whatever was sent")) is None
    assert procedures.short_name(concept(CPT, "71045", "whatever was sent")) == "whatever was sent"
    assert not [row for row in tables.read("procedures", procedures.COLUMNS) if row["system"] in {"CPT", "C4", "CPT4"}]


def test_a_plan_is_told_as_a_plan() -> None:
    plan = procedures.of(concept(SNOMED, "735985000"))
    assert plan is not None
    assert plan.kind == "plan"


@pytest.mark.parametrize(("code", "same"), [("3", "03"), ("03", "03"), ("140", "140"), (" 8", "08")])
def test_a_vaccine_is_known_with_and_without_leading_zeros(code: str, same: str) -> None:
    vaccine = vaccines.of(concept(CVX, code))
    assert vaccine is not None
    assert vaccine.code == same


def test_a_combined_vaccine_counts_for_all_of_its_series() -> None:
    vaccine = vaccines.of(concept(CVX, "110"))
    assert vaccine is not None
    assert set(vaccine.series) == {"DTaP-Tdap-Td", "HepB", "Polio"}
    assert all(vaccine in vaccines.of_series(series) for series in vaccine.series)


@pytest.mark.parametrize("code", ["998", "999"])
def test_no_vaccine_counts_for_nothing(code: str) -> None:
    vaccine = vaccines.of(concept(CVX, code))
    assert vaccine is not None
    assert not vaccine.is_given
    assert vaccine.series == vaccine.antigens == ()


def test_every_series_has_antigens_and_every_name_leads_to_its_vaccine() -> None:
    for row in tables.read("vaccines", vaccines.COLUMNS):
        assert bool(row["series"]) == bool(row["antigens"])
        for name in row.several("names"):
            assert row["code"] in {vaccine.code for vaccine in vaccines.named(f"Given: {name}")}


@pytest.mark.parametrize("code", ["49281-0215-88", "49281021588"])
def test_a_vaccine_is_known_by_its_national_drug_code(code: str) -> None:
    vaccine = vaccines.of(concept(NDC, code))
    assert vaccine is not None
    assert vaccine.code == "113"
    assert vaccines.of(concept(NDC, "49281")) is None


@pytest.mark.parametrize(("letter", "code"), [("I", "IMP"), ("e", "EMER"), ("O", "AMB"), ("P", "PRENC")])
def test_a_patient_class_leads_to_act_code(letter: str, code: str) -> None:
    assert encounters.of_class(letter) == encounters.of(concept(ACT_CODE, code))


@pytest.mark.parametrize("letter", ["", "U", "N", "X"])
def test_a_class_that_says_nothing_gives_none(letter: str) -> None:
    assert encounters.of_class(letter) is None


@pytest.mark.parametrize(
    ("value", "code"), [("DS", "18842-5"), ("hp", "34117-2"), ("PC", "11488-4"), ("AR", "18743-5")]
)
def test_a_document_type_leads_to_loinc(value: str, code: str) -> None:
    document = documents.of_type(value)
    assert document is not None
    assert document.code == code
    assert documents.of(document) == document


@pytest.mark.parametrize("value", ["", "CD", "DIS"])
def test_a_document_type_without_a_sure_code_gives_none(value: str) -> None:
    assert documents.of_type(value) is None


def test_an_answer_is_known_by_its_code_and_by_words_without_one() -> None:
    yes = answers.of(concept(LOINC, "LA33-6"))
    assert yes is not None
    assert yes.display == "Yes"
    assert answers.of(concept("", "Y", "YES")) is not None
    assert answers.of(concept(LOINC, "LA0-0", "Yes")) is None


def test_a_panel_is_known_by_its_code() -> None:
    panel = reports.of(concept(LOINC, "58410-2"))
    assert panel is not None
    assert panel.display.startswith("Complete blood count")
    assert reports.of(concept(SNOMED, "58410-2")) is None
