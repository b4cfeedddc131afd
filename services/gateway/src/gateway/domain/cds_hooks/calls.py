"""A call of a service as it was sent: whose chart it is, and the drugs that are being ordered (section "HTTP Request").

Of draft orders (FHIR R4 Bundle) MedicationRequests are read, others ask for nothing that is looked at here. What was
sent along as `prefetch` is not read: the record is our own.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

from contracts.errors import InvalidInputError
from contracts.identifiers import parse_patient
from longitude.reasoning.v1.advice_pb2 import ProposedOrder
from longitude.record.v1.fact_pb2 import CodedConcept, PatientKey
from pydantic import BaseModel, Field, ValidationError

from gateway.domain.cds_hooks.services import Service
from gateway.domain.fhir.ids import patient_of

# Draft orders of a call, codings of a drug, and characters of a name or code.
MAX_ORDERS, MAX_CODINGS, MAX_TEXT = 50, 20, 500
_KIND = "MedicationRequest"
# FHIR R4, MedicationRequest.status: nothing is ordered by it any more.
_OVER = frozenset({"cancelled", "completed", "stopped", "entered-in-error"})

Text = Annotated[str, Field(max_length=MAX_TEXT)]
Model = TypeVar("Model", bound=BaseModel)


class Coding(BaseModel):
    """FHIR R4 Coding."""

    system: Text = ""
    code: Text = ""
    display: Text = ""


class CodeableConcept(BaseModel):
    """FHIR R4 CodeableConcept."""

    coding: Annotated[list[Coding], Field(max_length=MAX_CODINGS)] = []
    text: Text = ""


class Reference(BaseModel):
    """FHIR R4 Reference."""

    reference: Text = ""
    display: Text = ""


class Medication(BaseModel):
    """FHIR R4 Medication, as far as it names a drug."""

    id: Text = ""
    code: CodeableConcept = CodeableConcept()


class MedicationRequest(BaseModel):
    """FHIR R4 MedicationRequest, as far as it names a drug and whom it is for."""

    id: Text = ""
    status: Text = ""
    do_not_perform: bool = Field(False, alias="doNotPerform")
    subject: Reference = Reference()
    concept: CodeableConcept | None = Field(None, alias="medicationCodeableConcept")
    reference: Reference | None = Field(None, alias="medicationReference")
    contained: list[dict[str, Any]] = []


class Entry(BaseModel):
    """An entry of a Bundle."""

    url: str = Field("", alias="fullUrl")
    resource: dict[str, Any] = {}


class Bundle(BaseModel):
    """FHIR R4 Bundle."""

    entry: Annotated[list[Entry], Field(max_length=1_000)] = []


class Context(BaseModel):
    """What the hooks' own specifications ask for: patient, and of orders the drafts and what is selected of them."""

    patient: Annotated[str, Field(min_length=1, max_length=600, alias="patientId")]
    drafts: Bundle | None = Field(None, alias="draftOrders")
    selections: Annotated[list[Text], Field(max_length=1_000)] | None = None


class Request(BaseModel):
    """The request of a service."""

    hook: Text
    instance: UUID = Field(alias="hookInstance")
    context: Context


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked. `is_of_orders`: about draft orders, however few, and not about the record as it stands. `shown`:
    the orders about which cards are shown; `unread`: those that name no drug.
    """

    patient: PatientKey
    is_of_orders: bool = False
    orders: tuple[ProposedOrder, ...] = ()
    shown: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()


def read(body: bytes, service: Service) -> Call:
    """InvalidInputError, which names the fields and none of what they hold."""
    try:
        request = Request.model_validate(json.loads(body))
    except ValidationError as error:
        fields = sorted({".".join(map(str, each["loc"])) for each in error.errors(include_url=False)})
        raise InvalidInputError(f"not a request of CDS Hooks: {', '.join(fields)[:200]}") from None
    except (ValueError, RecursionError):
        raise InvalidInputError("not JSON") from None
    if request.hook != service.hook:
        raise InvalidInputError(f"{service.id} is a service for {service.hook}")
    patient = _patient(request.context.patient)
    return _with_orders(patient, request.context, service) if service.has_orders else Call(patient)


def _patient(named: str) -> PatientKey:
    """By the id of our own FHIR, or as everywhere else: ID@AUTHORITY."""
    try:
        return patient_of(named) or parse_patient(named)
    except ValueError:
        raise InvalidInputError("context.patientId names no patient: ID@AUTHORITY, or an id of our FHIR") from None


def _with_orders(patient: PatientKey, context: Context, service: Service) -> Call:
    if context.drafts is None or (service.is_selective and context.selections is None):
        raise InvalidInputError(f"{service.hook} needs context.draftOrders and, to select, context.selections")
    drafts = dict(_drafts(context.drafts, context.patient))
    if len(drafts) > MAX_ORDERS:
        raise InvalidInputError(f"more than {MAX_ORDERS} draft orders")
    shown = drafts.keys() & {*(context.selections or ())} if service.is_selective else drafts.keys()
    orders = [_order(name, draft, context.drafts) for name, draft in drafts.items()]
    known = tuple(each for each in orders if each.text or each.codings)
    unread = tuple(each.order_id for each in orders if each not in known and each.order_id in shown)
    return Call(patient, True, known, frozenset(shown), unread)


def _drafts(bundle: Bundle, patient: str) -> Iterator[tuple[str, MedicationRequest]]:
    """The drugs that are being ordered, by `MedicationRequest/ID`, or their place where they have no id."""
    for place, entry in enumerate(bundle.entry):
        if entry.resource.get("resourceType") != _KIND:
            continue
        draft = _of(MedicationRequest, entry.resource)
        if draft.status in _OVER or draft.do_not_perform:
            continue
        if draft.subject.reference and draft.subject.reference.rpartition("/")[2] != patient:
            raise InvalidInputError("a draft order is for another patient than context.patientId")
        yield f"{_KIND}/{draft.id or place}", draft


def _order(name: str, draft: MedicationRequest, bundle: Bundle) -> ProposedOrder:
    concept = draft.concept or (_referred(draft, draft.reference, bundle) if draft.reference else CodeableConcept())
    codings = [
        CodedConcept(system=each.system, code=each.code, display=each.display)
        for each in concept.coding
        if each.code or each.display
    ]
    return ProposedOrder(order_id=name, text=concept.text.strip(), codings=codings)


def _referred(draft: MedicationRequest, reference: Reference, bundle: Bundle) -> CodeableConcept:
    """Of the Medication within the order or beside it, else the words that stand for it."""
    entries = ((each.url, each.resource) for each in bundle.entry)
    beside = [("", each) for each in draft.contained]
    for url, resource in (*beside, *entries):
        if resource.get("resourceType") != "Medication":
            continue
        medication = _of(Medication, resource)
        if reference.reference in {url, f"#{medication.id}", f"Medication/{medication.id}"} - {"", "#", "Medication/"}:
            return medication.code
    return CodeableConcept(text=reference.display)


def _of(kind: type[Model], resource: Mapping[str, Any]) -> Model:
    try:
        return kind.model_validate(resource)
    except ValidationError as error:
        fields = sorted({".".join(map(str, each["loc"])) for each in error.errors(include_url=False)})
        raise InvalidInputError(f"context.draftOrders: {kind.__name__}: {', '.join(fields)[:200]}") from None
