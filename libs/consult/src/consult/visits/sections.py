"""The sections of forms: each a pure function from a chart to lines, in reading order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from grounding import Statement, facts
from grounding.formula import Sex
from grounding.kinds import absence, allergy
from grounding.statements import Age, Words
from knowledge import Finding
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology.loinc import BMI, CREATININE, EGFR, HAEMOGLOBIN, POTASSIUM, SYSTOLIC, WEIGHT, loinc

from consult import kept
from consult.answering import problem_list, reconciliation, wording
from consult.answering.reconciliation import Reconciled, Standing, may_be_taken
from consult.drafting import Drafted, draft_rules
from consult.rules import of_row
from consult.visits import concerns, gaps, news
from consult.visits.chart import Chart, Line, together

ALERTS, CLARIFY, PROBLEMS, ALLERGIES, GAPS = "Not to be missed", "To clarify", "Problems", "Allergies", "Care gaps"
MEDICATION, ALSO_DUE = "Medication", "Also due"
# Lines of a section that are shown unasked.
_MOST_ALERTS, _MOST_PROBLEMS, _MOST_NEWS, _MOST_DRUGS, _MOST_GAPS, _MOST_QUESTIONS = 4, 9, 7, 8, 3, 2
# Things that rows ask for, in all.
_MOST_DUE = 12
# Problems that are told with all their values.
_TOLD_FULLY = 6
# Days for which an ended drug is worth a line, and how many are told in one.
_ENDED, _IN_A_LINE = 2 * 365, 3
_VITALS = (
    SYSTOLIC,
    *map(loinc, ("heart-rate", "body-temperature", "arterial-oxygen-saturation", "respiratory-rate")),
    WEIGHT,
    BMI,
)
_PERSONS = {Sex.FEMALE: "woman", Sex.MALE: "man"}
_ALWAYS = (EGFR, CREATININE, POTASSIUM, HAEMOGLOBIN)
_SMOKING = loinc("smoking-status")
# Ages that are spoken with a vowel first.
_WITH_AN = frozenset((8, 11, 18, *range(80, 90)))
# Seconds within which vital signs were taken at one visit.
_ONE_VISIT = 2 * 86_400


def patient(chart: Chart) -> Iterator[Line]:
    """`The patient is an 81-year-old woman.`"""
    born, sex, known = chart.sources.birth_date(), chart.sources.sex(), chart.sources.administrative_sex()
    if not born:
        return
    old = Statement(wire.STATEMENT_KIND_LATEST, (Words("The patient is "), Age(born.fact_id), Words(" years old")))
    if sex and known:
        article = "an" if chart.sources.age() in _WITH_AN else "a"
        person = (Words(f"The patient is {article} "), Age(born.fact_id), Words(f"-year-old {_PERSONS[known]}"))
        yield Line("Patient", (Statement(wire.STATEMENT_KIND_LATEST, person, (sex.fact_id,)), old))
    else:
        yield Line("Patient", (old,))


def alerts(chart: Chart) -> Iterator[Line]:
    """Alerts of the rules: of each rule and what it is about one."""
    told = list(_once(chart, wire.STATEMENT_KIND_ALERT))
    yield from (Line(ALERTS, drafted=each, front=rank < _MOST_ALERTS) for rank, each in enumerate(told))


def to_clarify(chart: Chart) -> Iterator[Line]:
    """What the record contradicts itself in."""
    told = list(_once(chart, wire.STATEMENT_KIND_QUESTION))
    yield from (Line(CLARIFY, drafted=each, front=rank < _MOST_QUESTIONS) for rank, each in enumerate(told))


def proposals(chart: Chart) -> Iterator[Line]:
    told = list(_once(chart, wire.STATEMENT_KIND_PROPOSAL))
    yield from (Line("Plan: proposed", drafted=each, front=rank < _MOST_ALERTS) for rank, each in enumerate(told))


def visits(chart: Chart) -> Iterator[Line]:
    known = news.visits(chart.sources)
    if known:
        yield from (Line("Last visit", ways) for ways in news.told_of_visits(known, chart.sources))


def since(chart: Chart) -> Iterator[Line]:
    known = news.visits(chart.sources)
    if known:
        section = "New at the last visit" if known.is_of_the_last else "Since the last visit"
        told = news.news(known, chart.groups, chart.active, chart.drugs, chart.sources)
        yield from (Line(section, ways, front=rank < _MOST_NEWS) for rank, ways in enumerate(told) if ways)


def problems(chart: Chart) -> Iterator[Line]:
    """Each with its newest values and drugs."""
    listed = concerns.concerns(chart.active, chart.taken, chart.sources)
    for rank, concern in enumerate(listed):
        told = concerns.line(concern, concerns.MOST_VALUES if rank < _TOLD_FULLY else 1)
        yield of_concern(PROBLEMS, told, front=rank < _MOST_PROBLEMS)


def medication(chart: Chart) -> Iterator[Line]:
    """One line a drug, by its standing; what ended lately in few lines, and what ended long ago behind."""
    yield from of_drugs(chart.drugs, chart)


def allergies(chart: Chart) -> Iterator[Line]:
    """Each with its reaction; or that there is none, by the record's own words or because it names none."""
    own = [each for each in chart.sources.active(pb.FACT_KIND_ALLERGY) if problem_list.belongs_on_a_list(each)]
    distinct = list({facts.name_of(each): each for each in own if not facts.is_absent(each)}.values())
    plain = [each for each in distinct if not (each.note or facts.severity(each))]
    if len(plain) > 1:
        yield Line(ALLERGIES, (wording.allergies(plain),))
    for each in distinct:
        if each not in plain or len(plain) == 1:
            yield Line(ALLERGIES, (allergy.statement(chart.sources, each.fact_id),))
    denied = [each for each in own if facts.is_absent(each)][-1:]
    if denied and not distinct:
        yield Line(ALLERGIES, (allergy.statement(chart.sources, denied[0].fact_id),))
    elif not distinct:
        yield Line(ALLERGIES, (absence.statement(chart.sources, "drug allergy"),))


def due(chart: Chart) -> Iterator[Line]:
    """What gaps ask for, then what rows of knowledge ask for beside it."""
    told = gaps.gaps(chart.active, chart.drugs, chart.sources)
    yield from (Line(GAPS, (each,), front=rank < _MOST_GAPS) for rank, each in enumerate(told))
    rows = draft_rules(map(of_row, _due_by_rows(chart)), chart.sources)
    yield from (Line(ALSO_DUE, drafted=each, front=rank < _MOST_GAPS) for rank, each in enumerate(rows, len(told)))


def _due_by_rows(chart: Chart) -> list[Finding]:
    """Each thing once, and none that gaps know; the most urgent first."""
    covered = gaps.covered(chart.sources)
    due = (each for each in kept.findings(chart.sources) if each.due and each.subject.isdisjoint(covered))
    once = {min(each.subject): each for each in reversed(list(due))}
    return list(reversed(once.values()))[:_MOST_DUE]


def other_values(chart: Chart, shown: frozenset[str] = frozenset()) -> Iterator[Line]:
    """What everybody looks at, where no problem shows it: kidney function, potassium, haemoglobin."""
    listed = concerns.concerns(chart.active, chart.taken, chart.sources)
    told = shown | {one.fact_id for each in listed for value in each.values for one in value}
    left = concerns.newest(_ALWAYS, set(told), chart.sources)
    if left:
        yield Line("Other values", (_values(left),), tuple(_values([each]) for each in left))


def vitals(chart: Chart) -> Iterator[Line]:
    """Those of the newest visit at which they were taken."""
    newest = concerns.newest(_VITALS, set(), chart.sources)
    last = max((facts.in_time(each[0])[0] for each in newest), default=0.0)
    shown = [each for each in newest if last - facts.in_time(each[0])[0] < _ONE_VISIT]
    if shown:
        yield Line("Objective: vital signs", (_values(shown),), tuple(_values([each]) for each in shown))


def results(chart: Chart) -> Iterator[Line]:
    """The newest values of the active problems, a line for each."""
    shown = {one.fact_id for each in concerns.newest(_VITALS, set(), chart.sources) for one in each}
    for concern in concerns.concerns(chart.active, chart.taken, chart.sources):
        own = [each for each in concern.values if each[0].fact_id not in shown]
        if own:
            yield Line("Objective: results", (_values(own),), tuple(_values([each]) for each in own))
    yield from (replace(each, section="Objective: results") for each in other_values(chart))


def assessed(chart: Chart) -> Iterator[Line]:
    """The problems without their values, which stand above."""
    for rank, concern in enumerate(concerns.concerns(chart.active, chart.taken, chart.sources)):
        each_alone = tuple(concerns.problems([each]) for each in concern.problems)
        whole = (concerns.problems(concern.problems),)
        yield Line("Assessment: problems", whole, each_alone, front=rank < _MOST_PROBLEMS)


def taken(chart: Chart) -> Iterator[Line]:
    """What may be taken, all in a line."""
    yield from _names("Subjective: medication", chart.taken)


def smoking(chart: Chart) -> Iterator[Line]:
    answers = [each for each in chart.sources.of_kind(pb.FACT_KIND_RESULT) if each.code.code == _SMOKING]
    if answers:
        yield Line("Subjective: social history", wording.say(answers[-1:], chart.sources))


def _once(chart: Chart, kind: int) -> Iterator[Drafted]:
    """Of each rule and what it is about the first, and what rests on nothing more than another one last."""
    told: dict[tuple[str, tuple[str, ...]], Drafted] = {}
    for each in chart.rules:
        statement = each.rendered.statement
        if statement.kind == kind:
            told.setdefault((each.row or each.author_name, statement.fact_ids[-1:]), each)
    rests = [frozenset(each.rendered.statement.fact_ids) for each in told.values()]
    yield from (each for each, own in zip(told.values(), rests, strict=True) if not any(own < other for other in rests))
    yield from (each for each, own in zip(told.values(), rests, strict=True) if any(own < other for other in rests))


def of_concern(section: str, pieces: tuple[Statement, ...], *, front: bool) -> Line:
    """`Type 2 diabetes since ...: HbA1c ...; metformin ...`."""
    has_values = len(pieces) > 1 and pieces[1].kind == wire.STATEMENT_KIND_LATEST
    if not has_values:
        return together(section, pieces, front=front)
    first = together(section, pieces[:2], ": ", front=front)
    whole = together(section, [first.ways[0], *pieces[2:]], front=front)
    return Line(section, whole.ways, pieces, front)


def of_drugs(drugs: Iterable[Reconciled], chart: Chart) -> Iterator[Line]:
    shown = 0
    ended: list[Statement] = []
    for each in drugs:
        ways = reconciliation.say(each, chart.sources)
        if each.standing is Standing.ENDED:
            ended += ways[:1]
            continue
        front = may_be_taken(each, chart.sources.today) and shown < _MOST_DRUGS
        shown += front
        yield Line(f"{MEDICATION}: {each.standing}", ways, front=front)
    lately = sum(_is_recent(each, chart) for each in drugs if each.standing is Standing.ENDED)
    yield from _in_lines(f"{MEDICATION}: {Standing.ENDED}", ended[:lately], front=True)
    yield from _in_lines(f"{MEDICATION}: {Standing.ENDED}", ended[lately:], front=False)


def _in_lines(section: str, statements: Sequence[Statement], *, front: bool) -> Iterator[Line]:
    for start in range(0, len(statements), _IN_A_LINE):
        yield together(section, statements[start : start + _IN_A_LINE], front=front)


def _is_recent(drug: Reconciled, chart: Chart) -> bool:
    end = facts.ends_on(drug.newest) or facts.starts_on(drug.newest)
    return end is not None and (chart.sources.today - end).days <= _ENDED


def _names(section: str, drugs: Sequence[Reconciled]) -> Iterator[Line]:
    if drugs:
        each_alone = tuple(concerns.drugs([each]) for each in drugs)
        yield Line(section, (concerns.drugs(drugs),), each_alone)


def _values(shown: Sequence[tuple[ClinicalFact, ...]]) -> Statement:
    return Statement(wire.STATEMENT_KIND_LATEST, concerns.values(shown, capital=True))
