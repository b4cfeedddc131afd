"""The door for CDS Hooks 2.0: `/cds-services`. Cards come from `Advise` of reasoning, for the person who comes in.

Who comes in shows an access token of the platform's issuer, which goes along: the role of its person decides, and the
look is theirs. The JWT of a CDS client names a system and no person, and opens nothing. Discovery is open to everybody.
"""

import json
import logging
from functools import partial
from typing import Any

from contracts.errors import (
    BusyError,
    DeniedError,
    InvalidInputError,
    LongitudeError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from eventbus.delivery import place_of as place_in_code
from servicekit.grpc import for_person
from servicekit.tokens import Verifier
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router

from gateway.adapters.reasoning import Reasoning
from gateway.adapters.web import Bounded
from gateway.domain.cds_hooks.calls import Call, read
from gateway.domain.cds_hooks.cards import cards
from gateway.domain.cds_hooks.services import SERVICES, Service, discovery
from gateway.domain.fhir.ids import logical_id
from gateway.domain.fhir.scopes import Grant
from gateway.doors.callers import headers_of, person_of
from gateway.settings import Settings

log = logging.getLogger("gateway")

PATH = "/cds-services"
# Of a request, in bytes: drafts of orders, and what a client sends along as prefetch, which is not read.
MAX_BODY = 1024 * 1024
_STATUS: tuple[tuple[type[LongitudeError], int], ...] = (
    (InvalidInputError, 400),
    (UnauthenticatedError, 401),
    (DeniedError, 403),
    (NotFoundError, 404),
    (BusyError, 503),
    (UnavailableError, 503),
)


class Door:
    """Discovery, the services, and their feedback."""

    def __init__(self, reasoning: Reasoning, verifier: Verifier | None, settings: Settings) -> None:
        self._reasoning, self._verifier, self._settings = reasoning, verifier, settings

    def routes(self) -> list[Route]:
        """`/cds-services` and what is below it."""
        inside = Router(
            [
                Route(PATH, self._discovery),
                Route(PATH + "/{service}", self._call, methods=["POST"]),
                Route(PATH + "/{service}/feedback", self._feedback, methods=["POST"]),
            ],
            redirect_slashes=False,
        )
        bounded = Bounded(inside, self._settings.https_requests, self._settings.https_request_seconds)
        errors: dict[Any, Any] = {LongitudeError: _failed, HTTPException: _refused, Exception: _failed}
        origins = [each for each in self._settings.cds_origins.split(",") if each]
        allowed = partial(
            CORSMiddleware, allow_methods=("GET", "POST"), allow_headers=("Authorization", "Content-Type")
        )
        pages = [Middleware(allowed, allow_origins=origins)] if origins else []
        app = Starlette(routes=[Mount("", app=bounded)], exception_handlers=errors, middleware=pages)
        return [Route(PATH, app), Route(PATH + "/{below:path}", app)]

    async def _discovery(self, _: Request) -> Response:
        return _answered(discovery())

    async def _call(self, request: Request) -> Response:
        service = _service(request)
        person, token = await person_of(request, self._verifier)
        call = read(await _body(request), service)
        # A token that is narrowed must open all of the record: any of it may be told.
        Grant.of(person.scopes, person.patient).check("*", "r", [logical_id(call.patient)])
        with for_person(token):
            return _answered({"cards": await self._cards(call)})

    async def _cards(self, call: Call) -> list[dict[str, Any]]:
        try:
            return cards(await self._reasoning.advise(call.patient, call.orders), call)
        except NotFoundError:
            raise HTTPException(412, "the record knows no such patient") from None

    async def _feedback(self, request: Request) -> Response:
        """Refused, so that nobody takes it for kept: no event of the platform has a place for it yet."""
        _service(request)
        await person_of(request, self._verifier)
        raise HTTPException(501, "feedback is not kept here yet: nothing was recorded")


def _service(request: Request) -> Service:
    service = SERVICES.get(request.path_params["service"])
    if service is None:
        raise NotFoundError(f"no such service; {PATH} lists them")
    return service


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"a request has at most {MAX_BODY} bytes")
    return bytes(body)


def _answered(form: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(json.dumps(form, ensure_ascii=False), status, kept, media_type="application/json")


async def _failed(request: Request, error: Exception) -> Response:
    status = next((status for family, status in _STATUS if isinstance(error, family)), 500)
    if status == 500:
        log.error("not answered: %s at %s", type(error).__name__, place_in_code(error))
        return _answered({"message": "an error of this server: its log has it"}, status)
    return _answered({"message": str(error)}, status, headers_of(request, error))


async def _refused(_: Request, error: HTTPException) -> Response:
    return _answered({"message": error.detail}, error.status_code, dict(error.headers or {}))
