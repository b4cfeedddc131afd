"""One function for each kind of assertion."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from grounding.comparing import (
    absences,
    allergies,
    carried,
    circumstances,
    courses,
    drugs,
    events,
    extremes,
    findings,
    levels,
    mixed,
    panels,
    persons,
    prescriptions,
    problems,
    recurring,
    results,
    sections,
    sequences,
    social,
    statements,
    tails,
    tallies,
    valued,
    visits,
)
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, unsupported
from grounding.comparing.record import Record
from grounding.reading.grammar import ADJUNCT, LEAD, PRIOR
from grounding.reading.loose import PARTIAL
from grounding.reading.nodes import Node

Compare = Callable[[Node, Record], list[Outcome]]


_NOTHING = "what is told of it"
# Kinds that tell of no time, and are of one where it stands beside them.
_UNRECORDED = frozenset(("no-record", "absent"))
# How kinds begin that say that something is not there.
_DENYING = ("no", "absent", "un", "over", "apart", "count", "treated-for")


def _measured(node: Node, record: Record) -> list[Outcome]:
    return (carried.measured if node.one(PRIOR) else results.measured)(node, record)


def _started(node: Node, record: Record) -> list[Outcome]:
    """Of what is no drug (her last admission), that it happened."""
    is_drug = drugs.regimens(node) or not node.all("ordered")
    if is_drug or node.says("ordered"):
        return prescriptions.started(node, record)
    return events.event(replace(node, sets={}, roles={**node.roles, "on": node.all("when")}), record)


def _takes(node: Node, record: Record) -> list[Outcome]:
    """What a letter lists only the letter tells; what is taken for a problem."""
    if node.says("letter"):
        return findings.only_in_texts(node, record)
    orders = (
        [fact for one in drugs.regimens(node) for fact in drugs.orders_of(one, record)] if node.all("reason") else []
    )
    return [*drugs.takes(node, record), *(prescriptions.reasons(node, orders, record) if orders else ())]


KINDS: Mapping[str, Compare] = {
    "measured": _measured,
    "extreme": extremes.extreme,
    "always": extremes.always,
    "then-always": extremes.then_always,
    "among": extremes.among,
    "of-all": extremes.of_all,
    "sometimes": extremes.sometimes,
    "rated": extremes.rated,
    "averaged": extremes.averaged,
    "amounted": courses.amounted,
    "from-change": courses.from_change,
    "previous": courses.previous,
    "beyond": tallies.beyond,
    "first-beyond": tallies.first_beyond,
    "than-previous": tails.than_previous,
    "judged-all": tails.judged_all,
    "since-last": tallies.since_last,
    "panel-when": panels.when,
    "panel-count": panels.counted,
    "panel-extreme": panels.extreme,
    "came-from": tails.came_from,
    "level-tail": tails.level_tail,
    "class-tail": tails.class_tail,
    "not-since": tails.not_since,
    "repeated": tails.repeated,
    "ratio": tails.ratio,
    "differing": tails.differing,
    "pressures": courses.pressures,
    "pressures-beyond": results.pressures_beyond,
    "tested": visits.tested,
    "visit-reason": visits.reason,
    "document": statements.document,
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
    "counted-values": results.counted_values,
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
    "takes": _takes,
    "takes-all": drugs.takes_all,
    "listed": drugs.listed,
    "took": prescriptions.took,
    "started": _started,
    "stopped": prescriptions.stopped,
    "given": prescriptions.took,
    "not-taken": prescriptions.off,
    "on-list": prescriptions.on_list,
    "drug-courses": prescriptions.courses,
    "stopped-for": prescriptions.stopped_for,
    "dose-changed": prescriptions.dose_changed,
    "dose-kept": recurring.kept,
    "replaced": prescriptions.replaced,
    "added": prescriptions.added,
    "sequence": prescriptions.sequence,
    "not-ordered": prescriptions.not_ordered,
    "none-taken": prescriptions.none_taken,
    "daily-dose": drugs.daily_dose,
    "problem": problems.problem,
    "active": problems.active,
    "problem-lasted": problems.lasted,
    "treated-for": problems.treated_for,
    "waiting": problems.waiting,
    "history": problems.history,
    "resolved": problems.resolved,
    "resolved-from": problems.resolved,
    "no-problem": problems.no_problem,
    "allergy": allergies.allergy,
    "reaction": allergies.reaction,
    "no-allergy": allergies.no_allergy,
    "not-allergic": allergies.not_allergic,
    "no-reaction": allergies.no_reaction,
    "relative": problems.relative,
    "order": statements.order,
    "reordered": statements.reordered,
    "answered": statements.answered,
    "computed": statements.computed,
    "absent": statements.absent,
    "absent-since": statements.absent_since,
    "absent-allergy": statements.absent_allergy,
    "absent-drug": statements.absent_drug,
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
    "care-plan": findings.only_in_texts,
    "treated": findings.treated,
    "advised-against": findings.only_in_texts,
    "written": findings.only_in_texts,
    "quoted": findings.quoted,
    "source": findings.only_in_texts,
    "past-taken": sections.past_taken,
    "no-record": problems.no_record,
    "event": events.event,
    "no-event": events.no_event,
    "yearly": recurring.yearly,
    "doses": recurring.doses,
    "vaccination-list": recurring.vaccination_list,
    "nothing-ordered": events.nothing_ordered,
    "elided": events.event,
    circumstances.PURPOSE: lambda _, __: [],
    "attended": visits.attended,
    "began": visits.began,
    "lasted": visits.lasted,
    "attended-list": visits.listed,
    "done-for": sequences.done_for,
    "apart": sequences.apart,
    "followed": sequences.followed,
    "together": sequences.together,
    "daily": sequences.daily,
    "exchanged": sequences.exchanged,
    "social": social.answered,
    "household": social.household,
    "family-history": problems.family_history,
    "count-drugs": drugs.count_drugs,
    "count-allergies": allergies.count_allergies,
    mixed.MIXED: mixed.unread,
    "unrecorded": absences.unrecorded,
    "lasted-each": problems.lasted_each,
    "decade": persons.decade,
    "over": problems.over,
    "never-admitted": persons.never_admitted,
    "person": persons.person,
    "admitted": persons.admitted,
    "stay": persons.stay,
    "discharged": persons.discharged,
    "undergoing": persons.undergoing,
}


def compare(assertion: Node, record: Record) -> list[Outcome]:
    """What the record says of an assertion: an outcome for each part that was looked at."""
    if _tells_all(assertion) and _is_partial(assertion):
        return [unsupported("clear", "which of what the name is a part of is meant")]
    dated = bool(assertion.all(ADJUNCT) or assertion.all(LEAD))
    if dated and (assertion.kind in _UNRECORDED or (assertion.kind == "no-event" and assertion.says("searched"))):
        assertion = replace(assertion, kinds=frozenset({"unrecorded"}))
    try:
        beside = [*tails.early(assertion, record), *tallies.pasts(assertion, record)]
        outcomes = circumstances.compared(assertion, record, KINDS[assertion.kind])
    except UnclearError as error:
        return [unsupported("clear", str(error))]
    nothing = [] if assertion.kind == circumstances.PURPOSE else [unsupported("clear", _NOTHING)]
    return [*beside, *(outcomes or nothing)]


def _tells_all(assertion: Node) -> bool:
    """Whether it is told of everything of a name: that there is none, how many, which is the first."""
    said = assertion.says("order") or assertion.says("counted") or assertion.roles.keys() & {"n", "ordered", "rank"}
    return bool(said) or assertion.kind.startswith(_DENYING)


def _is_partial(node: Node) -> bool:
    return bool(node.says(PARTIAL)) or any(map(_is_partial, node.parts))
