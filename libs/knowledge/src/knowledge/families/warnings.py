"""Early warning scores from vital signs: NEWS2 and qSOFA, at least as high as what was measured makes them.

Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, chart 1 (SpO2 scale 1, and no SpO2
where COPD may ask for scale 2; air or oxygen and new confusion are not in the record, so that the score is at least so
high); Singer M et al., Sepsis-3, JAMA
2016;315:801-810, box 4 (qSOFA).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from grounding.statements import join
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import loinc

from knowledge import wording
from knowledge.family import Family
from knowledge.finding import Finding
from knowledge.record import Patient, value_in
from knowledge.row import Row
from knowledge.terms import Ages, Problems, Results, Score

# Vital signs of one round, and how long they are news.
_ROUND_SECONDS, _RECENT_DAYS = 2 * 3600, 1
# Fewer vital signs than these make no score.
_LEAST = 3
# Each band: from this value on, points; the first band has no lower end.
Bands = tuple[tuple[str, int], ...]
_NEWS2: Mapping[str, tuple[str, Bands]] = {
    loinc("respiratory-rate"): ("/min", (("", 3), ("9", 1), ("12", 0), ("21", 2), ("25", 3))),
    loinc("arterial-oxygen-saturation"): ("%", (("", 3), ("92", 2), ("94", 1), ("96", 0))),
    loinc("oxygen-saturation"): ("%", (("", 3), ("92", 2), ("94", 1), ("96", 0))),
    loinc("systolic-blood-pressure"): ("mm[Hg]", (("", 3), ("91", 2), ("101", 1), ("111", 0), ("220", 3))),
    loinc("heart-rate"): ("/min", (("", 3), ("41", 1), ("51", 0), ("91", 1), ("111", 2), ("131", 3))),
    loinc("body-temperature"): ("Cel", (("", 3), ("35.1", 1), ("36.1", 0), ("38.1", 1), ("39.1", 2))),
}
_SATURATION = (loinc("arterial-oxygen-saturation"), loinc("oxygen-saturation"))
_SCALE_2 = Problems(frozenset({"copd", "respiratory-failure"}))
_QSOFA: Mapping[str, tuple[str, Bands]] = {
    loinc("respiratory-rate"): ("/min", (("", 0), ("22", 1))),
    loinc("systolic-blood-pressure"): ("mm[Hg]", (("", 1), ("101", 0))),
    loinc("glasgow-coma-score"): ("{score}", (("", 1), ("15", 0))),
}


_TABLES = {Score.NEWS2: _NEWS2, Score.QSOFA: _QSOFA}


@dataclass(frozen=True, slots=True)
class Conditions:
    """The score of the newest vital signs, not older than a day, is from `points` to `most`; `single`: one vital sign
    alone has three points, and the whole is at most `most`.
    """

    score: Score
    points: int
    most: int = 20
    single: bool = False
    ages: Ages | None = None


def evaluate(row: Row, patient: Patient) -> Iterator[Finding]:
    """The vital signs that make the score, those without points left out."""
    wanted: Conditions = row.conditions
    if wanted.ages and not wanted.ages.holds(patient.age):
        return
    scored = _scored(_TABLES[wanted.score], patient)
    total = sum(points for _, points in scored)
    enough = len(scored) >= (_LEAST if wanted.score is Score.NEWS2 else 1)
    is_single = not wanted.single or any(points == 3 for _, points in scored)
    if enough and is_single and wanted.points <= total <= wanted.most:
        shown = [fact for fact, points in scored if points]
        signs = join("; ", (wording.measured(each, capital=rank == 0) for rank, each in enumerate(shown)))
        yield Finding(row, wording.statement(row, signs), frozenset((wanted.score,)))


def _scored(table: Mapping[str, tuple[str, Bands]], patient: Patient) -> list[tuple[ClinicalFact, int]]:
    """The newest vital signs of one round with their points; of several of one kind, the newest."""
    read = [code for code in table if not (code in _SATURATION and patient.problem(_SCALE_2))]
    newest = {code: patient.newest(Results((code,)), _RECENT_DAYS) for code in read}
    known = {code: fact for code, fact in newest.items() if fact is not None and fact.HasField("valid_from")}
    last = max((fact.valid_from.seconds for fact in known.values()), default=0)
    scored: dict[str, tuple[ClinicalFact, int]] = {}
    for code, fact in known.items():
        unit, bands = table[code]
        value = value_in(fact, unit)
        if value is not None and last - fact.valid_from.seconds <= _ROUND_SECONDS:
            scored.setdefault(str(bands), (fact, _points(value, bands)))
    return list(scored.values())


def _points(value: Decimal, bands: Bands) -> int:
    return [points for start, points in bands if not start or value >= Decimal(start)][-1]


FAMILY = Family("warnings", "early warning scores from vital signs", Conditions, evaluate)
