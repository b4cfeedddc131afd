"""What this door can do, as it says itself: the CapabilityStatement, and the document of SMART App Launch."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.fhir.elements import Element, Resource, without_empty
from gateway.domain.fhir.queries import CODES, REFERENCES, REVINCLUDE, TIMES, WITHOUT_PROVENANCE

# When this statement was last changed.
_DATE = "2026-11-29"
_READ = {"code": "read"}, {"code": "search-type"}
# Of what the issuer publishes (OpenID Connect Discovery 1.0), what a client of SMART looks for.
_PUBLISHED = (
    "issuer",
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "grant_types_supported",
    "code_challenge_methods_supported",
    "scopes_supported",
    "response_types_supported",
    "introspection_endpoint",
    "revocation_endpoint",
)


def statement(base: str) -> Resource:
    """The CapabilityStatement of the server at `base`."""
    everything = {
        "name": "everything",
        "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    }
    types = [_type(kind) for kind in sorted(CODES)]
    binary = {"type": "Binary", "interaction": [{"code": "read"}]}
    patient = {
        "type": "Patient",
        "interaction": list(_READ),
        "searchParam": [{"name": "identifier", "type": "token"}, {"name": "_id", "type": "token"}],
        "operation": [everything],
    }
    smart = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "OAuth"}]}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "Longitude"},
        "implementation": {"description": "The record of Longitude, to be read", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {"service": [smart], "description": "A bearer token of the platform's issuer"},
                "resource": sorted([*types, binary, patient], key=lambda one: str(one["type"])),
            }
        ],
    }


def _type(kind: str) -> Element:
    parameters = [
        {"name": "patient", "type": "reference"},
        {"name": "_id", "type": "token"},
        {"name": "_lastUpdated", "type": "date"},
        *({"name": name, "type": "token"} for name in CODES[kind]),
        *({"name": name, "type": "date"} for name in TIMES.get(kind, {})),
        *({"name": name, "type": "reference"} for name in REFERENCES.get(kind, ())),
    ]
    return without_empty(
        type=kind,
        interaction=list(_READ),
        versioning="no-version",
        searchRevInclude=[] if kind in WITHOUT_PROVENANCE else [REVINCLUDE],
        searchParam=parameters,
    )


def smart(published: Mapping[str, Any]) -> Element:
    """Where a client of SMART gets its token: what the issuer publishes of itself."""
    known = {name: published[name] for name in _PUBLISHED if name in published}
    return known | {"capabilities": ["permission-patient", "permission-user", "permission-v1", "permission-v2"]}
