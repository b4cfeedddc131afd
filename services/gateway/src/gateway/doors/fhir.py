"""The door for FHIR R4, to read: `/fhir/R4`. Every error is an OperationOutcome.

Who comes in shows a token of the platform's issuer; it goes along to memory and reasoning, which decide what opens and
write down the look. The scopes of the token narrow that further. Only what the door can do is open to everybody.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.errors import InvalidInputError, LongitudeError, NotFoundError
from eventbus.delivery import place_of as place_in_code
from longitude.record.v1.fact_pb2 import PatientKey
from servicekit.grpc import for_person
from servicekit.tokens import Verifier
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router

from gateway import handlers
from gateway.adapters.memory import Memory
from gateway.adapters.reasoning import Reasoning
from gateway.adapters.web import Bounded
from gateway.domain.fhir import answers, capability, queries
from gateway.domain.fhir.answers import Page
from gateway.domain.fhir.elements import Element, Resource, written
from gateway.domain.fhir.ids import authority_of, logical_id
from gateway.domain.fhir.queries import CODES, JSON, NotSupportedError, Parameters
from gateway.domain.fhir.scopes import Grant
from gateway.doors.callers import headers_of, person_of
from gateway.flows.issues import Issues
from gateway.settings import Settings

log = logging.getLogger("gateway")

PATH = "/fhir/R4"
_TYPES = frozenset({"Binary", "Patient", *CODES})


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is known."""

    base: str
    parameters: Parameters
    grant: Grant


Answer = Callable[[Request, Visit], Awaitable[Resource]]


class Door:
    """The interactions, each as a path."""

    def __init__(self, memory: Memory, reasoning: Reasoning, verifier: Verifier | None, settings: Settings) -> None:
        self._memory, self._verifier, self._settings = memory, verifier, settings
        self._issues = Issues(memory, reasoning)

    def routes(self) -> list[Mount]:
        """Under `/fhir/R4`."""
        inside = Router(
            [
                Route("/metadata", self._metadata),
                Route("/.well-known/smart-configuration", self._smart),
                Route("/Patient", self._known(self._patients)),
                Route("/Patient/{name}/$everything", self._known(self._everything)),
                Route("/{kind}", self._known(self._search)),
                Route("/{kind}/{name}", self._known(self._read)),
            ],
            redirect_slashes=False,
        )
        bounded = Bounded(inside, self._settings.https_requests, self._settings.https_request_seconds)
        errors: dict[Any, Any] = {
            LongitudeError: _failed,
            HTTPException: _no_such_path,
            Exception: _failed,
        }
        return [Mount(PATH, app=Starlette(routes=[Mount("/", app=bounded)], exception_handlers=errors))]

    async def _metadata(self, request: Request) -> Response:
        return _answered(capability.statement(self._base(request)))

    async def _smart(self, _: Request) -> Response:
        if self._verifier is None:
            raise NotFoundError("no identity provider is set here")
        return Response(written(capability.smart(await self._verifier.metadata())), media_type="application/json")

    async def _patients(self, _: Request, visit: Visit) -> Resource:
        """By a number with its system, or by id; nothing is found of one that is not known."""
        values = dict(visit.parameters)
        if unknown := values.keys() - {"identifier", "_id", "_format", "_count"}:
            raise NotSupportedError(f"the parameter {min(unknown)[:64]} of Patient")
        wanted = _wanted_patient(values)
        page = Page()
        try:
            if wanted:
                page.matches += (await handlers.patients(self._memory, wanted, visit.grant, "s"))[:1]
        except NotFoundError:
            pass
        return answers.bundle(page, visit.base, "Patient", visit.parameters, queries.Place())

    async def _search(self, request: Request, visit: Visit) -> Resource:
        kind = _kind(request)
        if kind not in CODES:
            raise NotSupportedError(f"a search of {kind}")
        asked = queries.parsed(kind, visit.parameters)
        page = await handlers.search(self._memory, self._issues, asked, visit.grant)
        return answers.bundle(page, visit.base, kind, asked.asked, asked.place)

    async def _read(self, request: Request, visit: Visit) -> Resource:
        for name, _ in visit.parameters:
            if name != "_format":
                raise NotSupportedError(f"the parameter {name[:64]} of a read")
        name = request.path_params["name"]
        return await handlers.read(self._memory, self._issues, _kind(request), name, visit.grant)

    async def _everything(self, request: Request, visit: Visit) -> Resource:
        name, values = request.path_params["name"], dict(visit.parameters)
        if unknown := values.keys() - {"_count", "_page", "_since", "_type", "_format"}:
            raise NotSupportedError(f"the parameter {min(unknown)[:64]} of $everything")
        kinds = frozenset(filter(None, values.get("_type", "").split(",")))
        if others := kinds - _TYPES:
            raise NotSupportedError(f"the type {min(others)[:64]}")
        filters = [queries.last_updated(f"ge{values['_since']}")] if "_since" in values else []
        at = queries.place_of(values.get("_page", ""))
        count = queries.count_of(values.get("_count", ""))
        page = await handlers.everything(self._memory, self._issues, name, filters, kinds, visit.grant, count, at)
        asked = [(key, value) for key, value in visit.parameters if key != "_page"]
        return answers.bundle(page, visit.base, f"Patient/{name}/$everything", asked, at)

    def _known(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """The answer for somebody whose token proves who they are."""

        async def endpoint(request: Request) -> Response:
            person, token = await person_of(request, self._verifier)
            parameters = request.query_params.multi_items()
            _check_form(request, parameters)
            visit = Visit(self._base(request), parameters, Grant.of(person.scopes, person.patient))
            with for_person(token):
                return _answered(await answer(request, visit))

        return endpoint

    def _base(self, request: Request) -> str:
        host = self._settings.https_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
        return host + PATH


def _wanted_patient(values: dict[str, str]) -> str:
    """A logical id; empty for a number that nobody here gives."""
    if "_id" in values and "identifier" not in values:
        return values["_id"]
    system, bar, number = values.get("identifier", "").rpartition("|")
    if "_id" in values or not (bar and system and number):
        raise InvalidInputError("a search of Patient has `_id`, or `identifier` as system|value")
    authority = authority_of(system)
    return logical_id(PatientKey(id=number, authority=authority)) if authority else ""


def _kind(request: Request) -> str:
    kind = str(request.path_params["kind"])
    if kind not in _TYPES:
        raise NotFoundError(f"{kind[:64]} is no type of resource that is here")
    return kind


def _check_form(request: Request, parameters: Sequence[tuple[str, str]]) -> None:
    """JSON is all that is spoken."""
    wanted = [value for name, value in parameters if name == "_format"] or [
        part.partition(";")[0].strip() for part in request.headers.get("accept", "*/*").split(",")
    ]
    if not JSON.union({"*/*", "application/*"}) & set(wanted):
        raise HTTPException(406)


def _answered(resource: Element, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(written(resource), status, kept, media_type="application/fhir+json")


async def _failed(request: Request, error: Exception) -> Response:
    status, outcome = answers.failure(error)
    if status == 500:
        log.error("not answered: %s at %s", type(error).__name__, place_in_code(error))
    return _answered(outcome, status, headers_of(request, error))


async def _no_such_path(_: Request, error: HTTPException) -> Response:
    said = {404: "no such path", 405: "this door is to be read: GET alone", 406: "this door speaks JSON alone"}
    code = "not-found" if error.status_code == 404 else "not-supported"
    text = said.get(error.status_code, "the request cannot be answered")
    return _answered(answers.outcome("error", code, text), error.status_code, dict(error.headers or {}))
