"""Each rule says what it must, says nothing where it must not, and what it says is verified when it is read back."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from consult.rule import Rule
from consult.rules import CITED_PASSAGES, RULES, speak
from consult.rules.allergy import drug_of_an_allergic_class
from consult.rules.asked import evidence_on_the_question, named_in_the_question
from consult.rules.changes import last_encounter, since_last_encounter
from consult.rules.contradictions import open_contradictions, unconfirmed_allergies
from consult.rules.corrections import corrected_results
from consult.rules.critical import critical_values
from consult.rules.duplicate import two_drugs_of_one_class
from consult.rules.followup import since_last_signed
from consult.rules.imaging import imaging_findings
from consult.rules.kidney import kidney_function_trend, rapid_progression
from consult.rules.metformin import metformin_and_kidney_function
from consult.rules.nsaid import nsaid_with_chronic_kidney_disease, nsaid_with_raas_blockade
from consult.rules.potassium import hyperkalaemia_with_raas_blockade
from grounding import Sources, Statement, Verdict, Verifier, render
from knowledge import shipped
from knowledge.families import criticals
from knowledge.kidney import kidney_function
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_DOCUMENT,
    FACT_STATUS_CORRECTED,
    PROVENANCE_READ_FROM_IMAGE,
    PROVENANCE_READ_FROM_TEXT,
    PROVENANCE_STRUCTURED,
    ClinicalFact,
    CodedConcept,
    Provenance,
)
from practice.records import RecordBuilder
from terminology.concepts import LOINC

Patient = tuple[RecordBuilder, dict[str, str]]
Build = Callable[[RecordBuilder], Sources]


def texts(rule: Callable[[Sources], list[Statement]], sources: Sources) -> list[str]:
    return [render(statement, sources).text for statement in rule(sources)]


def test_every_rule_speaks_about_the_failing_kidneys_and_every_word_is_supported(
    patient: Patient, build_sources: Build
) -> None:
    sources = build_sources(patient[0])
    verifier = Verifier(sources)
    for spoken in speak(sources):
        rendered = render(spoken.statement, sources)
        verified = verifier.verify(rendered.text, rendered.citations)
        assert verified.verdict is Verdict.SUPPORTED, (spoken.rule, rendered.text, verified.reason)
    silent = {
        "critical_values",
        "drug_of_an_allergic_class",
        "two_drugs_of_one_class",
        "corrected_results",
        "unconfirmed_allergies",
    }
    assert {spoken.rule for spoken in speak(sources)} == {rule.name for rule in RULES} - silent


def test_without_an_evidence_library_the_rules_still_speak(patient: Patient, build_sources: Build) -> None:
    record, _ = patient
    with_passages = speak(build_sources(record))
    record.passages.clear()
    sources = build_sources(record)
    assert [spoken.rule for spoken in speak(sources)] == [spoken.rule for spoken in with_passages]
    verifier = Verifier(sources)
    for spoken in speak(sources):
        rendered = render(spoken.statement, sources)
        assert verifier.verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED, rendered.text


def test_an_empty_record_makes_no_rule_speak(build_sources: Build) -> None:
    assert speak(build_sources(RecordBuilder())) == []


def test_every_passage_that_rules_cite_is_asked_for() -> None:
    assert len(CITED_PASSAGES) == 12
    assert all(CITED_PASSAGES.values())
    assert all(CITED_PASSAGES[passage] == terms for rule in RULES for passage, terms in rule.cites.items())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_names_its_source_and_has_a_place_of_its_own(rule: Rule) -> None:
    assert "Source:" in (rule.speak.__doc__ or "")
    assert [other for other in RULES if other.place == rule.place] == [rule]


def test_metformin_below_30_is_an_alert_with_the_passage_and_a_proposal(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    alert, proposal = metformin_and_kidney_function(sources)
    assert (alert.kind, proposal.kind) == (wire.STATEMENT_KIND_ALERT, wire.STATEMENT_KIND_PROPOSAL)
    assert render(alert, sources).text == (
        "Metformin 1000 mg oral twice daily was ordered on 2024-03-12 and not renewed since, while eGFR was "
        "28 mL/min/1.73 m2 on 2026-10-05: check whether it still fits. "
        "“Metformin is contraindicated when eGFR is below 30 mL/min/1.73 m2.” (Test guideline, grade 1B)."
    )
    assert set(alert.fact_ids) == {ids["metformin"], ids["egfr3"]}
    assert alert.passage_ids == ("fda-metformin-renal",)


@pytest.mark.parametrize(("egfr", "speaks"), [("44", True), ("45", False), ("90", False), ("29", True)])
def test_metformin_is_judged_by_the_newest_egfr(egfr: str, speaks: bool, build_sources: Build) -> None:  # noqa: FBT001
    record = RecordBuilder()
    record.egfr("20", "2020-01-01")
    record.egfr(egfr, "2026-01-01")
    record.medication("6809", "metformin", "2024-03-12")
    assert bool(metformin_and_kidney_function(build_sources(record))) is speaks


def test_of_a_drug_ordered_again_the_newest_order_is_told(build_sources: Build) -> None:
    record = RecordBuilder()
    record.egfr("28", "2026-01-01")
    for dose, day in (("500", "2023-01-01"), ("1000", "2024-03-12"), ("1000", "2025-10-05")):
        record.medication("6809", "metformin", day, dose=dose)
    (alert, _) = texts(metformin_and_kidney_function, build_sources(record))
    assert alert.startswith("Metformin 1000 mg oral was ordered on 2025-10-05 and not renewed since")


def test_stopped_metformin_raises_no_alert(build_sources: Build) -> None:
    record = RecordBuilder()
    record.egfr("20", "2026-01-01")
    record.medication("6809", "metformin", "2024-03-12", end="2025-01-01")
    assert metformin_and_kidney_function(build_sources(record)) == []


def test_kidney_function_is_computed_where_the_laboratory_gave_no_egfr(build_sources: Build) -> None:
    record = RecordBuilder()
    record.born("19570418")
    record.creatinine("1.95", "2026-10-05")
    function = kidney_function(build_sources(record))
    assert function is not None
    assert (function.value, function.recorded) == (27.0, None)
    record.medication("6809", "metformin", "2024-03-12")
    (alert, _) = texts(metformin_and_kidney_function, build_sources(record))
    assert "eGFR by CKD-EPI 2021 was 27 mL/min/1.73 m2 (2026-10-05)" in alert


def test_a_newer_creatinine_outweighs_an_older_reported_egfr(build_sources: Build) -> None:
    record = RecordBuilder()
    record.born("19570418")
    record.egfr("60", "2024-01-01")
    record.creatinine("1.95", "2026-10-05")
    function = kidney_function(build_sources(record))
    assert function is not None
    assert function.value == 27.0


def test_rapid_progression_needs_three_results_three_months_and_more_than_five_a_year(build_sources: Build) -> None:
    def spoken(*series: tuple[str, str]) -> bool:
        record = RecordBuilder()
        for value, day in series:
            record.egfr(value, day)
        return bool(rapid_progression(build_sources(record)))

    assert spoken(("68", "2024-01-01"), ("60", "2025-01-01"), ("50", "2026-01-01"))
    assert not spoken(("68", "2024-01-01"), ("50", "2026-01-01"))
    assert not spoken(("68", "2026-01-01"), ("60", "2026-01-10"), ("50", "2026-02-01"))
    assert not spoken(("68", "2024-01-01"), ("64", "2025-01-01"), ("60", "2026-01-01"))


def test_the_trend_spans_encounters_and_names_values_and_dates(patient: Patient, build_sources: Build) -> None:
    said = texts(kidney_function_trend, build_sources(patient[0]))
    assert said[0] == (
        "eGFR fell from 68 mL/min/1.73 m2 (2024-03-12) to 28 mL/min/1.73 m2 (2026-10-05); between: 49 (2025-02-10)."
    )


@pytest.mark.parametrize("blocker", [("29046", "lisinopril"), ("52175", "losartan"), ("35296", "ramipril")])
@pytest.mark.parametrize("nsaid", [("7258", "naproxen"), ("5640", "ibuprofen"), ("3355", "diclofenac")])
def test_a_new_nsaid_order_with_raas_blockade_is_an_alert_and_a_proposal_to_avoid_it(
    nsaid: tuple[str, str], blocker: tuple[str, str], build_sources: Build
) -> None:
    record = RecordBuilder()
    record.medication(*blocker, "2024-01-01")
    record.medication(*nsaid, "2026-10-06", ordered=True)
    alert, proposal = texts(nsaid_with_raas_blockade, build_sources(record))
    assert f"{nsaid[1].capitalize()} (NSAID) was ordered on 2026-10-06, while {blocker[1]}" in alert
    assert proposal == f"Avoid {nsaid[1]} together with {blocker[1]}."


def test_an_nsaid_alone_or_a_stopped_one_is_no_interaction(build_sources: Build) -> None:
    record = RecordBuilder()
    record.medication("5640", "ibuprofen", "2024-01-01", end="2024-02-01")
    record.medication("29046", "lisinopril", "2024-01-01")
    assert nsaid_with_raas_blockade(build_sources(record)) == []
    record.egfr("40", "2026-01-01")
    assert nsaid_with_chronic_kidney_disease(build_sources(record)) == []


@pytest.mark.parametrize("second", [("35296", "ramipril"), ("52175", "losartan")])
def test_two_blockers_of_the_renin_angiotensin_system_are_an_alert_and_a_proposal(
    second: tuple[str, str], build_sources: Build
) -> None:
    record = RecordBuilder()
    record.medication("29046", "lisinopril", "2024-01-01")
    record.medication("29046", "lisinopril", "2025-01-01")
    assert two_drugs_of_one_class(build_sources(record)) == []
    record.medication(*second, "2026-10-06", ordered=True)
    record.passage("fda-dual-raas", "Blocking the renin-angiotensin system twice raises the risk of hyperkalaemia.")
    sources = build_sources(record)
    alert, proposal = (render(each, sources) for each in two_drugs_of_one_class(sources))
    assert (
        "was ordered on 2026-10-06, while lisinopril (ACE inhibitor) was ordered on 2025-01-01 and not " in alert.text
    )
    assert "“Blocking the renin-angiotensin system twice" in alert.text
    assert proposal.text == f"Avoid {second[1]} together with lisinopril."
    assert Verifier(sources).verify(alert.text, alert.citations).verdict is Verdict.SUPPORTED


def test_two_nsaids_are_an_alert_and_one_that_was_stopped_is_none(build_sources: Build) -> None:
    record = RecordBuilder()
    record.medication("7258", "naproxen", "2024-01-01")
    record.medication("5640", "ibuprofen", "2024-01-01", end="2024-02-01")
    assert two_drugs_of_one_class(build_sources(record)) == []
    record.medication("3355", "diclofenac", "2026-01-01")
    (alert, _) = texts(two_drugs_of_one_class, build_sources(record))
    assert alert.startswith(
        "Diclofenac (NSAID) was ordered on 2026-01-01 and not renewed since, while naproxen (NSAID) was ordered on"
    )


@pytest.mark.parametrize(("potassium", "speaks"), [("5.4", False), ("5.5", True), ("6.4", True)])
def test_hyperkalaemia_counts_with_a_drug_that_raises_potassium(
    potassium: str,
    speaks: bool,  # noqa: FBT001
    build_sources: Build,
) -> None:
    record = RecordBuilder()
    record.potassium(potassium, "2026-10-05")
    assert hyperkalaemia_with_raas_blockade(build_sources(record)) == []
    record.medication("29046", "lisinopril", "2024-01-01")
    assert bool(hyperkalaemia_with_raas_blockade(build_sources(record))) is speaks


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "speaks"),
    [
        ("2823-3", "6.0", "mmol/L", True),
        ("2823-3", "5.9", "mmol/L", False),
        ("2823-3", "2.8", "mmol/L", True),
        ("2823-3", "6.1", "meq/L", True),
        ("2345-7", "27", "mmol/L", True),
        ("718-7", "65", "g/L", True),
        ("718-7", "9.1", "g/dL", False),
        ("2823-3", "6.5", "furlong", False),
    ],
)
def test_critical_values_are_judged_in_any_unit(
    loinc: str,
    value: str,
    unit: str,
    speaks: bool,  # noqa: FBT001
    build_sources: Build,
) -> None:
    record = RecordBuilder()
    record.result(loinc, "a result", value, unit, "2026-10-05")
    assert bool(critical_values(build_sources(record))) is speaks
    assert any(loinc in row.conditions.results.codes for row in shipped().rows[criticals.FAMILY.name])


def test_an_old_or_corrected_critical_value_is_no_news(build_sources: Build) -> None:
    record = RecordBuilder()
    record.potassium("6.9", "2025-02-12")
    assert critical_values(build_sources(record)) == []
    wrong, right = record.potassium("6.9", "2026-10-05"), record.potassium("4.9", "2026-10-05")
    record.supersede(wrong, right, "2026-10-05")
    assert critical_values(build_sources(record)) == []


def test_an_open_contradiction_is_a_question_with_both_sides(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    (question,) = open_contradictions(sources)
    assert question.kind == wire.STATEMENT_KIND_QUESTION
    assert set(question.fact_ids) == {ids["none"], ids["penicillin"]}
    assert render(question, sources).text == (
        "The record holds contradictory entries: No known allergies (2024-03-12) and Penicillin, reaction anaphylaxis "
        "(2025-02-14, read from a document); which of them is correct? “A penicillin allergy label should be evaluated "
        "by its history.” (Test guideline, grade 1B)."
    )


@pytest.mark.parametrize("ordered", [True, False])
def test_a_drug_of_an_allergic_class_is_an_alert(patient: Patient, ordered: bool, build_sources: Build) -> None:  # noqa: FBT001
    record, _ = patient
    record.medication("733", "ampicillin", "2026-10-06", ordered=ordered)
    alert, proposal = texts(drug_of_an_allergic_class, build_sources(record))
    assert "although an allergy is recorded: Penicillin, reaction anaphylaxis" in alert
    assert proposal == "Avoid ampicillin with this allergy: Penicillin."


def test_other_classes_and_denied_allergies_raise_no_conflict(build_sources: Build) -> None:
    record = RecordBuilder()
    record.allergy("764146007", "Penicillin", "2025-02-14")
    record.allergy("387207008", "Ibuprofen", "2025-02-14", absent=True)
    record.medication("5640", "ibuprofen", "2026-10-06", ordered=True)
    record.medication("17767", "amlodipine", "2026-10-06")
    assert drug_of_an_allergic_class(build_sources(record)) == []


def test_a_possible_cross_reaction_is_told_with_its_evidence_and_no_drug_is_advised_against(
    build_sources: Build,
) -> None:
    record = RecordBuilder()
    record.allergy("764146007", "Penicillin", "2025-02-14")
    record.medication("2193", "ceftriaxone", "2026-10-06", ordered=True)
    [alert] = texts(drug_of_an_allergic_class, build_sources(record))
    lead = (
        "Ceftriaxone was ordered on 2026-10-06, although an allergy is recorded: Penicillin; cross-reaction possible: "
    )
    assert alert.startswith(lead)
    assert "about 2 %" in alert


def test_a_likely_cross_reaction_is_advised_against(build_sources: Build) -> None:
    record = RecordBuilder()
    record.allergy("372687004", "Amoxicillin", "2025-02-14")
    record.medication("2231", "cephalexin", "2026-10-06", ordered=True)
    alert, proposal = texts(drug_of_an_allergic_class, build_sources(record))
    assert "cross-reaction likely: Cephalexin has the same R1 side chain" in alert
    assert proposal == "Avoid cephalexin with this allergy: Amoxicillin."


@pytest.mark.parametrize(
    ("allergy", "drug"), [("Sulfa", ("4603", "furosemide")), ("Penicillin", ("1668240", "meropenem"))]
)
def test_a_cross_reaction_that_is_unlikely_is_not_told(
    allergy: str, drug: tuple[str, str], build_sources: Build
) -> None:
    record = RecordBuilder()
    record.allergy("", allergy, "2025-02-14")
    record.medication(*drug, "2026-10-06", ordered=True)
    assert drug_of_an_allergic_class(build_sources(record)) == []


@pytest.mark.parametrize(
    ("allergy", "drug", "words"),
    [
        ("SULFA", "BACTRIM DS", "Sulfamethoxazole / trimethoprim (sulfonamide antibiotic) was ordered"),
        ("CEPHALOSPORINS", "Keflex 500 mg", "Cephalexin (cephalosporin) was ordered"),
        ("NSAIDS", "naproxen", "Naproxen (NSAID) was ordered"),
        ("STATINS", "simvastatin", "Simvastatin (statin) was ordered"),
        ("amoxicillin", "ampicillin", "Ampicillin (aminopenicillin) was ordered"),
        ("aspirin", "aspirin", "Aspirin was ordered"),
        ("Xylotan", "xylotan", "Xylotan was ordered"),
    ],
)
def test_an_alert_says_by_which_class_a_drug_and_an_allergy_relate(
    allergy: str, drug: str, words: str, build_sources: Build
) -> None:
    record = RecordBuilder()
    record.allergy("", allergy, "2025-02-14")
    record.medication("", drug, "2026-10-06", ordered=True)
    sources = build_sources(record)
    alert, _ = texts(drug_of_an_allergic_class, sources)
    assert alert.startswith(words)


@pytest.mark.parametrize(
    ("rule", "drugs", "speaks"),
    [
        (two_drugs_of_one_class, ("Zestoretic 20-12.5", "ramipril 5 mg"), True),
        (two_drugs_of_one_class, ("lisinopril 10 mg", "Zestoretic 20-12.5"), False),
        (two_drugs_of_one_class, ("Entresto", "lisinopril"), True),
        (two_drugs_of_one_class, ("naproxen", "aspirin 81 mg"), False),
        (nsaid_with_raas_blockade, ("Vimovo", "lisinopril"), True),
        (nsaid_with_raas_blockade, ("aspirin 81 mg", "lisinopril"), False),
        (nsaid_with_chronic_kidney_disease, ("etodolac",), True),
        (nsaid_with_chronic_kidney_disease, ("aspirin 81 mg",), False),
        (metformin_and_kidney_function, ("Janumet 50-1000",), True),
        (metformin_and_kidney_function, ("sitagliptin",), False),
        (hyperkalaemia_with_raas_blockade, ("eplerenone",), True),
        (hyperkalaemia_with_raas_blockade, ("Dyazide",), True),
        (hyperkalaemia_with_raas_blockade, ("furosemide",), False),
    ],
)
def test_a_rule_about_a_class_knows_its_members_brands_and_combinations(
    rule: Callable[[Sources], list[Statement]],
    drugs: tuple[str, ...],
    speaks: bool,  # noqa: FBT001
    build_sources: Build,
) -> None:
    record = RecordBuilder()
    record.egfr("25", "2026-10-05")
    record.potassium("5.9", "2026-10-05")
    for name in drugs:
        record.medication("", name, "2026-10-01")
    sources = build_sources(record)
    told = [render(each, sources) for each in rule(sources)]
    assert bool(told) is speaks
    assert all(Verifier(sources).verify(each.text, each.citations).verdict is Verdict.SUPPORTED for each in told)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Is she on insulin?", "Insulin glargine: ordered on 2026-10-01, not renewed since."),
        ("Does she take Bactrim?", "Sulfamethoxazole / trimethoprim: ordered on 2026-10-01, not renewed since."),
        ("Did Camila ask in contrast?", ""),
        ("Is sumatriptan right?", "No sumatriptan was found in the record"),
    ],
)
def test_a_drug_that_the_question_names_is_found_under_any_of_its_names(
    question: str, text: str, build_sources: Build
) -> None:
    record = RecordBuilder()
    record.medication("", "Lantus Solostar", "2026-10-01")
    record.medication("", "Septra DS", "2026-10-01")
    told = texts(lambda sources: named_in_the_question(sources, question), build_sources(record))
    assert [each[: len(text)] for each in told] == ([text] if text else [])


def test_since_the_last_encounter_results_and_drugs_that_moved_are_told(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    last = last_encounter(sources)
    assert last is not None
    assert last.fact.fact_id == ids["stay"]
    said = texts(since_last_encounter, sources)
    assert (
        "Since the last encounter (2025-02-14): eGFR fell from 49 mL/min/1.73 m2 (2025-02-10) to "
        "28 mL/min/1.73 m2 (2026-10-05)." in said
    )
    assert "Since the last encounter (2025-02-14): ordered: naproxen (2026-10-06)." in said
    assert not any("amoxicillin" in text for text in said)


def test_a_small_change_is_not_told(build_sources: Build) -> None:
    record = RecordBuilder()
    record.potassium("4.3", "2025-02-11")
    record.encounter("Inpatient", "2025-02-10", "2025-02-14")
    record.potassium("4.7", "2026-10-05")
    record.result("29463-7", "Body weight", "80.7", "kg", "2025-02-11")
    record.result("29463-7", "Body weight", "77.2", "kg", "2026-10-05")
    assert since_last_encounter(build_sources(record)) == []


def test_a_problem_that_is_entered_again_is_not_new(build_sources: Build) -> None:
    record = RecordBuilder()
    record.problem("I10", "Essential (primary) hypertension", "2024-03-12")
    record.encounter("Inpatient", "2025-02-10", "2025-02-14")
    record.problem("I10", "Essential (primary) hypertension", "2026-10-05")
    record.problem("M25.561", "Pain in right knee", "2026-10-05")
    record.potassium("4.7", "2026-10-05")
    (text,) = texts(since_last_encounter, build_sources(record))
    assert "Pain in right knee" in text
    assert "hypertension" not in text


def test_new_documents_are_told_with_their_days(build_sources: Build) -> None:
    record = RecordBuilder()
    record.encounter("Inpatient", "2025-02-10", "2025-02-14")
    record.potassium("4.7", "2026-10-05")
    code = CodedConcept(system=LOINC, code="18842-5", display="Discharge summary")
    record.add(ClinicalFact(kind=FACT_KIND_DOCUMENT, code=code), "2026-01-20")
    sources = build_sources(record)
    (statement,) = since_last_encounter(sources)
    rendered = render(statement, sources)
    assert rendered.text == "Since the last encounter (2025-02-14): new document: Discharge summary (2026-01-20)."
    assert Verifier(sources).verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED


def test_at_a_first_visit_nothing_is_compared(build_sources: Build) -> None:
    record = RecordBuilder()
    record.encounter("Inpatient", "2026-10-05")
    record.potassium("4.3", "2026-10-05")
    assert last_encounter(build_sources(record)) is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Why was lisinopril stopped?", "Lisinopril 20 mg oral once daily: ordered on 2024-03-12, not renewed since."),
        ("Why was ramipril stopped?", "No ramipril was found in the record"),
        ("Since Zocor was started, are there complaints?", "No Zocor was found in the record"),
        ("Is amoxicillin tolerated?", "Amoxicillin: stopped on 2025-02-14."),
        ("Do the medications still fit?", "Naproxen 500 mg oral: ordered on 2026-10-06."),
        ("Which problems are known?", "Problem: Chronic kidney disease, stage 4, active since 2026-10-05."),
    ],
)
def test_what_a_question_takes_for_granted_meets_the_record(
    question: str, answer: str, patient: Patient, build_sources: Build
) -> None:
    sources = build_sources(patient[0])
    verifier = Verifier(sources)
    said = [render(statement, sources) for statement in named_in_the_question(sources, question)]
    assert any(each.text.startswith(answer) for each in said), [each.text for each in said]
    assert all(verifier.verify(each.text, each.citations).verdict is Verdict.SUPPORTED for each in said)


def test_a_question_about_a_drug_is_not_answered_by_another_of_its_class(
    patient: Patient, build_sources: Build
) -> None:
    record, _ = patient
    record.medication("35296", "ramipril", "2024-02-01", dose="5")
    sources = build_sources(record)
    said = [render(each, sources).text for each in named_in_the_question(sources, "Why was ramipril stopped?")]
    assert said == ["Ramipril 5 mg oral: ordered on 2024-02-01, not renewed since."]


def test_a_question_that_names_nothing_adds_nothing(patient: Patient, build_sources: Build) -> None:
    assert named_in_the_question(build_sources(patient[0]), "What has changed?") == []


def test_evidence_on_the_question_is_quoted_by_the_sentence_that_has_its_words(
    patient: Patient, build_sources: Build
) -> None:
    record, _ = patient
    name = record.passage("limits", "Kidneys filter the blood. Metformin is stopped below an eGFR of 30.")
    sources = build_sources(record)
    (said,) = evidence_on_the_question(sources, "Below which eGFR is metformin stopped?", [name])
    assert "Metformin is stopped below an eGFR of 30." in render(said, sources).text
    rules = [each.rule for each in speak(sources, "What has changed?", [name])]
    assert rules[-1] == "evidence_on_the_question"
    assert "evidence_on_the_question" not in [each.rule for each in speak(sources, "What has changed?")]


def test_an_allergy_that_is_in_dispute_is_asked_about_and_not_told_as_news(
    patient: Patient, build_sources: Build
) -> None:
    record, ids = patient
    late = record.allergy("387406002", "Sulfonamide", "2026-10-06")
    assert any("Sulfonamide" in text for text in texts(since_last_encounter, build_sources(record)))
    record.contradiction("no-known-allergies", ids["none"], late)
    sources = build_sources(record)
    assert not any("Sulfonamide" in text for text in texts(since_last_encounter, sources))
    assert any("Sulfonamide" in text for text in texts(open_contradictions, sources))


@pytest.mark.parametrize("provenance", [PROVENANCE_READ_FROM_TEXT, PROVENANCE_READ_FROM_IMAGE])
def test_an_allergy_read_from_a_document_is_asked_about(
    provenance: "Provenance.ValueType", build_sources: Build
) -> None:
    record = RecordBuilder()
    record.encounter("Inpatient", "2025-02-10", "2025-02-14")
    record.potassium("4.3", "2026-10-05")
    record.allergy("387406002", "Sulfonamide", "2026-10-06", reaction="angioedema")
    record.facts[-1].fact.provenance = provenance
    sources = build_sources(record)
    (text,) = texts(unconfirmed_allergies, sources)
    assert text.startswith(
        "An allergy entry needs to be confirmed: Sulfonamide, reaction angioedema (2026-10-06, read "
    )
    assert text.endswith("; does it belong to this patient?")
    assert since_last_encounter(sources) == []
    record.facts[-1].fact.provenance = PROVENANCE_STRUCTURED
    assert unconfirmed_allergies(build_sources(record)) == []


def test_only_the_newest_film_is_told(build_sources: Build) -> None:
    record = RecordBuilder()
    record.film_finding("128305008", "opacity", 0.91, "2024-01-01")
    record.film_finding("60046008", "pleural effusion", 0.96, "2026-10-05", absent=True)
    record.film_finding("36118008", "pneumothorax", 0.99, "2026-10-05", absent=True)
    record.film_finding("8186001", "cardiomegaly", 0.71, "2026-10-05")
    assert texts(imaging_findings, build_sources(record)) == [
        "Image: cardiomegaly on 2026-10-05, probability 0.71 (computed from the image by a network).",
        (
            "Image of 2026-10-05: no pleural effusion (confidence 0.96), no pneumothorax (confidence 0.99) "
            "(computed from the image by a network)."
        ),
    ]


def test_the_newest_image_of_each_network_is_told(build_sources: Build) -> None:
    record = RecordBuilder()
    record.film_finding("128305008", "opacity", 0.91, "2026-10-05")
    record.film_finding("dark-spot", "dark spot", 0.8, "2026-10-06")
    record.facts[-1].fact.code.system = "urn:longitude:finding"
    record.facts[-1].fact.source_code.system = "urn:longitude:model:skin_photo"
    assert texts(imaging_findings, build_sources(record)) == [
        "Image: opacity on 2026-10-05, probability 0.91 (computed from the image by a network).",
        "Image: dark spot on 2026-10-06, probability 0.80 (computed from the image by a network).",
    ]


def test_a_corrected_result_stands_beside_the_one_it_replaced(build_sources: Build) -> None:
    record = RecordBuilder()
    wrong = record.potassium("6.9", "2025-02-12")
    right = record.potassium("4.9", "2025-02-12")
    record.facts[-1].fact.status = FACT_STATUS_CORRECTED
    record.supersede(wrong, right, "2025-02-13")
    assert texts(corrected_results, build_sources(record)) == [
        "Corrected result: potassium 4.9 mmol/L (2025-02-12) replaces 6.9 mmol/L (2025-02-12)."
    ]


def test_a_follow_up_tells_what_the_record_learned_since_the_signature(patient: Patient, build_sources: Build) -> None:
    record, _ = patient
    sources = build_sources(record)
    (statement,) = since_last_signed(sources, datetime(2026, 10, 5, 20, tzinfo=UTC))
    assert render(statement, sources).text == "New since the last signed assessment: naproxen (2026-10-06)."
    assert since_last_signed(sources, datetime(2026, 10, 6, 20, tzinfo=UTC)) == []


def test_a_haemolysed_potassium_is_told_with_its_comment(build_sources: Build) -> None:
    record = RecordBuilder()
    record.result("2823-3", "Potassium", "6.9", "mmol/L", "2026-10-05", comments=["haemolysed"])
    record.medication("29046", "lisinopril", "2026-10-01", dose="20")
    sources = build_sources(record)
    for rule in (critical_values, hyperkalaemia_with_raas_blockade):
        (alert,) = (render(each, sources) for each in rule(sources))
        assert "6.9 mmol/L on 2026-10-05 (comment of the laboratory: “haemolysed”)" in alert.text
        assert Verifier(sources).verify(alert.text, alert.citations).verdict is Verdict.SUPPORTED


def test_a_critical_value_of_no_stated_time_is_told_as_such(build_sources: Build) -> None:
    record = RecordBuilder()
    record.potassium("4.3", "2026-01-01")
    record.result("2823-3", "Potassium", "6.9", "mmol/L", "", stated="2026-10-05")
    (alert,) = texts(critical_values, build_sources(record))
    assert alert == "Critical value: potassium was 6.9 mmol/L (reported on 2026-10-05, time not stated)."


def test_what_is_stated_again_without_a_start_is_not_new(build_sources: Build) -> None:
    record = RecordBuilder()
    record.encounter("Inpatient", "2026-01-01", "2026-01-05")
    record.potassium("4.3", "2026-10-05")
    known = record.problem("E11.9", "Type 2 diabetes mellitus", "", stated="2025-03-01")
    again = record.problem("E11.9", "Type 2 diabetes mellitus", "", stated="2026-10-05")
    record.supersede(known, again, "2026-10-05")
    record.allergy("764146007", "Penicillin", "", stated="2026-10-05")
    record.medication("6809", "metformin", "", stated="2026-10-05")
    sources = build_sources(record)
    said = texts(since_last_encounter, sources)
    assert not any("diabetes" in each for each in said)
    assert any("new allergy: penicillin (recorded on 2026-10-05, start not stated)" in each.lower() for each in said)
    assert any("ordered: metformin (ordered on 2026-10-05, start not stated)" in each for each in said)
    rendered = [render(each, sources) for each in since_last_encounter(sources)]
    assert all(Verifier(sources).verify(each.text, each.citations).verdict is Verdict.SUPPORTED for each in rendered)
    signed = datetime(2026, 6, 1, tzinfo=UTC)
    assert not any("diabetes" in render(each, sources).text for each in since_last_signed(sources, signed))


def test_a_drug_put_on_hold_is_not_told_as_stopped(build_sources: Build) -> None:
    record = RecordBuilder()
    record.encounter("Inpatient", "2026-01-01", "2026-01-05")
    record.potassium("4.3", "2026-10-05")
    record.medication("6809", "metformin", "2024-03-12", end="2026-10-05")
    record.facts[-1].fact.note = "on hold"
    sources = build_sources(record)
    (said,) = (render(each, sources) for each in since_last_encounter(sources))
    assert said.text.endswith("on hold: metformin (2026-10-05).")
    assert Verifier(sources).verify(said.text, said.citations).verdict is Verdict.SUPPORTED
