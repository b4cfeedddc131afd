"""The sections of a specialty's summary: what of the record belongs to its areas, and the rest in few lines."""

import re
from collections.abc import Iterator

from grounding import Statement, facts, keys
from grounding.reading import names
from grounding.statements import Day, Name, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas
from terminology.loinc import DIASTOLIC

from consult.answering import problem_list, wording
from consult.answering.finding import Group, of_area
from consult.answering.reconciliation import Reconciled
from consult.visits import concerns, sections
from consult.visits.chart import Chart, Line

_MOST_COURSES, _MOST_PROCEDURES, _MOST_PAST, _MOST_LETTERS, _MOST_DRUGS = 6, 6, 4, 4, 8
_OTHER_PROBLEMS, _OTHER_DRUGS = "Other problems", "Other medication"
_LISTED_APART = 6
# Days of a course that are told.
_YEARS = 10 * 365
# Procedures that say nothing of a disease.
_LOOKS = re.compile(r"screening|assessment|education|referral|review|counsel", re.IGNORECASE)


def alerts(chart: Chart) -> Iterator[Line]:
    """Those about its drugs and problems in front."""
    own = {fact.fact_id for group in chart.groups if _is_own(group, chart) for fact in group.entries}
    for line in sections.alerts(chart):
        touches = line.drafted is not None and not own.isdisjoint(line.drafted.rendered.statement.fact_ids)
        yield Line(line.section, drafted=line.drafted, front=line.front and touches)


def problems(chart: Chart) -> Iterator[Line]:
    """Its own with values and drugs, the others by name."""
    own, others = _parted(chart)
    for concern in concerns.concerns(own, chart.taken, chart.sources):
        yield sections.of_concern(sections.PROBLEMS, concerns.line(concern), front=True)
    for start in range(0, len(others), _LISTED_APART):
        some = others[start : start + _LISTED_APART]
        each_alone = tuple(concerns.problems([each]) for each in some)
        yield Line(_OTHER_PROBLEMS, (concerns.problems(some),), each_alone, front=start == 0)


def past(chart: Chart) -> Iterator[Line]:
    """What of its areas is over, the newest first."""
    over = [each for each in _own(chart, pb.FACT_KIND_PROBLEM) if not each.goes_on(chart.sources.today)]
    for rank, group in enumerate(each for each in over if problem_list.belongs_on_a_list(each.newest)):
        yield Line("History", wording.say(group.entries, chart.sources), front=rank < _MOST_PAST)


def courses(chart: Chart) -> Iterator[Line]:
    """The courses of its results, the most telling first."""
    own = {each.newest.fact_id: each for each in _own(chart, pb.FACT_KIND_RESULT)}
    ranked = sorted(own.values(), key=lambda each: -_worth(each, chart))
    for rank, group in enumerate(each for each in ranked if keys.of_loinc(DIASTOLIC) not in each.keys):
        lately = [each for each in group.entries if _is_late(each, chart)] or group.entries[-1:]
        yield Line("Course", wording.say(lately, chart.sources, whole=True), front=rank < _MOST_COURSES)


def other_values(chart: Chart) -> Iterator[Line]:
    """What everybody looks at and no course shows."""
    own = frozenset(each.newest.fact_id for each in _own(chart, pb.FACT_KIND_RESULT))
    yield from sections.other_values(chart, own)


def medication(chart: Chart) -> Iterator[Line]:
    """Its own, one a line; what else may be taken by name."""
    own = [each for each in chart.drugs if _is_given(each, chart)]
    yield from sections.of_drugs(own, chart)
    others = [each for each in chart.taken if each not in own]
    if others:
        each_alone = tuple(concerns.drugs([each]) for each in others)
        yield Line(_OTHER_DRUGS, (concerns.drugs(others[:_MOST_DRUGS]),), each_alone)


def procedures(chart: Chart) -> Iterator[Line]:
    """What was done, the newest first."""
    own = [each for each in _own(chart, pb.FACT_KIND_PROCEDURE) if not _LOOKS.search(facts.name_of(each.newest))]
    for rank, group in enumerate(own):
        yield Line("Procedures", (wording.events(group.entries),), front=rank < _MOST_PROCEDURES)


def letters(chart: Chart) -> Iterator[Line]:
    """Letters and reports whose title or first words are of the specialty, the newest first."""
    words = chart.specialty.letters if chart.specialty else ()
    documents = sorted(chart.sources.of_kind(pb.FACT_KIND_DOCUMENT), key=facts.in_time, reverse=True)
    own = [each for each in documents if any(word in facts.searchable(each).casefold() for word in words)]
    for rank, each in enumerate(own):
        yield Line("Letters and reports", (_letter(each),), front=rank < _MOST_LETTERS)


def _is_late(result: ClinicalFact, chart: Chart) -> bool:
    day = facts.starts_on(result)
    return day is not None and (chart.sources.last_seen - day).days <= _YEARS


def _letter(document: ClinicalFact) -> Statement:
    day = (Words(" ("), Day(document.fact_id), Words(")")) if facts.starts_on(document) else ()
    return Statement(wire.STATEMENT_KIND_EVENT, (Words("Document: "), Name(document.fact_id), *day))


def _own(chart: Chart, kind: int) -> list[Group]:
    own = [each for each in chart.groups if each.kind == kind and _is_own(each, chart)]
    return sorted(own, key=lambda each: facts.in_time(each.newest), reverse=True)


def _is_own(group: Group, chart: Chart) -> bool:
    return _worth(group, chart) > 0


def _worth(group: Group, chart: Chart) -> float:
    """More in the areas that are named first; nothing where it belongs to none."""
    own = chart.specialty.areas if chart.specialty else ()
    worths = ((of_area(each, group.keys, group.newest), rank) for rank, each in enumerate(own))
    return max((worth + len(own) - rank for worth, rank in worths if worth > 0), default=0.0)


def _is_given(drug: Reconciled, chart: Chart) -> bool:
    own = chart.specialty.areas if chart.specialty else ()
    return any(areas.is_given_for(each, facts.about(drug.newest)) for each in own)


def _parted(chart: Chart) -> tuple[list[ClinicalFact], list[ClinicalFact]]:
    """The problems of the specialty, and the others."""
    own = chart.specialty.areas if chart.specialty else ()
    mine = [each for each in chart.active if any(of_area(area, names.keys_of(each), each) > 0 for area in own)]
    return mine, [each for each in chart.active if each not in mine]
