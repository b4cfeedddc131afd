"""One function for each kind of assertion."""

from collections.abc import Callable, Mapping

from grounding.comparing import courses, drugs, events, persons, problems, results, social
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, unsupported
from grounding.comparing.record import Record
from grounding.reading.nodes import Node

Compare = Callable[[Node, Record], list[Outcome]]
KINDS: Mapping[str, Compare] = {
    "measured": results.measured,
    "bounded": results.bounded,
    "never": results.never,
    "ranged": results.ranged,
    "extreme": results.extreme,
    "extreme-when": results.extreme_when,
    "compared": results.compared,
    "judged": results.judged,
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
    "no-problem": problems.no_problem,
    "allergy": problems.allergy,
    "reacted": problems.reacted,
    "reaction": problems.reaction,
    "no-allergy": problems.no_allergy,
    "relative": problems.relative,
    "no-record": problems.no_record,
    "event": events.event,
    "no-event": events.no_event,
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
        return KINDS[assertion.kind](assertion, record)
    except UnclearError as error:
        return [unsupported("clear", str(error))]
