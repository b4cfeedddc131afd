"""The services of CDS Hooks 2.0 that are offered, as discovery lists them (section "Discovery")."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Service:
    """A service for one hook. `has_orders`: its context carries draft orders; `is_selective`: some are selected."""

    id: str
    hook: str
    title: str
    description: str
    has_orders: bool = False
    is_selective: bool = False


_ALL = (
    Service(
        "longitude-patient-view",
        "patient-view",
        "Dangers in the record",
        "What rows of medical knowledge say of the patient's record as it stands, each with its source.",
    ),
    Service(
        "longitude-order-select",
        "order-select",
        "Selected drugs beside the record",
        "What allergies, drugs, problems and results of the record say of the drugs that are being selected.",
        has_orders=True,
        is_selective=True,
    ),
    Service(
        "longitude-order-sign",
        "order-sign",
        "Drugs beside the record before they are signed",
        "What allergies, drugs, problems and results of the record say of the drugs that are about to be signed.",
        has_orders=True,
    ),
)
SERVICES = {each.id: each for each in _ALL}


def discovery() -> dict[str, Any]:
    """No prefetch is asked for: the record is our own."""
    return {
        "services": [
            {"id": each.id, "hook": each.hook, "title": each.title, "description": each.description} for each in _ALL
        ]
    }
