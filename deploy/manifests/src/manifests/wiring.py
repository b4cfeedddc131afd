"""The environment of a service: which LONGITUDE_* variable gets which endpoint, the same wherever it runs.

LONGITUDE_<SERVICE> is the address of a service that it calls, LONGITUDE_<SOCKET>_LISTEN where a socket of its own
listens; what each server is known by is one table of the deployment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from manifests.service import Service


@dataclass(frozen=True, slots=True)
class Wiring:
    """What one deployment has for one service. A setting whose place it does not have is left out."""

    backends: Mapping[str, Mapping[str, str]]
    addresses: Mapping[str, str]
    listen: Mapping[str, str]
    places: Mapping[str, str]


def environment(service: Service, wiring: Wiring) -> dict[str, str]:
    """Everything that the service is told, and nothing that it has no use for."""
    values = {key: value for need in service.needs for key, value in wiring.backends[need].items()}
    values |= {callee.upper(): wiring.addresses[callee] for callee in service.calls.services}
    values |= {f"{socket.upper()}_LISTEN": wiring.listen[socket] for socket in service.sockets}
    values |= {
        key: text.format_map(wiring.places)
        for key, text in service.settings.items()
        if set(re.findall(r"{(.*?)}", text)) <= wiring.places.keys()
    }
    return {f"LONGITUDE_{key}": value for key, value in values.items()}
