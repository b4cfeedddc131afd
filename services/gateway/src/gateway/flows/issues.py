"""Concerns of reasoning as DetectedIssue: asked for, put beside the facts that they cite, and sifted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from contracts.errors import NotFoundError
from longitude.reasoning.v1.concern_pb2 import Concern
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import PatientKey

from gateway.adapters.memory import Memory
from gateway.adapters.reasoning import Reasoning
from gateway.domain.fhir.answers import Page
from gateway.domain.fhir.elements import Resource
from gateway.domain.fhir.ids import logical_id
from gateway.domain.fhir.issues import ISSUE, issue, references
from gateway.domain.fhir.queries import Filter, Place, Search
from gateway.domain.fhir.scopes import Grant

# Concerns of a page of reasoning, and how many are read for one page here.
_AT_ONCE, _MOST_READS = 100, 20
# Facts of a page of memory, and how many pages are read for those that are cited.
_FACTS, _MOST_PAGES = 1_000, 20


@dataclass(frozen=True, slots=True)
class Issues:
    """What they are made from."""

    memory: Memory
    reasoning: Reasoning

    async def one(self, name: str, grant: Grant) -> Resource:
        """By its id. NotFoundError, also where it is closed to who asks; DeniedError where a scope does not open it."""
        concern = await self._named(name)
        grant.check(ISSUE, "r", [logical_id(concern.patient)])
        return (await self._made(concern.patient, [concern], Page()))[0]

    async def some(self, asked: Search, grant: Grant, page: Page) -> None:
        """By ids, of one person where one is named."""
        numbers = None
        if asked.patient is not None:
            numbers = list((await self.memory.timeline(asked.patient, (), 1, Place())).identifiers)
        concerns: list[Concern] = []
        for name in dict.fromkeys(asked.ids):
            try:
                concern = await self._named(name)
            except NotFoundError:
                continue
            of = [logical_id(asked.patient or concern.patient)]
            if (numbers is None or concern.patient in numbers) and grant.opens(ISSUE, "s", of):
                concerns.append(concern)
        made: dict[str, Resource] = {}
        for of_one in _by_patient(concerns):
            made |= {each["id"]: each for each in await self._made(of_one[0].patient, of_one, page)}
        page.matches += _sifted((made[each.concern_id] for each in concerns), asked.filters)

    async def walk(self, patient: PatientKey, filters: Sequence[Filter], count: int, at: Place, page: Page) -> None:
        """Fill a page from where it begins: each concern of the patient once, as it is when it is read."""
        at = replace(at, of_issues=True)
        for _ in range(_MOST_READS):
            room = min(count - len(page.matches), _AT_ONCE)
            if not room:
                break
            answer = await self.reasoning.concerns(patient, room, at.token)
            page.hidden += answer.hidden
            page.matches += _sifted(await self._made(patient, answer.concerns, page), filters)
            if not answer.next_page_token:
                return
            at = replace(at, token=answer.next_page_token)
        page.next = at

    async def _named(self, name: str) -> Concern:
        try:
            return await self.reasoning.concern(name)
        except NotFoundError:
            raise NotFoundError(f"no {ISSUE} has this id") from None

    async def _made(self, patient: PatientKey, concerns: Sequence[Concern], page: Page) -> list[Resource]:
        cited = {each.fact_id for concern in concerns for each in concern.citations if each.fact_id}
        known = references(await self._facts(patient, cited, page), datetime.now(UTC)) if cited else {}
        return [issue(each, known) for each in concerns]

    async def _facts(self, patient: PatientKey, wanted: set[str], page: Page) -> list[RecordedFact]:
        """Those that stand and are open to who asks."""
        listed: list[RecordedFact] = []
        at = Place()
        for _ in range(_MOST_PAGES):
            answer = await self.memory.timeline(patient, (), _FACTS, at)
            page.banner = answer.view.banner
            listed += [each for each in answer.facts if each.fact.fact_id in wanted]
            if not answer.next_page_token or len(listed) == len(wanted):
                break
            at = Place(answer.next_page_token, answer.as_of.ToMicroseconds())
        return listed


def _sifted(made: Iterable[Resource], filters: Sequence[Filter]) -> list[Resource]:
    return [each for each in made if all(matches(each) for matches in filters)]


def _by_patient(concerns: Iterable[Concern]) -> Iterable[Sequence[Concern]]:
    """So that the facts of each patient are read once."""
    grouped: dict[str, list[Concern]] = {}
    for each in concerns:
        grouped.setdefault(logical_id(each.patient), []).append(each)
    return grouped.values()
