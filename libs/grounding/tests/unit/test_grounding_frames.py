"""A clause is read in whatever order its parts stand, and no value, day, drug, direction or denial is lost by that."""

from datetime import UTC, date, datetime
from itertools import permutations

import pytest
from grounding import Sources, Verdict
from grounding.claims import worst
from grounding.comparing.record import Record
from grounding.lexicon import Names
from grounding.reader import claims
from grounding.reading import names, tokens
from grounding.reading.frames import OTHERWISE, Frame, verbs
from grounding.reading.grammar import grammar
from grounding.reading.nodes import Node
from hypothesis import given, settings
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.fact_pb2 import ClinicalFact, CodedConcept
from practice.records import RecordBuilder
from terminology.concepts import ACT_CODE, SNOMED

TODAY = date(2026, 10, 7)
FRAMES = grammar().frames
assert FRAMES is not None


def _record() -> Record:
    record = RecordBuilder()
    record.born("1960-05-04", "F")
    record.medication("17767", "amlodipine", "2022-03-01", dose="5", end="2022-09-01")
    record.medication("29046", "lisinopril", "2023-06-14", dose="20")
    record.medication("3640", "doxycycline", "2020-04-02", dose="100", end="2020-04-09")
    for day in ("2020-04-02", "2021-06-07"):
        kind = CodedConcept(system=ACT_CODE, code="EMER", display="emergency")
        record.add(
            ClinicalFact(kind=clinical.FACT_KIND_ENCOUNTER, code=kind, status=clinical.FACT_STATUS_ENDED), day, day
        )
    record.problem("J20.9", "Acute bronchitis", "2020-04-02", end="2020-04-20")
    record.problem("M10.9", "gout", "2019-01-15")
    for value, day in (("1.2", "2021-03-02"), ("1.9", "2023-03-09")):
        record.creatinine(value, day)
    for name, day in (
        ("Colonoscopy (procedure)", "2020-05-03"),
        ("Plain X-ray of knee region (procedure)", "2020-12-21"),
        ("Insertion of intrauterine contraceptive device (procedure)", "2015-03-02"),
        ("Removal of intrauterine contraceptive device (procedure)", "2018-07-09"),
        ("Transfer from ward to stepdown unit (procedure)", "2016-01-01"),
    ):
        concept = CodedConcept(system=SNOMED, code=str(abs(hash(name)) % 10**8), display=name)
        record.add(
            ClinicalFact(kind=clinical.FACT_KIND_PROCEDURE, code=concept, status=clinical.FACT_STATUS_ACTIVE), day
        )
    sources = Sources.of(datetime(2026, 10, 7, tzinfo=UTC), record.facts, identifiers=[record.patient])
    return Record(sources, sources.current)


RECORD = _record()


def verdict(sentence: str) -> Verdict:
    return worst(claims(sentence, RECORD))


def _known() -> tokens.Known:
    own = Names()
    own.add("colonoscopy", frozenset({"own|colonoscopy"}))
    return tokens.Known(own, {"own|colonoscopy": frozenset({names.PROCEDURE})})


def read(text: str) -> tuple[Node, ...]:
    return grammar().read(tokens.tokens(text, TODAY, _known())[:-1])[0]


@pytest.mark.parametrize("frame", FRAMES.frames, ids=[f"{each.kind} {each.line}" for each in FRAMES.frames])
def test_a_frame_reads_its_example_and_not_its_counterexample(frame: Frame) -> None:
    assert frame.kind in {clause.kind for clause in read(frame.reads)}, frame.reads
    assert frame.kind not in {clause.kind for clause in read(frame.never)}, frame.never


# What belongs to one clause, in no order; what is the same said falsely by one part.
TRUE = (
    ("amlodipine", "was prescribed", "on 1 March 2022"),
    ("amlodipine", "was withdrawn", "on 1 September 2022"),
    ("a colonoscopy", "was undertaken", "on 3 May 2020"),
    ("gout", "was first charted", "on 15 January 2019"),
    ("creatinine", "climbed", "from 1.2 mg/dL", "to 1.9 mg/dL"),
    ("a creatinine of 1.9 mg/dL", "was obtained", "on 9 March 2023"),
)
FALSE = {
    "amlodipine": ("lisinopril", "metformin"),
    "on 1 March 2022": ("on 2 March 2022", "in 2021"),
    "on 1 September 2022": ("on 3 September 2022", "in 2021"),
    "a colonoscopy": ("a spirometry",),
    "on 3 May 2020": ("on 4 May 2020", "in April 2020"),
    "gout": ("psoriasis",),
    "was first charted": ("was not charted", "was never charted", "was perhaps first charted"),
    "on 15 January 2019": ("on 16 January 2019",),
    "climbed": ("slid", "did not climb", "hardly climbed"),
    "from 1.2 mg/dL": ("from 1.3 mg/dL",),
    "to 1.9 mg/dL": ("to 2.9 mg/dL",),
    "was prescribed": ("was declined", "was not prescribed", "will be prescribed", "was nearly prescribed"),
    "was withdrawn": ("was not withdrawn", "was to be withdrawn"),
    "was undertaken": ("was not undertaken", "was refused", "was planned"),
    "a creatinine of 1.9 mg/dL": ("a creatinine of 1.8 mg/dL", "a potassium of 1.9 mmol/L"),
    "was obtained": ("was not obtained",),
    "on 9 March 2023": ("on 10 March 2023",),
}


def _sentence(parts: tuple[str, ...]) -> str:
    text = " ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


ORDERS = [order for parts in TRUE for order in permutations(parts)]


@pytest.mark.parametrize("parts", ORDERS, ids=map(_sentence, ORDERS))
def test_a_true_clause_is_supported_in_every_order_or_not_read_but_never_contradicted(parts: tuple[str, ...]) -> None:
    assert verdict(_sentence(parts)) is not Verdict.CONTRADICTED


@pytest.mark.parametrize("parts", TRUE, ids=map(_sentence, TRUE))
def test_a_true_clause_is_supported_in_most_orders(parts: tuple[str, ...]) -> None:
    """A verb is no longer one where it ends a name (`creatinine from 1.2 climbed`) or begins a question."""
    verdicts = [verdict(_sentence(order)) for order in permutations(parts)]
    assert verdicts.count(Verdict.SUPPORTED) * 3 >= len(verdicts) * 2, verdicts


STOPPING = ("not", "never", "rarely", "probably", "without", "xyzzy", "no", "hardly")


@st.composite
def swapped(draw: st.DrawFn) -> str:
    parts = list(draw(st.permutations(draw(st.sampled_from(TRUE)))))
    place = draw(st.sampled_from([place for place, part in enumerate(parts) if part in FALSE]))
    parts[place] = draw(st.sampled_from(FALSE[parts[place]]))
    return _sentence(tuple(parts))


@settings(max_examples=150, deadline=None)
@given(swapped())
def test_a_clause_of_which_one_part_is_another_is_supported_in_no_order(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED


@settings(max_examples=100, deadline=None)
@given(st.permutations(ORDERS), st.sampled_from(STOPPING), st.integers(0, 4))
def test_a_word_that_no_frame_takes_stops_a_clause(orders: list[tuple[str, ...]], word: str, place: int) -> None:
    words = " ".join(orders[0]).split()
    words.insert(min(place, len(words)), word)
    assert verdict(_sentence(tuple(words))) is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "Prescribe amlodipine on 1 March 2022.",
        "Amlodipine prescribes her on 1 March 2022.",
        "Lisinopril was withdrawn on 1 September 2022.",
        "In 2019 to 1.9 mg/dL creatinine climbed from 1.2 mg/dL in March 2021.",
        "Amlodipine is used.",
        "Amlodipine she takes.",
    ],
)
def test_what_is_asked_for_or_goes_on_is_not_what_was_done(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED


def test_no_verb_is_read_in_its_bare_form() -> None:
    bare = {"start", "begin", "stop", "give", "take", "prescribe", "order", "administer", "discontinue", "rise", "fall"}
    assert bare.isdisjoint(words[0] for words in verbs() if len(words) == 1)


def test_parts_that_may_be_bound_in_two_ways_are_told_in_both_and_supported_only_if_both_hold() -> None:
    (clause,) = read("Withdrawn was amlodipine in May 2020.")
    assert [each.all("adjunct")[0].text for each in clause.all(OTHERWISE)] == ["in May 2020"]
    assert not read("Amlodipine was withdrawn in May 2020.")[0].all(OTHERWISE)
    assert verdict("Withdrawn was amlodipine on 1 September 2022.") is not Verdict.CONTRADICTED
    assert verdict("Withdrawn was amlodipine in 2022.") is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("A knee X-ray was done on 21 December 2020.", "A knee X-ray was done on 22 December 2020."),
        ("Plain knee film 21 December 2020.", "Plain ankle film 21 December 2020."),
        ("X-ray, knee region: 21 December 2020.", "X-ray, hand region: 21 December 2020."),
    ],
)
def test_a_name_of_the_record_is_known_in_any_order_of_its_words(true: str, false: str) -> None:
    assert verdict(true) is not Verdict.CONTRADICTED
    assert verdict(false) is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "The left knee X-ray was done on 21 December 2020.",
        "Transfer from stepdown unit to ward on 1 January 2016.",
        "Removal of the knee region on 21 December 2020.",
        "A knee colonoscopy was done on 3 May 2020.",
    ],
)
def test_a_name_with_other_words_or_in_which_the_order_decides_is_none(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("true", "false"),
    [
        (
            "An intrauterine contraceptive device was inserted on 2 March 2015 and removed on 9 July 2018.",
            "An intrauterine contraceptive device was removed on 2 March 2015 and inserted on 9 July 2018.",
        ),
        (
            "An intrauterine contraceptive device was placed in 2015 and removed in 2018, three years later.",
            "An intrauterine contraceptive device was placed in 2015 and removed in 2018, five years later.",
        ),
    ],
)
def test_what_was_done_to_a_thing_that_is_left_out_is_that_of_the_thing_before(true: str, false: str) -> None:
    assert verdict(true) is Verdict.SUPPORTED
    assert verdict(false) is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("dated", "in_brackets"),
    [
        (
            "Creatinine was 1.9 mg/dL on 9 March 2023, the date on which a colonoscopy was done.",
            "The highest creatinine on record is 1.9 mg/dL (9 March 2023), the date on which a colonoscopy was done.",
        ),
        (
            "A colonoscopy was done on 3 May 2020, the same day gout was charted.",
            "The highest creatinine on record is 1.9 mg/dL (9 March 2023), the date on which gout was entered.",
        ),
    ],
)
def test_a_clause_of_the_same_day_is_of_that_day(dated: str, in_brackets: str) -> None:
    assert (
        verdict("Creatinine was 1.2 mg/dL on 2 March 2021, the same day doxorubicin was given.") is Verdict.UNSUPPORTED
    )
    assert Verdict.SUPPORTED not in (verdict(dated), verdict(in_brackets))
    assert verdict("Acute bronchitis on 2 April 2020, the day doxycycline was prescribed.") is Verdict.SUPPORTED


@pytest.mark.parametrize(
    "sentence",
    [
        "She underwent a colonoscopy on 3 May 2020 and amlodipine.",
        "Amlodipine was given on 1 March 2022 and a colonoscopy.",
        "She was given a colonoscopy and amlodipine on 1 March 2022.",
    ],
)
def test_a_thing_that_shares_a_verb_shares_its_day(sentence: str) -> None:
    assert verdict(sentence) is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("true", "false"),
    [
        (
            "Acute bronchitis on 2 April 2020, seen in the emergency department and given doxycycline.",
            "Acute bronchitis on 2 April 2020, seen in the emergency department and given amlodipine.",
        ),
    ],
)
def test_what_holds_on_the_day_before_it_leaves_that_day_told(true: str, false: str) -> None:
    assert verdict(true) is Verdict.SUPPORTED
    assert verdict(false) is not Verdict.SUPPORTED


def test_a_year_in_brackets_is_that_of_the_condition_before_it_alone() -> None:
    assert (
        verdict("66-year-old woman with gout (2019), seen on 2 April 2020 with acute bronchitis.") is Verdict.SUPPORTED
    )
    assert (
        verdict("66-year-old woman with gout (2018), seen on 2 April 2020 with acute bronchitis.")
        is Verdict.CONTRADICTED
    )


def test_an_age_with_a_fraction_and_no_unit_is_not_read() -> None:
    assert verdict("Gout was first charted at age 58.7.") is Verdict.UNSUPPORTED
