"""What stands in front of an answer: the statements that answer, the most concerning first."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from grounding import Sources, facts
from grounding.kinds import absence
from grounding.reading import names
from grounding.reading.tokens import tokens
from knowledge.families import vaccinations
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas, families, vaccines
from terminology.areas import Area

from consult import kept
from consult.answering import (
    beside,
    changes,
    encounters,
    happenings,
    not_since,
    pressures,
    problem_list,
    quotations,
    reasons,
    reconciliation,
    screening,
    suitability,
    watching,
    windows,
    wording,
)
from consult.answering.finding import Group, find, is_slight, of_area
from consult.answering.inquiry import Form, Inquiry, Mention, of_occasion
from consult.answering.wording import SOCIAL, Ways
from consult.context.relevance import terms

# Of what is over, the newest that are told where nothing of it goes on.
_LAST = 2
# What is missed where the question names it; an answer, an allergen or a reaction is not.
_MISSED = frozenset(
    {names.DRUG, names.CLASS, names.PROBLEM, names.OBSERVABLE, names.PANEL, names.PROCEDURE, names.IMMUNIZATION}
)
# Procedures that look for a thing, and do not say that it is there.
_LOOKS = re.compile(r"screening|assessment|education|monitoring|test\b|review|examination", re.IGNORECASE)
# Words of many illnesses, which make none of two the same.
_COMMON = terms("heart disease disorder syndrome failure chronic acute severe primary history finding type injury")
_DRUG = pb.FACT_KIND_MEDICATION
# Where drugs that nobody named are told although they are over.
_OF_THE_PAST = (
    Form.TREATMENT, Form.BEFORE, Form.ALL_DRUGS, Form.EFFECT, Form.STATE, Form.ABSENCE, Form.DOSE, Form.SUITABILITY,
    Form.SUMMARY, Form.STAY, Form.DURING, Form.SINCE,
)  # fmt: skip
# Results whose newest is asked for, from which on two values of each are told.
_MANY, _NEWEST = 4, 2
# How an illness stands.
_OF_STATE = frozenset((Form.COURSE, Form.STATE, Form.SEVERITY))
# Fewer drugs and classes of its own say that an area is treated by those of others: the kidneys.
_TREATING = 3
# What happens or is done so often.
_COUNTED = (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_IMMUNIZATION)
_OPERATION, _IMMUNOSUPPRESSION, _ANAPHYLAXIS = "operation", "immunosuppression", "anaphylaxis"
# Antibodies that allergies are looked for by.
_ANTIBODY = re.compile(r"\bIgE\b")
# Problems that are told where nothing is found of what is asked.
_STANDING = 6
# Areas of what the record has of an illness.
_WIDER = 2
# Statements that are composed; the first that the gate lets through stand in front.
MOST = 14
# Of each question of several, those that are told at a time.
_TURN = 2
# Of them, those before the allergies that nobody asked for.
_BEFORE_ALLERGIES = 4
# How far behind the best group one may lie, and what each further one of its kind is worth less.
_BEHIND, _AGAIN, _AGAIN_NAMED = 7.0, 1.0, 0.6


@dataclass(frozen=True, slots=True)
class Answer:
    """`told`: what may stand in front, in reading order, each in the ways in which it can be said. `considered`: ids
    of the orders of the drugs that the question names, and of allergies where they are asked for. `drugs`: keys of
    these drugs, none where no passage belongs beside the answer; `about`: keys of all that it is about. `groups`: all
    that finding brought. `concerning`: those of `told` that are never left out, allergies to a drug of the question.
    """

    told: tuple[Ways, ...]
    considered: frozenset[str]
    drugs: frozenset[str]
    about: frozenset[str]
    groups: tuple[Group, ...]
    concerning: tuple[Ways, ...] = ()


def answer(inquiry: Inquiry, sources: Sources) -> Answer:
    """Empty where nothing was understood."""
    inquiry, groups = _found(inquiry, sources)
    allergies = suitability.allergies(inquiry, sources)
    parts = [(*_found(each, sources), suitability.allergies(each, sources)) for each in inquiry.parts]
    composed = [
        list(_statements(each, own, sources, *theirs)) for each, own, theirs in parts or [(inquiry, groups, allergies)]
    ]
    told = [ways for ways in dict.fromkeys(_in_turns(composed)) if ways][:MOST]
    orders = [each for group in groups if group.named and group.kind == _DRUG for each in group.entries]
    if inquiry.asks(Form.SUITABILITY) and not inquiry.drugs:
        orders += _weighed(inquiry, groups, sources)
    if inquiry.asks(Form.ALLERGY) and not inquiry.drugs:
        orders += sources.active(pb.FACT_KIND_ALLERGY)
    # Beside an allergy to the drug, what the drug is good for would read as advice to give it.
    wanted = inquiry.asks(Form.SUITABILITY) and not allergies[0]
    drugs = frozenset().union(*(each.keys for each in inquiry.drugs)) if wanted else frozenset[str]()
    in_use = [sources.fact(fact_id) for ways in told for fact_id in ways[0].fact_ids]
    about = drugs.union(*(facts.keys(each) for each in in_use))
    return Answer(
        tuple(told), frozenset(each.fact_id for each in orders), drugs, about, tuple(groups), tuple(allergies[0])
    )


def _weighed(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[ClinicalFact]:
    """The orders that a question weighs which names no drug: all that is taken, or what of it belongs to its area."""
    if _weighs_all(inquiry):
        for drug in reconciliation.reconcile(sources):
            yield from drug.entries if drug.is_in_use else ()
    for group in groups:
        if group.kind == _DRUG and group.goes_on(sources.today) and any(_is_given(one, group) for one in inquiry.areas):
            yield from group.entries


def _weighs_all(inquiry: Inquiry) -> bool:
    """Whether it is asked if what is taken fits, whatever that is."""
    return inquiry.asks(Form.SUITABILITY) and inquiry.asks(Form.TREATMENT) and not inquiry.about_something


def _found(inquiry: Inquiry, sources: Sources) -> tuple[Inquiry, list[Group]]:
    """What finding brings; where no area is named, also of those to which the illnesses belong that the record has of
    what is: of the cancer, those of the bowel.
    """
    groups = find(inquiry, sources)
    illnesses = [
        each for each in groups if each.named and each.kind == pb.FACT_KIND_PROBLEM and SOCIAL not in each.keys
    ]
    if not illnesses or any(each.id in areas.known() for each in inquiry.areas):
        return inquiry, groups
    known = areas.known().values()
    meant = [area for one in illnesses for area in known if of_area(area, one.keys, one.newest)]
    wider = replace(inquiry, areas=(*inquiry.areas, *tuple(dict.fromkeys(meant))[:_WIDER]))
    return (wider, find(wider, sources)) if meant else (inquiry, groups)


def _in_turns(composed: Sequence[Sequence[Ways]]) -> Iterator[Ways]:
    """Of each question of several so many at a time."""
    for begin in range(0, max(map(len, composed), default=0), _TURN):
        for own in composed:
            yield from own[begin : begin + _TURN]


def _statements(
    inquiry: Inquiry, groups: Sequence[Group], sources: Sources, concerning: Sequence[Ways], others: Sequence[Ways]
) -> Iterator[Ways]:
    """`concerning`: allergies to a drug of the question; `others`: what else is told of allergies."""
    stated = list(_stated(inquiry, groups, sources))
    yield from stated
    yield from encounters.around(inquiry, sources) if not stated and encounters.asked_beside(inquiry) else ()
    if stated and not inquiry.asks(Form.SUITABILITY):
        return
    yield from quotations.nearest(inquiry, sources) if quotations.asked(inquiry) and not stated else ()
    if inquiry.asks(Form.VALUES) and inquiry.days and not inquiry.about_something:
        yield from happenings.moved(inquiry.days, groups, sources)
        return
    since = inquiry.days[0][1] if inquiry.days else None if inquiry.about_something else encounters.day_before(sources)
    if inquiry.asks(Form.CHANGE) and since:
        yield from changes.since(since, groups, sources)
        return
    if inquiry.asks(Form.HAPPENED) and inquiry.days and not inquiry.about_something:
        yield from happenings.within(inquiry.days, groups, sources)
        return
    about = list(dict.fromkeys(_about(inquiry, groups, sources)))
    about = about or list(screening.around(inquiry, groups, sources) if inquiry.screenings else ())
    about = about or list(watching.nowhere(_looked_at(inquiry), groups, sources))
    about = about or quotations.otherwise(inquiry, sources)
    # Of an illness that the record has nothing of, or where it is asked if something goes on that was not understood,
    # what there is; and what may matter whatever is asked.
    unread = inquiry.asks(Form.STATE) and not (about or inquiry.about_something)
    about = [*_suspected(inquiry, about, sources), *about]
    unknown = _kinds_of(inquiry.mentions)[1] and all(
        ways[0].kind == wire.STATEMENT_KIND_ABSENCE for ways in about if ways
    )
    if unread or unknown or (inquiry.asks(Form.ANYTHING) and not inquiry.asks(Form.SUITABILITY)):
        about += _standing(inquiry, groups, sources)
    asked = inquiry.asks(Form.ALLERGY)
    if inquiry.is_before_doing and not (asked or inquiry.drugs):
        others = [ways for ways in others if ways[0].kind == wire.STATEMENT_KIND_ALLERGY]
    elif not (asked or _tells_allergies(inquiry)):
        concerning, others = (concerning, []) if inquiry.asks(Form.SUITABILITY) else ([], concerning)
    yield from [*concerning, *(others if asked else [])]
    yield from about[:_BEFORE_ALLERGIES]
    yield from others
    yield from _beside_allergies(groups, sources) if asked and not (inquiry.drugs or inquiry.is_before_doing) else ()
    yield from about[_BEFORE_ALLERGIES:]


def _tells_allergies(inquiry: Inquiry) -> bool:
    """Whether a drug, a vaccine or something that was not understood, a food, is to be given, or a whole record is
    handed over.
    """
    if inquiry.asks(Form.SUMMARY) and not inquiry.about_something:
        return True
    meant = inquiry.drugs or inquiry.asks(Form.IMMUNISATION, Form.TREATMENT) or not inquiry.about_something
    return inquiry.asks(Form.SUITABILITY) and bool(meant)


def _beside_allergies(groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What is carried against anaphylaxis, and of the antibodies that were measured the highest."""
    for group in groups:
        if group.kind == _DRUG and group.goes_on(sources.today) and _is_given(areas.known()[_ANAPHYLAXIS], group):
            yield wording.say(group.entries, sources)
    measured = [each for each in groups if each.kind == pb.FACT_KIND_RESULT and facts.number(each.newest.quantity)]
    antibodies = [each.newest for each in measured if _ANTIBODY.search(facts.name_of(each.newest))]
    for newest in sorted(antibodies, key=lambda each: facts.number(each.quantity) or 0, reverse=True)[:_LAST]:
        yield wording.say([newest], sources)


def _about(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    yield from _screened(inquiry, groups, sources) or _in_reading_order(inquiry, groups, sources)


def _screened(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> list[Ways]:
    if not _is_screening(inquiry):
        return []
    about = [group for group in groups if group.named or inquiry.areas]
    return [*screening.around(inquiry, groups, sources), *_of_groups(inquiry, about, sources)]


def _looked_at(inquiry: Inquiry) -> list[str]:
    """The results of the areas that are named."""
    return [code for area in inquiry.areas[:1] for code in area.results]


def _watched(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Tests that are nowhere, values that are watched, drugs that meet, where that is asked for."""
    if inquiry.asks(Form.WORKUP):
        yield from watching.nowhere(_looked_at(inquiry), groups, sources)
    if inquiry.asks(Form.ADJUSTMENT) and not inquiry.drugs:
        yield from watching.adjusted(inquiry, groups, sources)
    if inquiry.asks(Form.MONITORING):
        yield from watching.monitored(inquiry, groups, sources)
    if inquiry.asks(Form.MEETING) and not inquiry.drugs:
        yield from watching.meeting(groups, sources)


def _in_reading_order(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    yield from _watched(inquiry, groups, sources)
    drugs, illnesses, others = _kinds_of(inquiry.mentions)
    missing = list(_absent(drugs, inquiry, groups, sources))
    considered = inquiry.asks(Form.SUITABILITY) and bool(inquiry.drugs)
    # What a drug is to be given for is not there yet, as the drug itself.
    unnamed = list(_absent(illnesses, inquiry, groups, sources)) if considered else []
    yield from _absent(others if considered else [*illnesses, *others], inquiry, groups, sources)
    # What is to be given is not taken yet, which is told last; a dose, or taking it, is asked of what is.
    taken = inquiry.asks(Form.DOSE) or (inquiry.asks(Form.STATE) and inquiry.asks(Form.TREATMENT))
    later = considered and not taken
    yield from () if later else missing
    if considered:
        yield from _named(groups, sources)
        yield from _named_values(inquiry, groups)
        yield from suitability.around(inquiry.drugs, groups, sources, new=later)
        yield from beside.of_drugs(inquiry, groups, sources) if inquiry.asks(Form.BEFORE, Form.REASON) else ()
    yield from _listed(inquiry, groups, sources)
    yield from _drugs_of_areas(inquiry, groups, sources)
    if inquiry.asks(Form.DONE) and not inquiry.drugs:
        yield from happenings.done(inquiry.areas, groups, sources)
    yield from _operations(inquiry, groups, sources)
    yield from _vaccinations(inquiry, groups, sources)
    if not considered:
        yield from _named(groups, sources)
        yield from beside.of_drugs(inquiry, groups, sources)
    yield from _instead(inquiry, groups, sources)
    yield from _untreated(inquiry, groups, sources) if inquiry.asks(Form.TREATMENT, Form.ALLERGY) else ()
    # What was never done answers, unless something is there that the question names.
    not_done, named = list(_not_done(inquiry, groups, sources)), any(group.named for group in groups)
    yield from () if named else not_done
    yield from _of_levels(inquiry, groups, sources)
    yield from _extremes(inquiry, groups)
    yield from not_since.around(inquiry, groups, sources)
    gone = not_since.missing_of(inquiry, groups)
    about = [group for group in groups if group not in gone]
    if _asks_for_operations(inquiry):
        about = [group for group in about if group.kind == pb.FACT_KIND_PROCEDURE]
    yield from _of_groups(inquiry, about, sources)
    yield from not_done if named else ()
    yield from not_since.only_once(inquiry, groups, sources)
    yield from _untreated(inquiry, groups, sources) if _asks_how_it_stands(inquiry, groups, sources) else ()
    yield from reasons.again(_antigens(inquiry), sources)
    again = inquiry.asks(Form.BEFORE, Form.ABSENCE)
    if again or not (inquiry.asks(Form.SUITABILITY) or inquiry.is_before_doing):
        yield from beside.of_illnesses(inquiry, groups, sources)
    yield from missing if later else ()
    yield from unnamed
    yield from _unfounded(inquiry, groups, sources) if considered else ()


def _suspected(inquiry: Inquiry, about: Sequence[Ways], sources: Sources) -> Iterator[Ways]:
    """What is taken, where drugs are asked for and nothing is found of what for, or none that is known for a complaint
    that they may stand behind.
    """
    is_complaint = bool(inquiry.areas) and all(each.id in areas.occasions() for each in inquiry.areas)
    told = any(ways[0].kind == wire.STATEMENT_KIND_MEDICATION for ways in about if ways)
    of_one = inquiry.drugs or (inquiry.asks(Form.SUITABILITY) and not _weighs_all(inquiry))
    drugs = inquiry.asks(Form.TREATMENT, Form.ALL_DRUGS, Form.STATE) and not of_one
    if drugs and not told and (is_complaint or not about):
        yield from _medication(inquiry, sources)


def _standing(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """The problems that go on, and where anything may concern the question, what is taken."""
    for group in problem_list.listed(groups, sources.today)[:_STANDING]:
        yield wording.say(group.entries, sources)
    if inquiry.asks(Form.ANYTHING, Form.SUMMARY):
        yield from _medication(inquiry, sources)


def _stated(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What a document says, or which visits there were and what happened in the last, where that is asked for."""
    if quotations.asked(inquiry):
        yield from quotations.around(inquiry, sources)
    elif encounters.asked(inquiry):
        visits = list(encounters.around(inquiry, sources))
        yield from visits
        spans = encounters.spans(inquiry, sources) if visits else []
        yield from happenings.within(spans, groups, sources)


def _is_screening(inquiry: Inquiry) -> bool:
    return inquiry.asks(Form.SCREENING) and not inquiry.asks(Form.IMMUNISATION)


def _kinds_of(mentions: Sequence[Mention]) -> tuple[list[Mention], list[Mention], list[Mention]]:
    """Drugs, problems, and anything else."""
    drugs = [each for each in mentions if each.is_drug]
    illnesses = [each for each in mentions if not each.is_drug and names.PROBLEM in each.kinds]
    return drugs, illnesses, [each for each in mentions if each not in drugs and each not in illnesses]


def _absent(mentions: Sequence[Mention], inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What is named and the record has not."""
    for mention in mentions:
        if not (
            mention.kinds.isdisjoint(_MISSED)
            or any(_is_there(mention, group) for group in groups)
            or _is_occasion(mention, sources)
        ):
            quoted = [] if inquiry.asks(Form.SUITABILITY) else quotations.stating(terms(mention.text), inquiry, sources)
            # What entries hold wherever it is known is missing, whatever a text says of it.
            listed = mention.is_drug or names.PROBLEM in mention.kinds
            yield from (
                [(absence.statement(sources, not_since.in_the_singular(mention, sources.today)),)]
                if listed or not quoted
                else []
            )
            yield from quoted
            if mention.is_drug and not inquiry.asks(Form.SUITABILITY):
                yield from suitability.of_its_class([mention], groups, sources)


def _is_occasion(mention: Mention, sources: Sources) -> bool:
    """A complaint or what is to be done: it is what the question brings, and no record is expected to have it."""
    brought = of_occasion(mention.text)
    return brought is not None and not _names_a_procedure(brought.id.replace("-", " "), sources)


def _is_there(mention: Mention, group: Group) -> bool:
    """By its keys, else by its words: chemotherapy is there in chemotherapy with radiation, and a valve that leaks in
    one that regurgitates. What is said to be absent must be absent by any name.
    """
    if not mention.keys.isdisjoint(group.keys):
        return True
    spoken, name = terms(mention.text), terms(facts.name_of(group.newest))
    match group.kind:
        case pb.FACT_KIND_PROCEDURE:
            return bool(spoken) and spoken <= name and not _LOOKS.search(facts.name_of(group.newest))
        case pb.FACT_KIND_PROBLEM:
            return names.PROBLEM in mention.kinds and not (spoken - _COMMON).isdisjoint(name)
        case pb.FACT_KIND_RESULT:
            # What somebody answered: `Smoking status` says that he smokes or does not.
            return bool(spoken) and spoken <= name and not group.newest.HasField("quantity")
        case _:
            return False


def _listed(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """All that is taken, all problems, or all operations, where everything of its kind is asked for."""
    every = sorted(groups, key=lambda group: (is_slight(group), -facts.in_time(group.newest)[0]))
    if inquiry.asks(Form.ALL_DRUGS) and not inquiry.about_something:
        yield from _medication(inquiry, sources)
    if inquiry.asks(Form.ALL_PROBLEMS) and not inquiry.about_something:
        over = [group for group in every if group.kind == pb.FACT_KIND_PROBLEM and SOCIAL not in group.keys][:_LAST]
        for group in problem_list.listed(groups, sources.today) or over:
            yield wording.say(group.entries, sources)
    if inquiry.asks(Form.SUMMARY) and not inquiry.about_something:
        yield from _standing(inquiry, groups, sources)
    if inquiry.asks(Form.OPERATIONS) or _asks_for_operations(inquiry):
        for group in every:
            if group.kind == pb.FACT_KIND_PROCEDURE and _is_operation(group):
                yield wording.say(group.entries, sources)


def _asks_for_operations(inquiry: Inquiry) -> bool:
    """Whether nothing but operations is named."""
    alone = [each.id for each in inquiry.areas] == [_OPERATION] and not inquiry.mentions
    return alone and not inquiry.asks(Form.SINCE, Form.SUITABILITY)


def _operations(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """`the bowel operation`: those of the areas that are named with it."""
    wanted = any(each.id == _OPERATION for each in inquiry.areas) and not inquiry.asks(Form.SINCE)
    if wanted and not (inquiry.is_before_doing or inquiry.drugs):
        organs = [each for each in inquiry.areas if each.id != _OPERATION]
        yield from happenings.done(organs, [group for group in groups if _is_operation(group)], sources)


def _of_levels(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Beside the concentration of a drug, its orders."""
    levels = [each.text.removesuffix(" level").casefold() for each in inquiry.mentions if each.text.endswith(" level")]
    for group in groups:
        if group.kind == _DRUG and not areas.names_in_rows(facts.about(group.newest)).isdisjoint(levels):
            yield wording.say(group.entries, sources)


def _extremes(inquiry: Inquiry, groups: Sequence[Group]) -> Iterator[Ways]:
    """The highest and the lowest value of what is named, where it is asked for."""
    if inquiry.asks(Form.HIGHEST, Form.LOWEST):
        for group in groups:
            if group.kind == pb.FACT_KIND_RESULT and group.named:
                yield from wording.extremes(
                    group.entries, highest=inquiry.asks(Form.HIGHEST), lowest=inquiry.asks(Form.LOWEST)
                )


def _antigens(inquiry: Inquiry) -> list[str]:
    """What vaccines protect from of which the question asks."""
    keys = frozenset().union(*(each.keys for each in inquiry.mentions))
    known = {antigen for vaccine in vaccines.known() for antigen in vaccine.antigens}
    return [each for each in sorted(known) if inquiry.asks(Form.IMMUNISATION) and names.of_vaccine(each) in keys]


def _drugs_of_areas(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """All that are given for an area, where its drugs are asked for as a whole: what is taken first."""
    if inquiry.asks(Form.ALL_DRUGS):
        given = [each for each in groups if each.kind == _DRUG and any(_is_given(area, each) for area in inquiry.areas)]
        ended = [each for each in given if not each.goes_on(sources.today)]
        in_use = [each for each in given if each not in ended]
        for group in [*in_use, *(ended if inquiry.asks(Form.BEFORE, Form.ABSENCE) or not in_use else ended[:_LAST])]:
            yield wording.say(group.entries, sources)


def _instead(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Of drugs that are named and over, what is taken now that is given for the same."""
    if not inquiry.asks(Form.STATE, Form.TREATMENT):
        return
    over = [each for each in groups if each.kind == _DRUG and each.named and not each.goes_on(sources.today)]
    own = frozenset().union(*(areas.names_in_rows(facts.about(each.newest)) for each in over))
    by_name = [area for area in areas.known().values() if not own.isdisjoint(area.drugs)]
    meant = by_name or [area for area in areas.known().values() if any(_is_given(area, group) for group in over)]
    about = [area for area in meant if any(each.id == area.id for each in inquiry.areas)] or meant
    for group in groups:
        if group.kind == _DRUG and group.goes_on(sources.today) and any(_is_given(area, group) for area in about):
            yield wording.say(group.entries, sources)


def _is_given(area: Area, group: Group) -> bool:
    return areas.is_given_for(area, facts.about(group.newest))


def _vaccinations(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What weakens the immune system, where one may be given; all, or those of the time that is named, where none is
    named.
    """
    if not inquiry.asks(Form.IMMUNISATION):
        return
    if inquiry.asks(Form.SUITABILITY):
        for group in groups:
            weakens = of_area(areas.known()[_IMMUNOSUPPRESSION], group.keys, group.newest)
            if weakens and group.goes_on(sources.today):
                yield wording.say(group.entries, sources)
    if any(names.IMMUNIZATION in each.kinds for each in inquiry.mentions):
        return
    yield from _due(groups, sources)
    given = [group for group in groups if group.kind == pb.FACT_KIND_IMMUNIZATION]
    for group in sorted(given, key=lambda group: -facts.in_time(group.newest)[0]):
        if not inquiry.days or windows.touches(group, inquiry.days):
            yield wording.say(group.entries, sources)


def _due(groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Vaccines that the rows of medical knowledge ask for and the record has none of."""
    rows = [each.row.conditions for each in kept.findings(sources) if each.row.family == vaccinations.FAMILY.name]
    given = frozenset().union(*(group.keys for group in groups if group.kind == pb.FACT_KIND_IMMUNIZATION))
    for label in dict.fromkeys(
        each.label for each in rows if given.isdisjoint(map(names.of_vaccine, each.vaccines.antigens))
    ):
        yield (absence.statement(sources, label),)


def _medication(inquiry: Inquiry, sources: Sources) -> Iterator[Ways]:
    """What may be taken, a line each; what was stopped where that is asked for, or nothing else is there."""
    drugs = reconciliation.reconcile(sources)
    in_use = [each for each in drugs if each.is_in_use]
    ended = [each for each in drugs if not each.is_in_use]
    for each in [*in_use, *(ended if inquiry.asks(Form.BEFORE) else ended[: _LAST if not in_use else 0])]:
        yield reconciliation.say(each, sources)


def _untreated(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """That the record has no drug of an area, where drugs are asked for; of an area of one drug, not this."""
    only_allergy = inquiry.asks(Form.ALLERGY) and not inquiry.asks(Form.TREATMENT)
    for area in inquiry.areas[:2]:
        given = any(_is_given(area, each) for each in groups if each.kind == _DRUG)
        if given or inquiry.drugs or area.id in areas.occasions() or _may_be_given(groups, area):
            continue
        if len(area.drugs) == 1 and not area.classes:
            yield (absence.statement(sources, area.drugs[0]),)
        elif area.classes and area.problems[:1] and area.problems[0] in families.known() and not only_allergy:
            yield (absence.statement(sources, f"drug for {_illness_of(area, inquiry)}"),)


def _unfounded(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """That the record has no illness of the area of a class of drugs that may be given and was never ordered."""
    ordered = frozenset().union(*(group.keys for group in groups if group.kind == _DRUG))
    for area in inquiry.areas[:1] if any(ordered.isdisjoint(each.keys) for each in inquiry.drugs) else ():
        ill = any(group.kind == pb.FACT_KIND_PROBLEM and of_area(area, group.keys, group.newest) for group in groups)
        if not ill and area.problems[:1] and area.problems[0] in families.known():
            yield (absence.statement(sources, families.known()[area.problems[0]].name),)


def _illness_of(area: Area, inquiry: Inquiry) -> str:
    """As the question names it, else the first of the area."""
    own = names.of_families(area.problems)
    named = [each.text for each in inquiry.mentions if names.PROBLEM in each.kinds and not own.isdisjoint(each.keys)]
    return named[0] if named else families.known()[area.problems[0]].name


def _asks_how_it_stands(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> bool:
    """Whether nothing but the state of an illness is asked, which it names or the record has: that nothing is given
    for it belongs to that.
    """
    if not inquiry.forms <= _OF_STATE:
        return False
    treated = [each for each in inquiry.areas[:1] if len(each.classes) + len(each.drugs) >= _TREATING]
    named = treated and any(names.PROBLEM in each.kinds for each in inquiry.mentions)
    going_on = [each for each in groups if each.kind == pb.FACT_KIND_PROBLEM and each.goes_on(sources.today)]
    return bool(named) or any(of_area(area, each.keys, each.newest) for area in treated for each in going_on)


def _may_be_given(groups: Sequence[Group], area: Area) -> bool:
    """Whether a drug that no area knows was ordered since a problem of the area began: it may be given for that."""
    began = [facts.starts_on(each.entries[0]) for each in groups if each.is_of(area.problems[:1])]
    since = min((day for day in began if day), default=None)
    known = areas.known().values()
    unknown = [each for each in groups if each.kind == _DRUG and not any(_is_given(one, each) for one in known)]
    return since is not None and any((facts.starts_on(each.newest) or since) >= since for each in unknown)


def _not_done(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """That the record has nothing of an occasion that is the name of a procedure, `lung function test`, or of what
    people are screened by, where it is asked whether that was done.
    """
    if any(not each.kinds.isdisjoint((names.PROCEDURE, names.OBSERVABLE)) for each in inquiry.mentions):
        return
    if inquiry.asks(Form.ABSENCE, Form.LAST, Form.WHEN, Form.COUNT):
        fitting = [each for each in inquiry.screenings if screening.fits(each, groups, sources)]
        yield from screening.missing(fitting, groups, sources)
    for area in inquiry.areas:
        told = area.id.replace("-", " ")
        is_procedure = area.id in areas.occasions() and _names_a_procedure(told, sources)
        if is_procedure and not any(_is_done(area, group) for group in groups):
            yield (absence.statement(sources, told),)


def _names_a_procedure(text: str, sources: Sources) -> bool:
    return any(names.PROCEDURE in node.kinds for node in tokens(text, sources.today))


def _is_done(area: Area, group: Group) -> bool:
    done = group.kind in (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_RESULT)
    return done and of_area(area, group.keys, group.newest) > 0


def _named(groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """The drugs that the question names."""
    for group in groups:
        if group.named and group.kind == _DRUG:
            yield wording.say(group.entries, sources, whole=True)


def _named_values(inquiry: Inquiry, groups: Sequence[Group]) -> Iterator[Ways]:
    """The newest values of results that the question names beside a drug."""
    keys = frozenset().union(*(each.keys for each in inquiry.mentions if not each.is_drug))
    values = [each for each in groups if each.kind == pb.FACT_KIND_RESULT and not keys.isdisjoint(each.keys)]
    newest = [each.newest for each in values if each.newest.HasField("quantity") and facts.starts_on(each.newest)]
    if newest:
        yield (wording.newest_values(newest[:_LAST]),)


def _of_groups(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    keep = _days_of_drugs(groups) if inquiry.asks(Form.EFFECT, Form.COURSE, Form.SINCE, Form.BEFORE) else []
    spans = windows.of(inquiry, groups, sources)
    # Where nothing else is asked of it, its course is.
    alone = not inquiry.forms
    whole = inquiry.asks(Form.COURSE, Form.EFFECT)
    results = [each for each in groups if each.kind == pb.FACT_KIND_RESULT and each.named]
    many = inquiry.asks(Form.LAST) and not whole and len(results) >= _MANY
    count = inquiry.asks(Form.COUNT)
    if count and any(group.named and group.kind in _COUNTED for group in groups):
        groups = [
            group for group in groups if group.named or group.kind in (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_PROCEDURE)
        ]
    newest = inquiry.asks(Form.SCREENING) or (inquiry.is_before_doing and not whole)
    treated = any(each.kind == _DRUG and each.worth > 0 and each.goes_on(sources.today) for each in groups)
    if not inquiry.asks(*_OF_THE_PAST) and (treated or not _asks_how_it_stands(inquiry, groups, sources)):
        groups = [each for each in groups if each.named or each.kind != _DRUG or each.goes_on(sources.today)]
    for group in _chosen(groups):
        within = windows.within(group, spans)
        if pressures.is_diastolic(group.newest) and any(pressures.is_systolic(each.newest) for each in groups):
            continue
        if newest and group.kind == pb.FACT_KIND_RESULT and not (within and inquiry.is_before_doing):
            within = group.entries[-1:]
        if (inquiry.newest or (many and not within)) and group.kind == pb.FACT_KIND_RESULT:
            within = group.entries[-(inquiry.newest or _NEWEST) :]
        whole_ = bool(within) or alone or (whole and group.named)
        yield wording.say(within or group.entries, sources, keep, whole=whole_, count=count)


def _chosen(groups: Sequence[Group]) -> Iterator[Group]:
    """The most concerning first; of what is not named, each further group of a kind counts less."""
    left = [group for group in groups if group.worth > 0 and group.kind != pb.FACT_KIND_ALLERGY]
    told = {each for group in left if not _is_history(group) for each in names.families_among(group.keys)}
    left = [group for group in left if not _is_history(group) or told.isdisjoint(names.families_among(group.keys))]
    least = left[0].worth - _BEHIND if left else 0.0
    taken = Counter[int]()
    while left:
        best = max(left, key=lambda group: group.worth - (_AGAIN_NAMED if group.named else _AGAIN) * taken[group.kind])
        left.remove(best)
        taken[best.kind] += 1
        if best.worth >= least:
            yield best


def _is_history(group: Group) -> bool:
    """`History of myocardial infarction`, which says nothing beside the infarction itself."""
    return group.kind == pb.FACT_KIND_PROBLEM and facts.name_of(group.newest).casefold().startswith("history of ")


def _is_operation(group: Group) -> bool:
    return not_since.SURGICAL.search(facts.name_of(group.newest)) is not None


def _days_of_drugs(groups: Sequence[Group]) -> list[date]:
    """When drugs or operations that the question names began, else the drugs of its areas."""
    done = [group for group in groups if group.kind == pb.FACT_KIND_PROCEDURE and group.named and _is_operation(group)]
    if done:
        return [day for group in done[:1] for each in group.entries[-1:] if (day := facts.starts_on(each))]
    given = [group for group in groups if group.kind == _DRUG and group.worth > 0]
    drugs = (group.entries[0] for group in [each for each in given if each.named] or given)
    return [day for each in drugs if (day := facts.starts_on(each))]
