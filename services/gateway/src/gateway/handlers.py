"""One function for each interaction of FHIR: asks memory and reasoning, and makes resources of what they answer."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from contracts.errors import NotFoundError, UnavailableError
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.fact_pb2 import FACT_KIND_DEMOGRAPHIC, FACT_KIND_DOCUMENT, FactKind, PatientKey

from gateway.adapters.memory import Memory
from gateway.domain.fhir import elements, resources
from gateway.domain.fhir.answers import Page
from gateway.domain.fhir.elements import Resource
from gateway.domain.fhir.ids import logical_id, patient_of
from gateway.domain.fhir.issues import ISSUE
from gateway.domain.fhir.patients import patient
from gateway.domain.fhir.queries import Filter, Place, Search
from gateway.domain.fhir.scopes import Grant
from gateway.flows.issues import Issues

# What is sifted here is read from memory so many statements at a time, and so often at most for one page.
_READ_AT_ONCE, _MOST_READS = 1_000, 20
_FIRST = Place()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a record a page is made from. `kinds`: types of resources; empty: all that the grant opens."""

    kinds: frozenset[str]
    filters: Sequence[Filter]
    grant: Grant
    with_provenance: bool

    @property
    def facts(self) -> Sequence["FactKind.ValueType"]:
        """Kinds of statements; none is every kind."""
        of = [resources.KINDS[kind] for kind in self.kinds]
        return tuple(sorted({fact for facts in of for fact in facts})) if all(of) else ()

    def takes(self, recorded: RecordedFact, of: str, now: datetime) -> tuple[list[Resource], list[Resource]]:
        """Of a statement that is a resource: what matches, and what is told beside it. `of`: whose it was asked as."""
        made = resources.resource(recorded, now)
        source = resources.provenance(recorded, made)
        if self.kinds == {"Provenance"}:
            made = source
        matches = [made] if made and self._is_wanted(made, of) else []
        is_told = self.with_provenance and (matches or not made) and self.grant.opens("Provenance", "s", [of])
        return matches, [source] if is_told and source not in matches else []

    @property
    def is_sifted(self) -> bool:
        """Whether some of the statements that memory gives may not belong to it."""
        shared = sum(self.facts == of for of in resources.KINDS.values()) > 1
        return bool(self.filters) or shared or self.grant.scopes is not None

    def _is_wanted(self, made: Resource, of: str) -> bool:
        kind = made["resourceType"]
        return (
            (not self.kinds or kind in self.kinds)
            and self.grant.opens(kind, "s", [of])
            and all(matches(made) for matches in self.filters)
        )


async def read(memory: Memory, issues: Issues, kind: str, name: str, grant: Grant) -> Resource:
    """A resource by its id. NotFoundError where none of the type has it, DeniedError where a scope does not open it."""
    if kind == "Patient":
        return (await patients(memory, name, grant, "r"))[0]
    grant.check(kind, "r", [grant.patient])
    if kind == ISSUE:
        return await issues.one(name, grant)
    recorded = await memory.fact(name)
    grant.check(kind, "r", [logical_id(recorded.fact.patient)])
    if kind == "Binary" and recorded.fact.kind == FACT_KIND_DOCUMENT:
        return await _text(memory, recorded)
    if not resources.left_out(recorded.fact):
        made = resources.resource(recorded, datetime.now(UTC))
        if kind == "Provenance":
            return resources.provenance(recorded, made)
        if made and made["resourceType"] == kind:
            return made
    raise NotFoundError(f"no {kind} has this id")


async def patients(memory: Memory, logical: str, grant: Grant, right: str) -> list[Resource]:
    """The patient of a logical id first, then those under every other number of the person."""
    key = patient_of(logical)
    if key is None:
        raise NotFoundError("no Patient has this id")
    grant.check("Patient", right, [logical])
    answer = await memory.timeline(key, [FACT_KIND_DEMOGRAPHIC], 0, _FIRST)
    return [patient(each, answer.identifiers, answer.facts) for each in answer.identifiers]


async def search(memory: Memory, issues: Issues, asked: Search, grant: Grant) -> Page:
    """A page of a search; nothing is found of a patient who is not known."""
    page = Page()
    wanted = Wanted(frozenset({asked.kind}), asked.filters, grant, asked.with_provenance)
    grant.check(asked.kind, "s", [logical_id(asked.patient) if asked.patient else grant.patient])
    try:
        if asked.kind == ISSUE and asked.ids:
            await issues.some(asked, grant, page)
        elif asked.kind == ISSUE and asked.patient is not None:
            await issues.walk(asked.patient, asked.filters, asked.count, asked.place, page)
        elif asked.ids:
            await _named(memory, asked, wanted, page)
        elif asked.patient is not None:
            await _walk(memory, asked.patient, wanted, asked.count, asked.place, page)
    except NotFoundError:
        page.remarks.append("no such patient is known")
    return page


async def everything(
    memory: Memory,
    issues: Issues,
    logical: str,
    filters: Sequence[Filter],
    kinds: frozenset[str],
    grant: Grant,
    count: int,
    at: Place,
) -> Page:
    """A page of all that is known of a patient, with where it was read; on the first, the patients themselves; behind
    the statements what rules see.
    """
    key = patient_of(logical)
    if key is None:
        raise NotFoundError("no Patient has this id")
    grant.check("Patient", "r", [logical])
    page = Page()
    if at == _FIRST and (not kinds or "Patient" in kinds):
        known = await patients(memory, logical, grant, "r")
        page.included += [each for each in known if "id" in each]
    wanted = Wanted(kinds - {"Patient", ISSUE}, filters, grant, with_provenance=not kinds or "Provenance" in kinds)
    if (not kinds or wanted.kinds) and not at.of_issues:
        await _walk(memory, key, wanted, count, at, page)
    if (not kinds or ISSUE in kinds) and page.next is None and grant.opens(ISSUE, "s", [logical]):
        try:
            await issues.walk(key, filters, count, at if at.of_issues else _FIRST, page)
        except UnavailableError:
            if kinds:
                raise
            page.incomplete = "what rules see in this record (DetectedIssue) cannot be read now: ask again"
    return page


async def _walk(memory: Memory, key: PatientKey, wanted: Wanted, count: int, at: Place, page: Page) -> None:
    """Fill a page from where it begins; all pages are of one state of the record."""
    size = _READ_AT_ONCE if wanted.is_sifted else count
    now = datetime.now(UTC)
    for _ in range(_MOST_READS):
        answer = await memory.timeline(key, wanted.facts, size, at)
        at = replace(at, as_of=answer.as_of.ToMicroseconds())
        page.closed, page.banner = answer.view.left_out, answer.view.banner
        for number, recorded in enumerate(answer.facts):
            if number >= at.skip:
                if len(page.matches) == count:
                    page.next = replace(at, skip=number)
                    return
                _add(page, recorded, wanted, logical_id(key), now)
        if not answer.next_page_token:
            return
        at = Place(answer.next_page_token, at.as_of)
        if len(page.matches) == count:
            break
    page.next = at


async def _named(memory: Memory, asked: Search, wanted: Wanted, page: Page) -> None:
    """By ids, of one person where one is named."""
    numbers = None
    if asked.patient is not None:
        answer = await memory.timeline(asked.patient, [FACT_KIND_DEMOGRAPHIC], 0, _FIRST)
        numbers = list(answer.identifiers)
    now = datetime.now(UTC)
    for name in dict.fromkeys(asked.ids):
        try:
            recorded = await memory.fact(name)
        except NotFoundError:
            continue
        if numbers is None or recorded.fact.patient in numbers:
            _add(page, recorded, wanted, logical_id(asked.patient or recorded.fact.patient), now)


def _add(page: Page, recorded: RecordedFact, wanted: Wanted, of: str, now: datetime) -> None:
    if why := resources.left_out(recorded.fact):
        page.left_out[why] = page.left_out.get(why, 0) + 1
        return
    matches, told = wanted.takes(recorded, of, now)
    page.matches += matches
    page.included += told


async def _text(memory: Memory, recorded: RecordedFact) -> Resource:
    fact = recorded.fact
    note = await memory.text(fact.patient, fact.fact_id)
    if note is None:
        raise NotFoundError("the document has no text here")
    return {
        "resourceType": "Binary",
        "id": fact.fact_id,
        "meta": elements.meta(fact, recorded.recorded_at),
        "contentType": "text/plain; charset=utf-8",
        "securityContext": elements.patient(fact.patient),
        "data": base64.b64encode(note.text.encode()).decode(),
    }
