"""Clauses that lean on one another: a subject, a verb, a day or a purpose that only one of them names holds for both,
and with any part said otherwise the sentence is not supported."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import ACT_CODE, CVX, SNOMED

NOW = datetime(2026, 10, 7, tzinfo=UTC)


def _add(record: RecordBuilder, kind: int, concept: CodedConcept, start: str, end: str) -> None:
    fact = ClinicalFact(kind=kind, code=concept, status=clinical.FACT_STATUS_ENDED)  # type: ignore[arg-type]
    record.add(fact, start, end)


def _record() -> Record:
    record = RecordBuilder()
    record.born("1960-05-04", "F")
    for start, end, classed in (
        ("2003-03-08", "2003-03-14", "IMP"),
        ("2011-06-10", "2011-06-10", "AMB"),
        ("2018-10-27", "2018-10-27", "AMB"),
        ("2021-06-01", "2021-06-01", "EMER"),
    ):
        _add(record, clinical.FACT_KIND_ENCOUNTER, CodedConcept(system=ACT_CODE, code=classed), start, end)
    for day in ("2011-02-07", "2016-02-08", "2021-06-01"):
        colonoscopy = CodedConcept(system=SNOMED, code="73761001", display="Colonoscopy (procedure)")
        _add(record, clinical.FACT_KIND_PROCEDURE, colonoscopy, day, day)
    for day in ("2012-10-01", "2014-10-01"):
        _add(
            record,
            clinical.FACT_KIND_IMMUNIZATION,
            CodedConcept(system=CVX, code="121", display="zoster live"),
            day,
            day,
        )
    record.problem("I10", "Essential hypertension", "2004-08-14")
    record.problem("J32.9", "Chronic sinusitis", "2005-09-30")
    record.problem("J18.9", "Pneumonia", "2018-10-22", end="2018-12-01")
    record.problem("G43.909", "Migraine", "2011-06-10")
    record.problem("J20.9", "Acute bronchitis", "1999-03-01", end="1999-03-22")
    record.problem("J20.9", "Acute bronchitis", "2007-01-10", end="2007-02-01")
    record.medication("29046", "lisinopril", "2004-09-20", end="2015-01-01", dose="10", frequency="daily")
    record.medication("1998", "captopril", "2006-05-02", end="2009-05-02")
    record.medication("17767", "amlodipine", "2006-05-02", end="2009-05-02")
    record.medication("3827", "enalapril", "2009-05-02")
    record.medication("7258", "naproxen", "2011-06-10", dose="500")
    record.medication("723", "amoxicillin", "2018-10-27", end="2018-10-27")
    for value, day in (("4.4", "2016-06-01"), ("5.0", "2018-06-01"), ("4.1", "2020-06-01"), ("5.6", "2026-10-05")):
        record.potassium(value, day)
    sources = Sources.of(NOW, record.facts, identifiers=[record.patient])
    return Record(sources, sources.current)


RECORD = _record()


def verdict(sentence: str) -> Verdict:
    return worst(claims(sentence, RECORD))


# What holds, and the same with one thing said otherwise.
CASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Pneumonia was diagnosed in October 2018, which had resolved by 1 December of that year.",
        (
            "Pneumonia was diagnosed in October 2018, which had resolved by 1 November of that year.",
            "Pneumonia was diagnosed in October 2017, which had resolved by 1 December of that year.",
            "Pneumonia was diagnosed in October 2018, which remains active.",
            "Pneumonia was diagnosed in October 2018, which had not resolved by 1 December of that year.",
            "Chronic sinusitis was diagnosed in September 2005, which had resolved by 1 December of that year.",
        ),
    ),
    (
        "Acute bronchitis was diagnosed in January 2007 and resolved by February.",
        (
            "Acute bronchitis was diagnosed in March 1999 and resolved by February.",
            "Acute bronchitis was diagnosed in January 2007 and resolved by March 1999.",
        ),
    ),
    (
        "Chronic sinusitis, first noted 30 September 2005, remains active.",
        (
            "Chronic sinusitis, first noted 30 September 2004, remains active.",
            "Chronic sinusitis, first noted 30 September 2005, has resolved.",
            "Acute bronchitis, first noted 1 March 1999, remains active.",
        ),
    ),
    (
        "In August 2004 she was diagnosed with hypertension, which is still active.",
        (
            "In August 2005 she was diagnosed with hypertension, which is still active.",
            "In August 2004 she was diagnosed with hypertension, which is no longer active.",
            "In October 2018 she was diagnosed with pneumonia, which is still active.",
        ),
    ),
    (
        "Captopril, started on 2 May 2006, was replaced by enalapril on 2 May 2009.",
        (
            "Captopril, started on 2 May 2005, was replaced by enalapril on 2 May 2009.",
            "Enalapril, started on 2 May 2006, was replaced by captopril on 2 May 2009.",
            "Captopril, started on 2 May 2006, was replaced by enalapril on 2 June 2010.",
            "Captopril, started on 2 May 2006, was replaced by naproxen on 2 May 2009.",
        ),
    ),
    (
        "Amlodipine was stopped three years after it was started.",
        (
            "Amlodipine was stopped three months after it was started.",
            "Amlodipine was stopped on the same day it was started.",
            "Amlodipine was stopped five years after it was started.",
        ),
    ),
    (
        "For migraine in June 2011 she was given naproxen 500 mg.",
        (
            "For migraine in June 2012 she was given naproxen 500 mg.",
            "For pneumonia in June 2011 she was given naproxen 500 mg.",
            "For migraine in June 2011 she was given enalapril.",
            "For migraine in June 2011 she was given naproxen 250 mg.",
            "For migraine in June 2011 she was given naproxen 500 mg and her potassium was 5.6 mmol/L.",
        ),
    ),
    (
        "For pneumonia, first seen on 22 October 2018, she received amoxicillin.",
        (
            "For pneumonia, first seen on 27 October 2018, she received amoxicillin.",
            "For chronic sinusitis, first noted on 30 September 2005, she received amoxicillin.",
        ),
    ),
    (
        "Potassium was 5.6 mmol/L on 5 October 2026, the highest of her four values.",
        (
            "Potassium was 5.6 mmol/L on 5 October 2026, the highest of her five values.",
            "Potassium was 5.6 mmol/L on 5 October 2026, the lowest of her four values.",
            "Potassium was 5.0 mmol/L on 1 June 2018, the highest of her four values.",
        ),
    ),
    (
        "Potassium was 4.1 mmol/L in June 2020, the lowest of the three measurements between 2016 and 2020.",
        (
            "Potassium was 4.1 mmol/L in June 2020, the lowest of the two measurements between 2016 and 2020.",
            "Potassium was 4.1 mmol/L in June 2020, the highest of the three measurements between 2016 and 2020.",
        ),
    ),
    (
        "Potassium was 5.6 mmol/L on 5 October 2026, having been 4.1 mmol/L in June 2020.",
        (
            "Potassium was 5.6 mmol/L on 5 October 2026, having been 4.1 mmol/L in June 2018.",
            "Potassium was 5.6 mmol/L on 5 October 2026, having been 4.4 mmol/L in June 2020.",
        ),
    ),
    (
        "Three colonoscopies are recorded in total, the first in February 2011 and the most recent in June 2021.",
        (
            "Three colonoscopies are recorded in total, the first in February 2016 and the most recent in June 2021.",
            "Three colonoscopies are recorded in total, the first in February 2011 and the most recent in June 2020.",
            "Four colonoscopies are recorded in total, the first in February 2011 and the most recent in June 2021.",
            "Three colonoscopies are recorded in total, the highest in June 2021.",
        ),
    ),
    (
        "Three colonoscopies are on file: one in 2011, and another two from 2016 to 2021.",
        (
            "Three colonoscopies are on file: two in 2011, and another one from 2016 to 2021.",
            "Three colonoscopies are on file: one in 2012, and another two from 2016 to 2021.",
        ),
    ),
    (
        "She was an inpatient from 8 to 14 March 2003, her only hospital admission on record.",
        (
            "She was an inpatient from 8 to 14 March 2004, her only hospital admission on record.",
            "She had a colonoscopy in February 2011, her only colonoscopy on record.",
            "She had a colonoscopy in February 2016, her first colonoscopy on record.",
        ),
    ),
    (
        "She was given naproxen in June 2011 and enalapril in May 2009.",
        (
            "She was given naproxen in June 2011 and enalapril in May 2008.",
            "She was started on naproxen in June 2011 and enalapril in May 2010.",
            "She stopped amlodipine in May 2009 and enalapril in May 2010.",
        ),
    ),
    (
        "She was diagnosed with pneumonia in October 2018 and migraine in June 2011.",
        (
            "She was diagnosed with pneumonia in October 2018 and migraine in June 2012.",
            "She was never diagnosed with asthma in October 2018 and migraine in June 2011.",
        ),
    ),
    (
        "Hypertension was diagnosed on 14 August 2004 and she was given lisinopril on 20 September 2004.",
        (
            "Pneumonia was diagnosed on 22 October 2018 and she was given amlodipine.",
            "A colonoscopy was done on 7 February 2011 and she was started on naproxen.",
        ),
    ),
    (
        "She is a 51-year-old woman who presented on 10 June 2011 with migraine.",
        (
            "She is a 66-year-old woman who presented on 10 June 2011 with migraine.",
            "She is a 51-year-old man who presented on 10 June 2011 with migraine.",
            "She is a 51-year-old woman who presented on 10 June 2012 with migraine.",
            "She is a 51-year-old woman who takes naproxen.",
        ),
    ),
    (
        "Enalapril was prescribed in addition to lisinopril in May 2009.",
        (
            "Enalapril was prescribed in addition to naproxen in May 2009.",
            "Enalapril was prescribed in addition to lisinopril in May 2008.",
            "Lisinopril was prescribed in addition to enalapril in September 2004.",
        ),
    ),
    (
        "The live zoster vaccine was given on 1 October 2012 and 1 October 2014.",
        (
            "The recombinant zoster vaccine was given on 1 October 2012 and 1 October 2014.",
            "The live zoster vaccine was given on 1 October 2012 and 1 October 2015.",
        ),
    ),
    (
        "Her hypertension dates from August 2004.",
        ("Her hypertension dates from August 2010.", "Her hypertension dates back to 2003."),
    ),
    (
        "She was diagnosed with hypertension before the age of 50.",
        (
            "She was diagnosed with hypertension before the age of 40.",
            "She was diagnosed with migraine before the age of 50.",
        ),
    ),
    ("At 58 she had pneumonia.", ("At 48 she had pneumonia.",)),
    (
        "Pneumonia began on 22 October 2018 and amoxicillin was prescribed on the 27th.",
        (
            "Pneumonia began on 22 October 2018 and amoxicillin was prescribed on the 28th.",
            "Pneumonia began on 22 October 2017 and amoxicillin was prescribed on the 27th.",
        ),
    ),
    ("The chart shows that she takes enalapril.", ("The chart shows that she takes amlodipine.",)),
    ("There is nothing in the record about warfarin.", ("There is nothing in the record about amlodipine.",)),
)


@pytest.mark.parametrize("sentence", [holds for holds, _ in CASES])
def test_a_sentence_of_which_each_clause_holds_is_supported(sentence: str) -> None:
    assert verdict(sentence) is Verdict.SUPPORTED


@pytest.mark.parametrize("sentence", [other for _, others in CASES for other in others])
def test_with_one_part_said_otherwise_it_is_not(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED


@pytest.mark.parametrize("sentence", [holds for holds, _ in CASES])
def test_no_word_that_turns_it_may_stand_anywhere_in_it(sentence: str) -> None:
    words = sentence.split()
    for place in range(len(words)):
        for turning in ("probably", "not", "never", "allegedly", "planned", "except", "without"):
            turned = " ".join((*words[:place], turning, *words[place:]))
            assert verdict(turned) is not Verdict.SUPPORTED, turned


def test_a_day_that_a_month_does_not_have_is_not_read_as_one() -> None:
    assert verdict("She was an inpatient from 32 to 14 March 2003.") is Verdict.UNSUPPORTED
