"""True sentences about drugs, problems, procedures, vaccines and visits are supported in many wordings; what says one
thing otherwise (another drug, dose, frequency, route, day, side, sex, count, or a thing more) is not."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.reader import claims
from hypothesis import given, settings
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import ACT_CODE, CVX, SNOMED

NOW = datetime(2026, 10, 7, tzinfo=UTC)
DRUGS = (("6809", "metformin"), ("29046", "lisinopril"), ("17767", "amlodipine"), ("83367", "atorvastatin"),
         ("7258", "naproxen"), ("10582", "levothyroxine"), ("4603", "furosemide"))  # fmt: skip
PROBLEMS = (("I10", "hypertension"), ("J45.909", "asthma"), ("M10.9", "gout"), ("E03.9", "hypothyroidism"),
            ("G43.909", "migraine"), ("K21.9", "GERD"), ("D64.9", "anemia"), ("L40.9", "psoriasis"))  # fmt: skip
PROCEDURES = (("73761001", "Colonoscopy"), ("127783003", "Spirometry"), ("71651007", "Mammography"),
              ("433236007", "Transthoracic echocardiography"), ("38102005", "Cholecystectomy"))  # fmt: skip
VACCINES = (("115", "Tdap"), ("03", "MMR"), ("133", "PCV13"), ("21", "varicella vaccine"))
FREQUENCIES = ("once daily", "twice daily", "three times daily", "once weekly")
ROUTES = ("oral", "intravenous", "subcutaneous")
DOSES = ("5", "10", "20", "250", "500")
DAYS = st.dates(date(2015, 1, 1), date(2026, 9, 1))
COUNTS = {1: "once", 2: "two", 3: "three", 4: "four", 5: "five"}


@dataclass(frozen=True)
class Case:
    """A record and the reader on it."""

    record: RecordBuilder

    def verdict(self, sentence: str) -> Verdict:
        sources = Sources.of(NOW, self.record.facts, identifiers=[self.record.patient])
        return worst(claims(sentence, Record(sources, sources.current)))


def record_of(sex: str = "F") -> RecordBuilder:
    record = RecordBuilder()
    record.born("1960-05-04", sex)
    return record


def happened(record: RecordBuilder, kind: int, concept: CodedConcept, day: date, *, end: date | None = None) -> None:
    over = end is not None or kind != clinical.FACT_KIND_PROBLEM
    status = clinical.FACT_STATUS_ENDED if over else clinical.FACT_STATUS_ACTIVE
    last = str(end or day) if over else ""
    record.add(ClinicalFact(kind=kind, code=concept, status=status), str(day), last)  # type: ignore[arg-type]


def of_two(pool: tuple[tuple[str, str], ...]) -> st.SearchStrategy[tuple[tuple[str, str], tuple[str, str]]]:
    return st.permutations(pool).map(lambda order: (order[0], order[1]))


@settings(max_examples=25, deadline=None)
@given(of_two(DRUGS), of_two(tuple((each, each) for each in DOSES)), st.permutations(FREQUENCIES))
def test_a_drug_is_taken_as_the_order_says_and_not_otherwise(
    drugs: tuple[tuple[str, str], ...], doses: tuple[tuple[str, str], ...], often: list[str]
) -> None:
    (code, name), (_, other) = drugs
    dose, otherwise = doses[0][0], doses[1][0]
    record = record_of()
    record.medication(code, name, "2024-03-12", dose=dose, frequency=often[0])
    case = Case(record)
    for wording in ("She takes {}.", "She is on {}.", "The patient is taking {}.", "Current medications: {}.", "{}."):
        regimen = f"{name} {dose} mg {often[0]}"
        assert case.verdict(wording.format(regimen)) is Verdict.SUPPORTED, wording
        for wrong in (
            f"{other} {dose} mg {often[0]}",
            f"{name} {otherwise} mg {often[0]}",
            f"{name} {dose} mg {often[1]}",
            f"{name} {dose} mg intravenously {often[0]}",
            f"{name} {dose} mg {often[0]} and {other}",
        ):
            assert case.verdict(wording.format(wrong)) is not Verdict.SUPPORTED, wrong
    assert case.verdict(f"He takes {name} {dose} mg {often[0]}.") is not Verdict.SUPPORTED
    assert case.verdict(f"She takes {name} for hypertension.") is not Verdict.SUPPORTED
    assert case.verdict(f"She is allergic to {name}.") is not Verdict.SUPPORTED
    assert case.verdict(f"{name} was stopped.") is not Verdict.SUPPORTED


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(DRUGS), DAYS, st.integers(40, 600))
def test_a_drug_that_ended_began_and_ended_on_its_days_alone(drug: tuple[str, str], day: date, length: int) -> None:
    code, name = drug
    end = min(day + timedelta(length), NOW.date() - timedelta(1))
    record = record_of("M")
    record.medication(code, name, str(day), end=str(end), dose="10")
    case = Case(record)
    for wording in (
        "{} was started on {}.",
        "He started {} on {}.",
        "{}, started {}.",
        "{} was first prescribed on {}.",
    ):
        assert case.verdict(wording.format(name, day)) is Verdict.SUPPORTED, wording
        assert case.verdict(wording.format(name, day + timedelta(3))) is not Verdict.SUPPORTED, wording
    for wording in ("{} was stopped on {}.", "{} was discontinued on {}.", "He stopped {} on {}."):
        assert case.verdict(wording.format(name, end)) is Verdict.SUPPORTED, wording
        assert case.verdict(wording.format(name, end - timedelta(2))) is not Verdict.SUPPORTED, wording
    assert case.verdict(f"He no longer takes {name}.") is Verdict.SUPPORTED
    assert case.verdict(f"{name} was started on {day} and is no longer taken.") is Verdict.SUPPORTED
    assert case.verdict(f"He takes {name}.") is not Verdict.SUPPORTED


@settings(max_examples=25, deadline=None)
@given(of_two(PROBLEMS), DAYS)
def test_a_problem_is_there_since_its_day_and_no_other_is(problems: tuple[tuple[str, str], ...], day: date) -> None:
    (code, name), (_, other) = problems
    record = record_of()
    record.problem(code, name, str(day))
    case = Case(record)
    for wording in (
        "She has {}.",
        "Known {}.",
        "PMH: {}.",
        "66-year-old woman with {}.",
        "Active problems include {}.",
    ):
        assert case.verdict(wording.format(name)) is Verdict.SUPPORTED, wording
        for wrong in (other, f"{name} and {other}", f"chronic {name}", f"severe {name}", f"left {name}"):
            assert case.verdict(wording.format(wrong)) is not Verdict.SUPPORTED, (wording, wrong)
    for wording in ("{} was diagnosed on {}.", "{} was first documented on {}.", "{}, known since {}."):
        assert case.verdict(wording.format(name, day)) is Verdict.SUPPORTED, wording
        assert case.verdict(wording.format(name, day - timedelta(5))) is not Verdict.SUPPORTED, wording
    for wrong in (f"No {name}.", f"There is no record of {name}.", f"Her mother had {name}.", f"{name} has resolved.",
                  f"{name} is no longer active.", f"He has {name}.", f"{name} due to {other}."):  # fmt: skip
        assert case.verdict(wrong) is not Verdict.SUPPORTED, wrong


@settings(max_examples=25, deadline=None)
@given(st.sampled_from((*PROCEDURES, *VACCINES)), st.lists(DAYS, min_size=2, max_size=4, unique=True))
def test_what_happened_is_counted_ordered_and_dated(act: tuple[str, str], days: list[date]) -> None:
    code, name = act
    record, ordered = record_of(), sorted(days)
    is_vaccine = act in VACCINES
    kind = clinical.FACT_KIND_IMMUNIZATION if is_vaccine else clinical.FACT_KIND_PROCEDURE
    for day in ordered:
        happened(record, kind, CodedConcept(system=CVX if is_vaccine else SNOMED, code=code, display=name), day)
    case = Case(record)
    listed = ", ".join(map(str, ordered[:-1])) + f" and {ordered[-1]}"
    count = COUNTS[len(ordered)]
    times = "twice" if len(ordered) == 2 else f"{count} times"
    for true in (
        f"{name} on {ordered[0]}.",
        f"{name} was performed on {listed}.",
        f"{name} was given {times}, on {listed}.",
        f"{name} was performed {times}.",
        f"The most recent {name} was on {ordered[-1]}.",
        f"The first {name} was on {ordered[0]}.",
        f"{name} was performed again on {ordered[-1]}.",
    ):
        assert case.verdict(true) is Verdict.SUPPORTED, true
    absent = ordered[-1] + timedelta(1)
    for false in (
        f"{name} on {absent}.",
        f"{name} was performed on {listed} and {absent}.",
        f"{name} was performed {COUNTS[len(ordered) + 1]} times.",
        f"The most recent {name} was on {ordered[0]}.",
        f"The first {name} was on {ordered[-1]}.",
        f"The only {name} was on {ordered[0]}.",
        f"{name} was never performed.",
        f"There is no record of {name}.",
        f"{name} is planned on {ordered[-1]}.",
        f"{name} and gastroscopy on {ordered[0]}.",
    ):
        assert case.verdict(false) is not Verdict.SUPPORTED, false


@settings(max_examples=25, deadline=None)
@given(st.lists(DAYS, min_size=2, max_size=4, unique=True), st.integers(2, 20))
def test_stays_and_emergency_visits_are_those_of_the_record(days: list[date], length: int) -> None:
    record, ordered = record_of("M"), sorted(days)
    for day in ordered[1:]:
        happened(record, clinical.FACT_KIND_ENCOUNTER, CodedConcept(system=ACT_CODE, code="EMER"), day)
    stay, end = ordered[0], ordered[0] + timedelta(length)
    record.encounter("inpatient encounter", str(stay), str(end))
    case = Case(record)
    count = COUNTS[len(ordered) - 1]
    for true in (
        f"Inpatient stay from {stay} to {end}.",
        f"He was hospitalised from {stay} to {end}.",
        f"He was admitted on {stay}.",
        f"He was hospitalised for {length} days.",
        f"He was discharged on {end}.",
        f"Emergency visit on {ordered[1]}.",
        *([f"{count} emergency visits are recorded."] if count != "once" else []),
    ):
        assert case.verdict(true) is Verdict.SUPPORTED, true
    for false in (
        f"Inpatient stay from {stay} to {end + timedelta(2)}.",
        f"He was admitted on {stay - timedelta(1)}.",
        f"He was hospitalised for {length + 5} days.",
        f"He was discharged on {end + timedelta(1)}.",
        f"{COUNTS[len(ordered)]} emergency visits are recorded.",
        "He has never been hospitalised.",
        f"He was hospitalised for asthma on {stay}.",
        f"She was admitted on {stay}.",
    ):
        assert case.verdict(false) is not Verdict.SUPPORTED, false


def test_a_narrow_name_is_not_supported_by_another_member_of_its_family() -> None:
    record = record_of()
    record.problem("J01.90", "Acute sinusitis, unspecified", "2024-03-12")
    record.problem("S61.419A", "Laceration without foreign body of unspecified hand", "2024-03-12")
    case = Case(record)
    assert case.verdict("Acute sinusitis on 2024-03-12.") is Verdict.SUPPORTED
    for false in ("She has strep throat.", "She has tonsillitis.", "She has a sprain."):
        assert case.verdict(false) is not Verdict.SUPPORTED, false


@pytest.mark.parametrize(
    ("spoken", "is_true"),
    [("Sprained ankle in May 2020.", True), ("Ankle sprain in May 2020.", True),
     ("Sprain of the ankle in May 2020.", True), ("Sprained wrist in May 2020.", False),
     ("Ankle fracture in May 2020.", False), ("Sprained ankle in June 2021.", False)],
)  # fmt: skip
def test_a_recorded_name_is_read_as_it_is_spoken(spoken: str, is_true: bool) -> None:  # noqa: FBT001
    record = record_of()
    concept = CodedConcept(system=SNOMED, code="44465007", display="Sprain of ankle (disorder)")
    happened(record, clinical.FACT_KIND_PROBLEM, concept, date(2020, 5, 3), end=date(2020, 6, 1))
    assert (Case(record).verdict(spoken) is Verdict.SUPPORTED) is is_true


@pytest.mark.parametrize(
    ("words", "is_true"),
    [("He works full time.", True), ("Lifelong non-smoker.", True), ("Six people in the household.", True),
     ("Current smoker.", False), ("Ex-smoker.", False), ("Unemployed.", False), ("He is retired.", False),
     ("Household of five.", False), ("He is homeless.", False), ("He works full time and smokes daily.", False)],
)  # fmt: skip
def test_the_newest_answers_of_a_social_history_decide(words: str, is_true: bool) -> None:  # noqa: FBT001
    record = record_of("M")
    for code, answer, day in (
        ("67875-5", "Part-time or temporary work", "2020-01-02"),
        ("67875-5", "Full-time work", "2024-01-02"),
        ("72166-2", "Never smoked tobacco (finding)", "2024-01-02"),
    ):
        fact = ClinicalFact(kind=clinical.FACT_KIND_RESULT, code=CodedConcept(system="http://loinc.org", code=code),
                            coded=CodedConcept(display=answer), status=clinical.FACT_STATUS_FINAL)  # fmt: skip
        record.add(fact, day, day)
    record.result("63512-8", "Persons in the household", "6", "", "2024-01-02")
    assert (Case(record).verdict(words) is Verdict.SUPPORTED) is is_true


def test_a_coded_answer_is_quoted_whole_however_long_it_is() -> None:
    record = record_of("M")
    record.result("59461-4", "Fall risk level", "1", "", "2023-01-02")
    fact = record.facts[-1].fact
    fact.ClearField("quantity")
    fact.coded.display = "Low Risk (MFS Score 0 - 24)"
    case = Case(record)
    assert case.verdict("Fall risk level was “Low Risk (MFS Score 0 - 24)” on 2023-01-02.") is Verdict.SUPPORTED
    assert case.verdict("Fall risk level was “High Risk (MFS Score 50+)” on 2023-01-02.") is Verdict.CONTRADICTED
