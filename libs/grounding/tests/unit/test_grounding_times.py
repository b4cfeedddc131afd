"""What happened and when: a sentence of visits, procedures, ages, intervals and their order holds with its own times,
and with no other."""

from datetime import UTC, date, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import ACT_CODE, CVX, ICD10CM, SNOMED

NOW = datetime(2026, 10, 7, tzinfo=UTC)


def _add(record: RecordBuilder, kind: int, concept: CodedConcept, start: str, end: str = "", visit: str = "") -> None:
    status = clinical.FACT_STATUS_ENDED if end else clinical.FACT_STATUS_ACTIVE
    fact = ClinicalFact(kind=kind, code=concept, status=status, encounter_id=visit)  # type: ignore[arg-type]
    record.add(fact, start, end)


def _record() -> Record:
    record = RecordBuilder()
    record.born("1960-05-04", "F")
    done, seen = clinical.FACT_KIND_PROCEDURE, clinical.FACT_KIND_ENCOUNTER
    for start, end, classed, visit in (
        ("1972-08-02", "1972-08-02", "EMER", "v1"),
        ("2005-03-10", "2005-03-16", "IMP", "v2"),
        ("2019-11-20", "2019-11-20", "EMER", "v3"),
        ("2021-06-01", "2021-06-01", "AMB", "v4"),
    ):
        _add(record, seen, CodedConcept(system=ACT_CODE, code=classed), start, end, visit)
    for code, name, day, visit in (
        ("288086009", "Suture open wound (procedure)", "1972-08-02", "v1"),
        ("80146002", "Excision of appendix (procedure)", "2005-03-11", "v2"),
        ("127783003", "Spirometry (procedure)", "2005-03-25", ""),
        ("73761001", "Colonoscopy (procedure)", "2011-02-07", ""),
        ("73761001", "Colonoscopy (procedure)", "2021-06-01", "v4"),
    ):
        _add(record, done, CodedConcept(system=SNOMED, code=code, display=name), day, day, visit)
    wound = CodedConcept(system=SNOMED, code="283371005", display="Laceration of forearm (disorder)")
    _add(record, clinical.FACT_KIND_PROBLEM, wound, "1972-08-02", "1972-08-30", "v1")
    _add(
        record, clinical.FACT_KIND_PROBLEM, CodedConcept(system=ICD10CM, code="J45.909", display="asthma"), "2005-03-25"
    )
    for day in ("1961-05-20", "1966-04-30"):
        mmr = CodedConcept(system=CVX, code="03", display="MMR")
        _add(record, clinical.FACT_KIND_IMMUNIZATION, mmr, day, day)
    record.potassium("3.1", "2005-03-25")
    record.potassium("5.6", "2026-10-05")
    sources = Sources.of(NOW, record.facts, identifiers=[record.patient])
    return Record(sources, sources.current)


RECORD = _record()


def verdict(sentence: str) -> Verdict:
    return worst(claims(sentence, RECORD))


# What holds, and with one thing said otherwise.
PAIRS = (
    ("She underwent an appendectomy in March 2005.", "She underwent an appendectomy in March 2006."),
    ("Her appendix was removed on 11 March 2005.", "Her appendix was removed on 12 March 2005."),
    ("Appendicectomy, 11/03/2005.", "Appendicectomy, 11/03/2007."),
    ("Appendectomy performed on 3/11/05.", "Appendectomy performed on 3/11/07."),
    (
        "During the 2005 stay she had an appendectomy on 11 March.",
        "During the 2005 stay she had an appendectomy on 13 May.",
    ),
    (
        "Asthma was diagnosed on 25 March 2005, potassium 3.1 mmol/L.",
        "Asthma was diagnosed on 25 March 2005, potassium 4.1 mmol/L.",
    ),
    (
        "Asthma was diagnosed on 25 March 2005, potassium is 5.6 mmol/L.",
        "Asthma was diagnosed on 25 March 2005, potassium is 3.1 mmol/L.",
    ),
    ("At the age of 44 she had her appendix taken out.", "At the age of 46 she had her appendix taken out."),
    ("At 44 she underwent an appendectomy.", "At 43 she underwent an appendectomy."),
    ("She was 44 when she underwent an appendectomy.", "She was 47 when she underwent an appendectomy."),
    ("As a child she had a wound sutured.", "As a child she underwent an appendectomy."),
    ("In her forties she had an appendectomy.", "In her thirties she had an appendectomy."),
    ("The wound was sutured in the emergency department.", "A colonoscopy was done in the emergency department."),
    ("The forearm laceration of 1972 was sutured.", "The forearm laceration of 1973 was sutured."),
    ("Spirometry was done two weeks after the appendectomy.", "Spirometry was done two months after the appendectomy."),
    ("Spirometry followed the appendectomy by 14 days.", "Spirometry followed the appendectomy by 16 days."),
    ("The appendectomy preceded the spirometry.", "The spirometry preceded the appendectomy."),
    (
        "An appendectomy was performed on 11 March 2005 and spirometry two weeks later.",
        "An appendectomy was performed on 11 March 2005 and spirometry two weeks earlier.",
    ),
    (
        "Asthma was diagnosed in March 2005, and spirometry was done on the same day.",
        "Asthma was diagnosed in March 2005, and a colonoscopy was done on the same day.",
    ),
    ("Asthma was diagnosed when spirometry was performed.", "Asthma was diagnosed when an appendectomy was performed."),
    ("Two colonoscopies, the last in June 2021.", "Two colonoscopies, the last in February 2011."),
    (
        "Colonoscopy was performed twice, first in 2011 and last in 2021.",
        "Colonoscopy was performed twice, first in 2011 and last in 2020.",
    ),
    ("Her first colonoscopy dates from February 2011.", "Her first colonoscopy dates from June 2021."),
    ("She underwent a colonoscopy on two occasions.", "She underwent a colonoscopy on three occasions."),
    (
        "More than five years separate the appendectomy from the first colonoscopy.",
        "More than nine years separate the appendectomy from the first colonoscopy.",
    ),
    (
        "Her first colonoscopy was on 7 February 2011, at the age of 50.",
        "Her first colonoscopy was on 7 February 2011, at the age of 52.",
    ),
    ("She has had more than one colonoscopy.", "She has had more than two colonoscopies."),
    ("She visited the ED twice.", "She visited the ED three times."),
    ("Last ED visit: 20 November 2019.", "Last ED visit: 2 August 1972."),
    (
        "She attended the emergency department with a forearm laceration on 2 August 1972.",
        "She attended the emergency department with a forearm laceration on 20 November 2019.",
    ),
    (
        "Of her four recorded encounters two were emergency visits.",
        "Of her five recorded encounters two were ED visits.",
    ),
    ("She spent six days in hospital in March 2005.", "She spent nine days in hospital in March 2005."),
    ("The 2005 stay lasted six days.", "The 2005 stay lasted ten days."),
    ("During the 2005 stay she had an appendectomy.", "During the 2005 stay she had a colonoscopy."),
    ("The forearm laceration lasted four weeks.", "The forearm laceration lasted four months."),
    ("MMR was given at 1 year and again at 5 years.", "MMR was given at 3 years and again at 5 years."),
    ("MMR in May 1961, repeated in April 1966.", "MMR in May 1961, repeated in April 1967."),
    ("In the spring of 2005 she had spirometry.", "In the autumn of 2005 she had spirometry."),
    ("In the sixties she received two doses of MMR.", "In the seventies she received two doses of MMR."),
    ("A colonoscopy was done in early 2011.", "A colonoscopy was done in late 2011."),
)


@pytest.mark.parametrize("sentence", [holds for holds, _ in PAIRS])
def test_what_happened_at_that_time_is_supported(sentence: str) -> None:
    assert verdict(sentence) is Verdict.SUPPORTED


@pytest.mark.parametrize("sentence", [other for _, other in PAIRS])
def test_what_happened_at_another_time_is_not(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED


@pytest.mark.parametrize("year", [*range(1999, 2005), *range(2006, 2012)])
def test_what_leads_a_sentence_holds_of_the_clause_behind_it(year: int) -> None:
    """Also of one with its own time."""
    assert verdict("In 2005 she was admitted on 10 March 2005.") is Verdict.SUPPORTED
    assert verdict(f"In {year} she was admitted on 10 March 2005.") is not Verdict.SUPPORTED


@pytest.mark.parametrize("day", [date(2005, 3, 24), date(2005, 3, 26), date(2005, 4, 25), date(2006, 3, 25)])
def test_a_relative_time_is_told_from_the_clause_before_it(day: date) -> None:
    assert verdict(f"An appendectomy was done on {day}; asthma was diagnosed on the same day.") is not Verdict.SUPPORTED
    assert verdict("Asthma was diagnosed on the same day.") is not Verdict.SUPPORTED
