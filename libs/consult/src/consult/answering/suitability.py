"""What is looked at before a drug is given: allergies, the drug's own orders, drugs beside it, problems and results.

Source: the rows of `terminology.areas.suitability`, each with its own.
"""

from collections.abc import Iterator, Sequence

from grounding import Sources, facts, keys
from grounding.kinds import absence
from grounding.reading import names
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas, drug_classes, drugs
from terminology.areas import LookedAt

from consult.answering import watching, wording
from consult.answering.finding import Group
from consult.answering.inquiry import Inquiry, Mention
from consult.answering.wording import Ways

# Families of problems that speak against a drug although they are over.
COUNT_FOR_EVER = (
    "overdose", "suicidality", "gi-bleeding", "peptic-ulcer", "angioedema", "anaphylaxis", "stroke",
    "myocardial-infarction", "epilepsy",
    "venous-thromboembolism", "pancreatitis", "diabetic-ketoacidosis", "seizure", "hypoglycemia", "miscarriage", "aki",
)  # fmt: skip


def allergies(inquiry: Inquiry, sources: Sources) -> tuple[list[Ways], list[Ways]]:
    """Those that concern a drug of the question; then the others in one line, or that none to a drug is recorded."""
    entries = [each for each in sources.active(pb.FACT_KIND_ALLERGY) if not facts.is_absent(each)]
    distinct = list({facts.name_of(each): each for each in entries}.values())
    concerning = [each for each in distinct if any(_concerns(each, drug) for drug in inquiry.drugs)]
    others = [each for each in distinct if each not in concerning]
    first = [wording.say([each], sources) for each in concerning]
    rest: list[Ways] = (
        [(wording.allergies(others),)] if len(others) > 1 else [wording.say([each], sources) for each in others]
    )
    if not any(one.ingredient or one.drug_class for each in distinct for one in facts.about(each).allergens):
        rest.append((absence.statement(sources, "drug allergy"),))
    elif not concerning:
        # Of a class one says less than one means: not every member is known to belong to it.
        single = [each for each in inquiry.drugs if names.CLASS not in each.kinds]
        rest += [(absence.statement(sources, f"allergy to {each.text}"),) for each in single]
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
    rows = areas.suitability()
    own = [each.name.casefold() for each in drugs.ingredients_in(drug.text)]
    return tuple(rows[each] for each in (*own, *sorted(classes_of(drug))) if each in rows)


def around(considered: Sequence[Mention], groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """What stands in the record of what is looked at: drugs taken beside it, problems, the newest results."""
    rows = [(row, drug) for drug in considered for row in looked_at(drug)]
    for group in groups:
        beside = group.kind == pb.FACT_KIND_MEDICATION
        problem = group.kind == pb.FACT_KIND_PROBLEM and _counts(group, sources)
        if (beside and any(_is_beside(group, row, drug, sources) for row, drug in rows)) or (
            problem and any(group.is_of(row.problems) for row, _ in rows)
        ):
            yield wording.say(group.entries, sources)
    moved = [code for group in groups for code in _moved(group, sources)] if rows else []
    codes = list(dict.fromkeys([*moved, *(code for row, _ in rows for code in row.results)]))
    yield from watching.newest_values(codes, groups)


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
    if facts.has_ended(newest, sources.today) or not group.keys.isdisjoint(drug.keys):
        return False
    if not areas.names_in_rows(facts.about(newest)).isdisjoint(row.beside):
        return True
    return _stands_in_rows_of(group, drug)


def _stands_in_rows_of(taken: Group, drug: Mention) -> bool:
    """What meets another stands in the row of the one or of the other."""
    considered = classes_of(drug).union(each.name.casefold() for each in drugs.ingredients_in(drug.text))
    return any(not considered.isdisjoint(row.beside) for row in watching.rows_of(taken))
