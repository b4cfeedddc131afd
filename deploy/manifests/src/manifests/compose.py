"""The services of deploy/compose/compose.yaml, beside the servers that stand there by hand."""

import yaml

from manifests.reading import Services
from manifests.service import Service
from manifests.wiring import Wiring, environment

_HTTP, _GRPC = 8080, 50051
# Compose fills them in.
_DATABASE = "postgresql://{login}@postgres:5432/longitude"
_BACKENDS = {
    # It and S3 stand on the network of the containers alone.
    "kafka": {"KAFKA": "kafka:9092", "KAFKA_PLAINTEXT": "true"},
    "objects": {
        "OBJECTS": "objects:9000",
        "OBJECTS_PLAINTEXT": "true",
        "OBJECTS_ACCESS_KEY": "longitude",
        "OBJECTS_SECRET_KEY": "${OBJECTS_PASSWORD:?copy env.example to .env and set it}",
    },
    "qdrant": {
        "QDRANT": "https://qdrant:6333",
        "QDRANT_API_KEY": "${QDRANT_API_KEY:?copy env.example to .env and set it}",
    },
    "triton": {"TRITON": "triton:8001"},
}
_WAITS = {
    "kafka": {"topics": "service_completed_successfully"},
    "postgres": {"{service}-migrate": "service_completed_successfully"},
    "objects": {"objects": "service_started"},
    "qdrant": {"qdrant": "service_started"},
    "triton": {"triton": "service_healthy"},
}
_TLS, _ISSUER = "/etc/longitude/tls", "${ISSUER}"
_PLACES = {"tokenizer": "/usr/share/longitude/tokenizer.json", "keys": "/data", "feeds": "/etc/longitude/feeds.toml"}


def services(known: Services) -> str:
    """Owners of tables, volumes of keys, and a container for each service."""
    owners = " ".join(service.name for service in known.values() if service.owns.tables)
    keys = ", ".join(f"{service.name}-keys: null" for service in known.values() if service.uses("keys"))
    head = f"x-owners: &owners {owners}\nx-keys: &keys {{{keys}}}\n\nservices:\n"
    migrated = [service for service in known.values() if service.owns.tables]
    return head + "\n".join([*map(_container, known.values()), *map(_migration, migrated)])


def _migration(service: Service) -> str:
    """What brings the tables of a service up to date as their owner, and ends before the service starts."""
    shown = {"LONGITUDE_POSTGRES_OWNER": _DATABASE.format(login=f"{service.name}:${{OWNERS_PASSWORD}}")} | _files_told(
        service
    )
    return f"""  {service.name}-migrate:
    <<: *service
    restart: "no"
    build: {_flow(_build(service))}
    image: longitude/{service.name}:0.1.0
    entrypoint: {_flow(["/usr/bin/python3.11", "-m", "servicekit", "migrate", service.name, service.role])}
    depends_on: {_flow({"postgres": {"condition": "service_healthy"}})}
    volumes: {_flow(_shown(service))}
    environment:
{_lines(shown)}"""


def _container(service: Service) -> str:
    lines = {
        "<<": "*service",
        "build": _flow(_build(service)),
        "image": f"longitude/{service.name}:0.1.0",
        "depends_on": _flow(_awaited(service)),
        "stop_grace_period": f"{service.runs.grace_seconds}s",
        "ports": _flow(_ports(service)),
    }
    if volumes := _volumes(service):
        lines["volumes"] = _flow(volumes)
    variables = environment(service, _wiring(service)) | _identity(service)
    head = "".join(f"    {key}: {value}\n" for key, value in lines.items())
    return f"  {service.name}:\n{head}    environment:\n{_lines(variables)}"


def _lines(variables: dict[str, str]) -> str:
    return "".join(f"      {key}: {value}\n" for key, value in variables.items())


def _awaited(service: Service) -> dict[str, dict[str, str]]:
    waits = (one for need in service.needs for one in _WAITS[need].items())
    return {part.format(service=service.name): {"condition": how} for part, how in waits}


def _build(service: Service) -> dict[str, object]:
    target = "with-tokenizer" if service.uses("tokenizer") else "service"
    how: dict[str, object] = {"context": "../..", "dockerfile": "deploy/docker/Dockerfile", "target": target}
    how["args"] = {"SERVICE": service.name}
    if service.uses("tokenizer"):  # the tokenizer comes from that image, which is so built first
        how["additional_contexts"] = {"longitude/triton:0.1.0": "service:triton"}
    return how


def _volumes(service: Service) -> list[str]:
    # Keys are made on the first start and kept: losing them means a new log.
    keys = [f"{service.name}-keys:{_PLACES['keys']}"] if service.uses("keys") else []
    return _shown(service) + keys + ([f"../feeds.toml:{_PLACES['feeds']}:ro"] if service.uses("feeds") else [])


def _shown(service: Service) -> list[str]:
    return [f"${{CERTIFICATES}}/{file}:{_TLS}/{file}:ro" for file in _files(service)]


def _files(service: Service) -> tuple[str, str, str]:
    """Certificate, key, authority, as `native_stack certificates` makes them."""
    return f"{service.name}.pem", f"{service.name}.key", "authority.pem"


def _identity(service: Service) -> dict[str, str]:
    return _files_told(service) | {"LONGITUDE_ISSUER": _ISSUER}


def _files_told(service: Service) -> dict[str, str]:
    names = (f"LONGITUDE_TLS_{which}" for which in ("CERTIFICATE", "KEY", "AUTHORITY"))
    return dict(zip(names, (f"{_TLS}/{file}" for file in _files(service)), strict=True))


def _ports(service: Service) -> list[str]:
    feeds = [f"127.0.0.1:{port}:{port}" for port in service.feeds.values()]
    return [*feeds, f"127.0.0.1:{service.sockets['grpc']}:{_GRPC}"]


def _wiring(service: Service) -> Wiring:
    own = {"postgres": {"POSTGRES": _DATABASE.format(login=service.role)}}
    inside = service.sockets | {"http": _HTTP, "grpc": _GRPC}
    return Wiring(
        backends=_BACKENDS | own,
        addresses={callee: f"{callee}:{_GRPC}" for callee in service.calls.services},
        listen={socket: f"0.0.0.0:{port}" for socket, port in inside.items()},
        places=_PLACES,
    )


def _flow(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000).strip()
