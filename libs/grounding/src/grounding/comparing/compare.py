"""One function for each kind of assertion."""

from collections.abc import Callable, Mapping

from grounding.comparing import (
    carried,
    circumstances,
    courses,
    drugs,
    events,
    extremes,
    findings,
    levels,
    persons,
    problems,
    results,
    sections,
    sequences,
    social,
    statements,
    valued,
    visits,
)
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, unsupported
from grounding.comparing.record import Record
from grounding.reading.grammar import PRIOR
from grounding.reading.nodes import Node

Compare = Callable[[Node, Record], list[Outcome]]


def _measured(node: Node, record: Record) -> list[Outcome]:
    return (carried.measured if node.one(PRIOR) else results.measured)(node, record)


KINDS: Mapping[str, Compare] = {
    "measured": _measured,
    "extreme": extremes.extreme,
    "always": extremes.always,
    "sometimes": extremes.sometimes,
    "rated": extremes.rated,
    "averaged": extremes.averaged,
    "amounted": courses.amounted,
    "from-change": courses.from_change,
    "previous": courses.previous,
    "pressures": courses.pressures,
    "bounded": results.bounded,
    "never": results.never,
    "ranged": results.ranged,
    "ranked": results.ranked,
    "extreme-rank": results.extreme_rank,
    "extreme-when": results.extreme_when,
    "compared": results.compared,
    "judged": levels.judged,
    "judged-value": results.judged_value,
    "weighs": results.weighs,
    "counted": results.counted,
    "no-result": results.no_result,
    "valued-condition": valued.valued_condition,
    "body-mass": valued.body_mass,
    "staged": valued.staged,
    "converted": results.converted,
    "paneled": results.paneled,
    "from-value": courses.from_value,
    "kept-between": results.kept_between,
    "interval": results.interval,
    "course-series": courses.course_series,
    "arrow": courses.arrow,
    "course": courses.course,
    "changed-by": courses.changed_by,
    "weight-change": courses.weight_change,
    "takes": drugs.takes,
    "listed": drugs.listed,
    "took": drugs.took,
    "started": drugs.started,
    "started-over": drugs.started_over,
    "stopped": drugs.stopped,
    "given": drugs.given,
    "not-taken": drugs.not_taken,
    "daily-dose": drugs.daily_dose,
    "problem": problems.problem,
    "resolved": problems.resolved,
    "resolved-from": problems.resolved,
    "no-problem": problems.no_problem,
    "allergy": problems.allergy,
    "reaction": problems.reaction,
    "no-allergy": problems.no_allergy,
    "relative": problems.relative,
    "order": statements.order,
    "answered": statements.answered,
    "computed": statements.computed,
    "absent": statements.absent,
    "new": statements.new,
    "since-encounter": statements.since_encounter,
    "image": statements.image,
    "images": statements.images,
    "slope": statements.slope,
    "advised": statements.advised,
    "alerted": statements.alerted,
    "told": statements.told,
    "lasting": statements.lasting,
    "susceptible": statements.susceptible,
    "commented": statements.commented,
    "reported": statements.reported,
    "evidence": statements.evidence,
    "corrected": statements.corrected,
    "finding": findings.finding,
    "no-finding": findings.no_finding,
    "normal-finding": findings.only_in_texts,
    "hedged": findings.only_in_texts,
    "treated": findings.treated,
    "advised-against": findings.only_in_texts,
    "written": findings.only_in_texts,
    "source": findings.only_in_texts,
    "past-taken": sections.past_taken,
    "no-record": problems.no_record,
    "event": events.event,
    "no-event": events.no_event,
    "elided": events.event,
    "attended": visits.attended,
    "began": visits.began,
    "lasted": visits.lasted,
    "attended-list": visits.listed,
    "done-for": sequences.done_for,
    "apart": sequences.apart,
    "followed": sequences.followed,
    "social": social.answered,
    "household": social.household,
    "family-history": problems.family_history,
    "count-drugs": drugs.count_drugs,
    "count-allergies": problems.count_allergies,
    "decade": persons.decade,
    "over": problems.over,
    "never-admitted": persons.never_admitted,
    "person": persons.person,
    "admitted": persons.admitted,
    "stay": persons.stay,
    "discharged": persons.discharged,
}


def compare(assertion: Node, record: Record) -> list[Outcome]:
    """What the record says of an assertion: an outcome for each part that was looked at."""
    try:
        return circumstances.compared(assertion, record, KINDS[assertion.kind])
    except UnclearError as error:
        return [unsupported("clear", str(error))]
