"""What is looked at before a drug is given: allergies, the drug's own orders, drugs beside it, problems and results.

Source: the rows of `terminology.areas.suitability`, each with its own.
"""

from collections.abc import Iterable, Iterator, Sequence

from grounding import Sources, Statement, facts
from grounding.kinds import absence
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import areas, drug_classes, drugs
from terminology.areas import LookedAt

from consult.answering import wording
from consult.answering.finding import Group
from consult.answering.inquiry import Inquiry, Mention

# Results that are told together.
MOST_RESULTS = 4


def allergies(inquiry: Inquiry, sources: Sources) -> tuple[list[Statement], list[Statement]]:
    """Those that concern a drug of the question; then the others in one line, or that none to a drug is recorded."""
    entries = [each for each in sources.active(pb.FACT_KIND_ALLERGY) if not facts.is_absent(each)]
    distinct = list({facts.name_of(each): each for each in entries}.values())
    concerning = [each for each in distinct if any(_concerns(each, drug) for drug in inquiry.drugs)]
    others = [each for each in distinct if each not in concerning]
    first = [said for each in concerning if (said := wording.say([each], sources))]
    rest = [wording.allergies(others)] if len(others) > 1 else []
    rest += [said for each in others if len(others) == 1 and (said := wording.say([each], sources))]
    if not any(one.ingredient or one.drug_class for each in distinct for one in facts.about(each).allergens):
        rest.append(absence.statement(sources, "allergy to a drug"))
    return first, rest


def _concerns(allergy: ClinicalFact, drug: Mention) -> bool:
    """Whether an allergy is to the drug or to one of its classes."""
    classes = {f"class|{each.id}" for each in facts.about(allergy).classes}
    return not facts.keys(allergy).isdisjoint(drug.keys) or not classes.isdisjoint(classes_of(drug))


def classes_of(drug: Mention) -> frozenset[str]:
    """The keys of the classes of a drug that is named, and of the class itself."""
    own = [each for ingredient in drugs.ingredients_in(drug.text) for each in drug_classes.classes_of(ingredient)]
    return frozenset(f"class|{each.id}" for each in own) | {key for key in drug.keys if key.startswith("class|")}


def looked_at(drug: Mention) -> tuple[LookedAt, ...]:
    """The rows of a drug: by its name, then by its classes, the narrowest first."""
    rows = areas.suitability()
    names = [each.name.casefold() for each in drugs.ingredients_in(drug.text)]
    ids = [key.removeprefix("class|") for key in sorted(classes_of(drug))]
    return tuple(rows[each] for each in (*names, *ids) if each in rows)


def around(drug: Mention, groups: Sequence[Group], sources: Sources) -> Iterator[Statement]:
    """What stands in the record of what is looked at: drugs taken beside it, problems, the newest results."""
    for row in looked_at(drug):
        for group in groups:
            if group.kind == pb.FACT_KIND_MEDICATION and _is_beside(group, row, drug, sources):
                yield from filter(None, [wording.say(group.entries, sources)])
        for group in groups:
            if group.kind == pb.FACT_KIND_PROBLEM and _is_of(group, (f"family|{each}" for each in row.problems)):
                yield from filter(None, [wording.say(group.entries, sources)])
        results = [group.newest for code in row.results for group in groups if _is_result(group, code)][:MOST_RESULTS]
        if results:
            yield wording.newest_values(results)


def _is_beside(group: Group, row: LookedAt, drug: Mention, sources: Sources) -> bool:
    newest = group.newest
    if facts.has_ended(newest, sources.today) or not group.keys.isdisjoint(drug.keys):
        return False
    own = {each.name.casefold() for each in facts.about(newest).ingredients}
    own |= {each.id for each in facts.about(newest).classes}
    return not own.isdisjoint(row.beside)


def _is_of(group: Group, keys: Iterable[str]) -> bool:
    return not group.keys.isdisjoint(keys)


def _is_result(group: Group, code: str) -> bool:
    return (
        group.kind == pb.FACT_KIND_RESULT
        and f"http://loinc.org|{code}" in group.keys
        and group.newest.HasField("quantity")
        and facts.starts_on(group.newest) is not None
    )


