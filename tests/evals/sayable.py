"""True statements: what rules and agents can say about a story, rendered by grounding."""

from collections.abc import Iterator

from grounding import Rendered, Statement, render
from grounding.kinds import allergy, latest, medication, problem, trend
from longitude.record.v1 import fact_pb2 as clinical

from tests.evals.episodes import Case

_RESULTS = ("2160-0", "2823-3", "718-7", "4548-4")


def sayable(owner: Case) -> Iterator[Rendered]:
    """The rules' statements, and everything an agent could say of results, drugs, problems and allergies."""
    seen = {each.rendered.text: each.rendered for each in owner.prepared.drafted}
    for statement in _statements(owner):
        rendered = render(statement, owner.prepared.sources)
        seen.setdefault(rendered.text, rendered)
    yield from seen.values()


def _statements(owner: Case) -> Iterator[Statement]:
    sources = owner.prepared.sources
    builders = {
        clinical.FACT_KIND_MEDICATION: medication.statement,
        clinical.FACT_KIND_PROBLEM: problem.statement,
        clinical.FACT_KIND_ALLERGY: allergy.statement,
    }
    for kind, builder in builders.items():
        yield from (builder(sources, fact.fact_id) for fact in sources.of_kind(kind))
    for loinc in _RESULTS:
        course = [fact.fact_id for fact in sources.series(loinc)]
        if course:
            yield latest.statement(sources, course[-1])
        if len(course) > 1:
            yield trend.statement(sources, course)
