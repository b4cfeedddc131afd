"""The rows of the shipped evidence library: each can be checked with the document that it names."""

import re
from datetime import UTC, datetime

from grounding import Sources, Verdict, Verifier, render
from grounding.kinds import evidence
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import CodedConcept
from memory.flows.library import shipped
from terminology import absence, allergens, drugs, icd10cm, observables, problems, vaccines
from terminology.concepts import CVX, ICD10CM, LOINC, RXNORM, SNOMED

LIBRARY = shipped()
# What a source must say so that a reader with the document finds the place, by the first part of the passage's id.
PLACES = {
    "uspstf": r"US Preventive Services Task Force, .+",
    "fda": r"US Food and Drug Administration, .+",
    "openem": r"OpenEM corpus, .+ \(compiled by machine, (not )?reviewed by a physician\), .+",
    "nih": r"US National .+, .+, as in MedQuAD",
}
LABEL = r"US Food and Drug Administration, label of .+ \(.+\), (boxed warning|warnings and precautions).*"
LEAST = 300


def about(passages: list[Passage]) -> list[str]:
    return [each.passage_id for each in passages]


def known(code: CodedConcept) -> bool:
    match code.system:
        case s if s in (RXNORM, drugs.LONGITUDE):
            return bool(drugs.ingredients_of_code(code.system, code.code))
        case s if s == SNOMED:
            return bool(problems.of(code) or allergens.allergens_of(code) or absence.of(code))
        case s if s == ICD10CM:
            return bool(icd10cm.describe(code.code))
        case s if s == LOINC:
            return observables.by_loinc(code.code) is not None
        case s if s == CVX:
            return vaccines.of(code) is not None
    return False


def named(passage: Passage) -> bool:
    place = LABEL if "label of" in passage.source else PLACES.get(passage.passage_id.split("-")[0], r".{12,}")
    return re.fullmatch(place, passage.source) is not None


def test_the_library_is_of_the_size_that_is_promised() -> None:
    assert len(LIBRARY) >= LEAST


def test_no_passage_and_no_title_stands_twice() -> None:
    for field in ("passage_id", "title", "text"):
        values = [getattr(each, field) for each in LIBRARY]
        assert len(set(values)) == len(values)


def test_every_passage_says_whom_it_is_about_what_is_done_and_to_what_end() -> None:
    assert about([each for each in LIBRARY if not (each.population and each.intervention and each.outcome)]) == []


def test_texts_are_short_enough_to_be_read_beside_an_answer() -> None:
    assert about([each for each in LIBRARY if not 40 <= len(each.text) <= 700 or len(each.title) > 90]) == []


def test_texts_are_plain_sentences() -> None:
    assert about([each for each in LIBRARY if re.search(r"[\t\n]|  |\.\.|[^.]$", each.text)]) == []


def test_every_code_is_one_that_terminology_knows() -> None:
    unknown = [(each.passage_id, code.code) for each in LIBRARY for code in each.codes if not known(code)]
    assert unknown == []


def test_most_passages_are_found_by_a_code() -> None:
    uncoded = [each for each in LIBRARY if not each.codes]
    assert len(uncoded) < len(LIBRARY) / 20


def test_every_source_names_its_document() -> None:
    assert about([each for each in LIBRARY if not named(each)]) == []


def test_a_recommendation_of_the_task_force_has_its_grade() -> None:
    ours = [each for each in LIBRARY if each.passage_id.startswith("uspstf-")]
    assert {each.grade for each in ours} <= {"A", "B", "C", "D", "I"}
    assert all(each.source_kind == "guideline" for each in ours)


def test_what_a_machine_compiled_never_counts_as_more_than_an_opinion() -> None:
    ours = [each for each in LIBRARY if each.passage_id.startswith("openem-")]
    assert {each.source_kind for each in ours} == {"expert"}


def test_every_passage_is_read_again_where_it_is_quoted_with_its_source() -> None:
    assert about([each for each in LIBRARY if not is_read(each)]) == []


def is_read(passage: Passage) -> bool:
    sources = Sources.of(datetime(2026, 10, 7, tzinfo=UTC), [], [passage])
    quoted = render(evidence.statement(sources, passage.passage_id), sources)
    return Verifier(sources).verify(quoted.text, quoted.citations).verdict is Verdict.SUPPORTED
