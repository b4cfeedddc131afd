"""Bundles and outcomes: how answers and errors are said in FHIR R4."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from contracts.errors import (
    BusyError,
    DeniedError,
    InvalidInputError,
    LongitudeError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)

from gateway.domain.fhir.elements import Element, Resource, without_empty
from gateway.domain.fhir.queries import NotSupportedError, Parameters, Place

# HTTP status and issue type of each error, the most special first.
_ERRORS: Sequence[tuple[type[LongitudeError], int, str]] = (
    (NotSupportedError, 400, "not-supported"),
    (InvalidInputError, 400, "invalid"),
    (UnauthenticatedError, 401, "login"),
    (DeniedError, 403, "forbidden"),
    (NotFoundError, 404, "not-found"),
    (BusyError, 503, "throttled"),
    (UnavailableError, 503, "transient"),
)


@dataclass
class Page:
    """Some of what was asked for. `left_out`: statements that are no resource, by why; `closed`, `hidden`: statements
    and concerns that are closed to who asks; `incomplete`: what could not be read.
    """

    matches: list[Resource] = field(default_factory=list)
    included: list[Resource] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    closed: int = 0
    hidden: int = 0
    incomplete: str = ""
    banner: str = ""
    remarks: list[str] = field(default_factory=list)
    next: Place | None = None


def bundle(page: Page, base: str, path: str, asked: Parameters, place: Place) -> Resource:
    """A searchset; its size is known where all of it is on one page."""
    whole = page.next is None and place == Place()
    return without_empty(
        resourceType="Bundle",
        type="searchset",
        link=list(_links(f"{base}/{path}", asked, place, page.next)),
    ) | without_empty(
        total=len(page.matches) if whole else None,
        entry=[
            *(_entry(base, resource, "match") for resource in page.matches),
            *(_entry(base, resource, "include") for resource in page.included),
            *_remarked(page),
        ],
    )


def outcome(severity: str, code: str, text: str) -> Resource:
    """An OperationOutcome of one issue."""
    issue = {"severity": severity, "code": code, "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def failure(error: Exception) -> tuple[int, Resource]:
    """HTTP status and outcome of an error; anything outside the family is our own fault, and its text stays here."""
    for family, status, code in _ERRORS:
        if isinstance(error, family):
            said = f"{error} is not supported" if family is NotSupportedError else str(error)
            return status, outcome("error", code, said)
    return 500, outcome("fatal", "exception", "an error of this server: its log has it")


def _links(url: str, asked: Parameters, place: Place, after: Place | None) -> Iterable[Element]:
    for relation, at in (("self", place), ("next", after)):
        if at is not None:
            page = [] if at == Place() else [("_page", str(at))]
            query = urlencode([*asked, *page])
            yield {"relation": relation, "url": f"{url}?{query}" if query else url}


def _entry(base: str, resource: Resource, mode: str) -> Element:
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def _remarked(page: Page) -> Iterable[Element]:
    said: list[Resource] = []
    if page.banner:
        said.append(outcome("warning", "security", page.banner))
    if page.closed:
        said.append(
            outcome("warning", "suppressed", f"statements of this record that are closed to you: {page.closed}")
        )
    if page.hidden:
        said.append(
            outcome(
                "warning", "suppressed", f"issues of this page, seen by rules, that are closed to you: {page.hidden}"
            )
        )
    if page.incomplete:
        said.append(outcome("warning", "incomplete", page.incomplete))
    if page.left_out:
        said.append(outcome("information", "informational", f"of this page, no resource: {_counted(page.left_out)}"))
    said += [outcome("warning", "informational", text) for text in page.remarks]
    return [{"resource": resource, "search": {"mode": "outcome"}} for resource in said]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{many} {why}" for why, many in sorted(counts.items()))
