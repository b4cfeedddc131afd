"""The services and models of helm/longitude/values.yaml: what an installation may change, by what manifests say."""

from typing import Any

import yaml

from manifests.reading import Services
from manifests.service import Service

# The networks of a hospital: feeds come from there and from nowhere else.
_HOSPITAL = ["10.0.0.0/8"]
_FEEDS = "/etc/longitude/feeds"
_PLACES = {
    "tokenizer": "/usr/share/longitude/tokenizer.json",
    "keys": "/etc/longitude/keys",
    "feeds": f"{_FEEDS}/feeds.toml",
}
_SECRETS = {
    "postgres": ("POSTGRES",),
    "objects": ("OBJECTS_ACCESS_KEY", "OBJECTS_SECRET_KEY"),
    "qdrant": ("QDRANT_API_KEY",),
}
# Without these in its Secret a pod starts too: the settings say what then.
_OPTIONAL = {"QDRANT_API_KEY"}


def services(known: Services) -> str:
    """An entry for each service."""
    document = {"services": {service.name: _entry(service) for service in known.values()}}
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=150)


def models(known: Services) -> str:
    """The models that Triton loads: those that any service calls."""
    called = sorted({model for service in known.values() for model in service.calls.models})
    return f"  models: [{', '.join(called)}]\n"


def _entry(service: Service) -> dict[str, Any]:
    runs = service.runs
    alone = runs.most == 1
    settings = {key: text.format_map(_PLACES) for key, text in service.settings.items()}
    return {
        "replicas": runs.replicas,
        "strategy": "Recreate" if alone else "RollingUpdate",
        "calls": [*service.needs, *service.calls.services],
        "secrets": _secrets(service),
        **({"owner": {"name": f"longitude-{service.name}-owner", "key": "postgres"}} if service.owns.tables else {}),
        "files": _files(service),
        "sockets": service.feeds,
        "settings": settings | service.cluster_settings,
        "expose": {
            "type": "LoadBalancer" if service.feeds else "ClusterIP",
            "sourceRanges": _HOSPITAL if service.feeds else [],
            "annotations": {},
        },
        # 0 lets a node be drained, where one is all there is.
        "disruption": {"minAvailable": 0 if runs.replicas == 1 else 1},
        "autoscaling": {"enabled": False, "min": runs.replicas, "max": runs.most, "cpu": 70},
        "terminationGracePeriodSeconds": runs.grace_seconds,
        "resources": {
            "requests": {"cpu": runs.cpu, "memory": runs.memory},
            "limits": {"memory": runs.memory_limit},
        },
    }


def _files(service: Service) -> dict[str, dict[str, str]]:
    files = {"keys": {"secret": f"longitude-{service.name}-keys", "path": _PLACES["keys"]}}
    files["feeds"] = {"value": "feeds", "path": _FEEDS}
    return {place: how for place, how in files.items() if service.uses(place)}


def _secrets(service: Service) -> dict[str, dict[str, Any]]:
    variables = [variable for need in service.needs for variable in _SECRETS.get(need, ())]
    return {
        variable: {
            "name": f"longitude-{service.name}",
            "key": variable.lower().replace("_", "-"),
            **({"optional": True} if variable in _OPTIONAL else {}),
        }
        for variable in variables
    }
