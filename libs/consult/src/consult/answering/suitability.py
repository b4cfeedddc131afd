"""What is looked at before a drug is given: allergies, the drug's own orders, drugs beside it, problems and results.

Source: the rows of `looking`, each with its own.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from grounding import Sources, facts, keys
from grounding.kinds import absence
from grounding.reading import names
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas, drug_classes, drugs
from terminology.areas import Area, LookedAt

from consult.answering import looking, problem_list, reasons, watching, wording
from consult.answering.finding import Group, of_area
from consult.answering.inquiry import Form, Inquiry, Mention
from consult.answering.wording import Ways

# Families of problems that speak against a drug although they are over.
COUNT_FOR_EVER = (
    "overdose", "suicidality", "gi-bleeding", "peptic-ulcer", "angioedema", "anaphylaxis", "stroke",
    "myocardial-infarction", "epilepsy",
    "venous-thromboembolism", "pancreatitis", "diabetic-ketoacidosis", "seizure", "hypoglycemia", "miscarriage", "aki",
)  # fmt: skip
# Families that speak of misuse, drugs that depress breathing, and how many of them whose orders are over are told.
_MISUSE = ("overdose", "opioid-use-disorder", "substance-use-disorder")
_DEPRESSANTS = ("opioid", "benzodiazepine", "hypnotic")
_MOST_OVER = 4
# Allergies that are each told with reaction and day where all are asked for.
_MOST_WHOLE = 3
# Problems for which the drug may be meant that are told.
_MOST_MEANT = 2
# Earlier drugs of the class of the drug that are told.
_MOST_ALIKE = 1


def allergies(inquiry: Inquiry, sources: Sources) -> tuple[list[Ways], list[Ways]]:
    """Those to a drug or food of the question; then the others in one line, or that none to a drug is recorded."""
    entries = [each for each in sources.active(pb.FACT_KIND_ALLERGY) if not facts.is_absent(each)]
    distinct = list({facts.name_of(each): each for each in entries}.values())
    concerning = [each for each in distinct if any(_concerns(each, named) for named in inquiry.mentions)]
    others = [each for each in distinct if each not in concerning]
    first = [wording.say([each], sources) for each in concerning]
    whole = len(others) <= (_MOST_WHOLE if inquiry.asks(Form.ALLERGY) else 1)
    rest: list[Ways] = [wording.say([each], sources) for each in others] if whole else [(wording.allergies(others),)]
    if not any(one.ingredient or one.drug_class for each in distinct for one in facts.about(each).allergens):
        rest.append((absence.statement(sources, "drug allergy"),))
    elif not concerning:
        # Of a class one says less than one means, unless that is what is asked: not every member is known to belong.
        asked = [each for each in inquiry.drugs if names.CLASS not in each.kinds or inquiry.asks(Form.ALLERGY)]
        none = [(absence.statement(sources, f"allergy to {each.text}"),) for each in asked]
        rest = [*none, *rest] if inquiry.asks(Form.ALLERGY) else [*rest, *none]
    return first, rest


def _concerns(allergy: ClinicalFact, drug: Mention) -> bool:
    """Whether an allergy is to the drug or to one of its classes, or to a drug of the class that is named."""
    classes = {each.id for each in facts.about(allergy).classes}
    wider = map(keys.of_class, drug_classes.with_wider(tuple(classes)))
    own = facts.keys(allergy).union(wider)
    return not own.isdisjoint(drug.keys) or not classes.isdisjoint(classes_of(drug))


def classes_of(drug: Mention) -> frozenset[str]:
    """The ids of the classes of a drug that is named, and of the class itself."""
    own = [each for ingredient in drugs.ingredients_in(drug.text) for each in drug_classes.classes_of(ingredient)]
    itself = (each for each in drug_classes.everything() if keys.of_class(each) in drug.keys)
    return frozenset(each.id for each in (*own, *itself))


def looked_at(drug: Mention) -> tuple[LookedAt, ...]:
    """The rows of a drug: by its name, then by its classes."""
    own = [each.name.casefold() for each in drugs.ingredients_in(drug.text)]
    return looking.rows_of((*own, *sorted(classes_of(drug))))


def around(
    considered: Sequence[Mention], groups: Sequence[Group], sources: Sources, *, new: bool = True
) -> Iterator[Ways]:
    """What stands in the record of what is looked at: drugs taken beside it, problems, the newest results, why that
    matters, and where it is `new`, which results are nowhere and what was taken of its class.
    """
    rows = [(row, drug) for drug in considered for row in looked_at(drug)]
    beside = [group for group in groups if any(_is_beside(group, row, drug, sources) for row, drug in rows)]
    problems = _latest_stages([each for each in groups if _is_looked_at(each, [row for row, _ in rows], sources)])
    over = _over(considered, groups, problems, sources)
    there = [name for group in (*beside, *over) for name in areas.names_in_rows(facts.about(group.newest))]
    there += [family for group in problems for family in names.families_among(group.keys)]
    moved = [code for group in groups for code in _moved(group, sources)] if rows else []
    own = [code for row, _ in rows for code in row.results]
    theirs = [code for group in beside for code in _watched(group, considered)]
    yield from (wording.say(group.entries, sources) for group in (*beside, *problems, *over))
    yield from watching.newest_values(dict.fromkeys([*moved, *own]), groups)
    yield from watching.newest_values(dict.fromkeys(each for each in theirs if each not in own), groups)
    yield from watching.nowhere([*theirs, *own], groups, sources) if new else ()
    yield from (wording.say(group.entries, sources) for group in _given_for(considered, groups, sources))
    yield from reasons.why(frozenset().union(*map(_names, considered)), there, sources)
    yield from of_its_class(considered, groups, sources) if new else ()


def _given_for(considered: Sequence[Mention], groups: Sequence[Group], sources: Sources) -> list[Group]:
    """The newest problems that go on of areas for which such a drug is given."""
    meant = [each for each in areas.known().values() if any(_is_for(each, drug) for drug in considered)]
    going_on = problem_list.listed(groups, sources.today)
    return [each for each in going_on if any(of_area(area, each.keys, each.newest) for area in meant)][:_MOST_MEANT]


def _is_for(area: Area, drug: Mention) -> bool:
    return not _names(drug).isdisjoint((*area.classes, *area.drugs))


def _latest_stages(problems: Sequence[Group]) -> list[Group]:
    """Without the stages that a later one followed."""
    staged: dict[str, Group] = {}
    for group in problems:
        head, stage, _ = facts.name_of(group.newest).casefold().partition(" stage ")
        if stage and (head not in staged or _since(group) > _since(staged[head])):
            staged[head] = group
    kept = [id(each) for each in staged.values()]
    return [each for each in problems if " stage " not in facts.name_of(each.newest).casefold() or id(each) in kept]


def _since(group: Group) -> date:
    return facts.starts_on(group.entries[0]) or date.min


def _is_looked_at(group: Group, rows: Sequence[LookedAt], sources: Sources) -> bool:
    is_problem = group.kind == pb.FACT_KIND_PROBLEM and _counts(group, sources)
    return is_problem and any(group.is_of(row.problems) for row in rows)


def _watched(taken: Group, considered: Sequence[Mention]) -> list[str]:
    """Codes of the results that are looked at where a drug that is taken meets the one that is considered."""
    own = frozenset().union(*(_names(each) for each in considered))
    return [code for row in watching.rows_of(taken) if not own.isdisjoint(row.beside) for code in row.results]


def _over(
    considered: Sequence[Mention], groups: Sequence[Group], problems: Sequence[Group], sources: Sources
) -> list[Group]:
    """Drugs that depress breathing, of which the order is over, where the record has misuse or an overdose: that an
    order is over does not say that nothing of it is left.
    """
    if not any(group.is_of(_MISUSE) for group in problems):
        return []
    wanted = {name for each in considered for row in looked_at(each) for name in row.beside if name in _DEPRESSANTS}
    over = [each for each in groups if each.kind == pb.FACT_KIND_MEDICATION and not each.goes_on(sources.today)]
    return [each for each in over if not areas.names_in_rows(facts.about(each.newest)).isdisjoint(wanted)][:_MOST_OVER]


def of_its_class(considered: Sequence[Mention], groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Other drugs of the narrowest classes of a drug that the record has not: how they stand, the newest first."""
    own = frozenset().union(*(drug.keys for drug in considered))
    new = [each for each in considered if names.CLASS not in each.kinds and not _is_ordered(each, groups)]
    wanted = frozenset(each for drug in new for each in _narrowest(drug))
    alike = [
        group
        for group in groups
        if group.kind == pb.FACT_KIND_MEDICATION
        and group.keys.isdisjoint(own)
        and not wanted.isdisjoint(each.id for each in facts.about(group.newest).classes)
    ]
    for group in alike[:_MOST_ALIKE]:
        yield wording.say(group.entries, sources)


def _is_ordered(drug: Mention, groups: Sequence[Group]) -> bool:
    return any(group.kind == pb.FACT_KIND_MEDICATION and not drug.keys.isdisjoint(group.keys) for group in groups)


def _narrowest(drug: Mention) -> frozenset[str]:
    """The ids of the classes of a drug that hold no other of them."""
    own = classes_of(drug)
    wider = {each.id for one in own for each in drug_classes.with_wider((one,)) if each.id != one}
    return own - wider


def _moved(taken: Group, sources: Sources) -> Iterator[str]:
    """Codes of the results that any drug beside it may move."""
    if taken.kind == pb.FACT_KIND_MEDICATION and taken.goes_on(sources.today):
        own = areas.names_in_rows(facts.about(taken.newest))
        yield from (code for each, codes in areas.moved_by_any().items() if each in own for code in codes)


def _counts(group: Group, sources: Sources) -> bool:
    """Whether a problem goes on, or is of those that count for ever."""
    return group.goes_on(sources.today) or group.is_of(COUNT_FOR_EVER)


def _is_beside(group: Group, row: LookedAt, drug: Mention, sources: Sources) -> bool:
    newest = group.newest
    if group.kind != pb.FACT_KIND_MEDICATION:
        return False
    if facts.has_ended(newest, sources.today) or not group.keys.isdisjoint(drug.keys):
        return False
    if not areas.names_in_rows(facts.about(newest)).isdisjoint(row.beside):
        return True
    return _stands_in_rows_of(group, drug)


def _stands_in_rows_of(taken: Group, drug: Mention) -> bool:
    """What meets another stands in the row of the one or of the other."""
    return any(not _names(drug).isdisjoint(row.beside) for row in watching.rows_of(taken))


def _names(drug: Mention) -> frozenset[str]:
    """As what rows name a drug of the question: the ids of its classes and the names of its ingredients."""
    return classes_of(drug).union(each.name.casefold() for each in drugs.ingredients_in(drug.text))
