"""What each service says of itself is what its code does, and what is derived from it stands where it must."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts import topics as contracted
from manifests import REPOSITORY, Service, read_services
from manifests.derived import derived
from manifests.service import EVERY_OTHER
from manifests.topics import consumed

SERVICES = read_services()
MODELS = {path.parent.name for path in (REPOSITORY / "deploy/triton/models").glob("*/config.pbtxt")}
BUCKETS = {bucket for service in SERVICES.values() for bucket in service.owns.buckets}
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def code(service: Service) -> Path:
    return REPOSITORY / "services" / service.name / "src" / service.name


def nodes(service: Service) -> Iterator[ast.AST]:
    for path in code(service).rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def literals(service: Service) -> set[str]:
    return {node.value for node in nodes(service) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_service_has_a_manifest() -> None:
    assert set(SERVICES) == {path.parent.name for path in (REPOSITORY / "services").glob("*/pyproject.toml")}


@pytest.mark.parametrize(("path", "text"), derived(SERVICES).items(), ids=lambda value: getattr(value, "name", ""))
def test_what_is_derived_from_the_manifests_is_up_to_date(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, f"{path.relative_to(REPOSITORY)} is not: run `make manifests`"


@each_service
def test_a_service_subscribes_to_the_topics_of_its_manifest(service: Service) -> None:
    subscribed = {
        getattr(contracted, node.args[0].id).name
        for node in ast.walk(ast.parse((code(service) / "app.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"subscribe", "subscribe_batches"}
        if isinstance(node.args[0], ast.Name)
    }
    if EVERY_OTHER in service.events.consumes:
        # The log reads without a subscription: its place in each topic stands beside its leaves.
        subscribed |= set(importlib.import_module(f"{service.name}.app").READ_TOPICS)
    assert subscribed == set(consumed(service, SERVICES))


@each_service
def test_owners_of_tables_are_those_with_migrations(service: Service) -> None:
    assert service.owns.tables == (code(service) / "migrations").is_dir()


@each_service
def test_a_service_names_its_models_and_buckets_and_no_others(service: Service) -> None:
    assert literals(service) & BUCKETS == set(service.owns.buckets)
    assert literals(service) & MODELS == set(service.calls.models)


@each_service
def test_a_service_calls_the_methods_of_its_manifest_and_no_others(service: Service) -> None:
    attributes = {node.attr for node in nodes(service) if isinstance(node, ast.Attribute)}
    imported = {node.module or "" for node in nodes(service) if isinstance(node, ast.ImportFrom)}
    called: dict[str, set[str]] = {}
    for name in SERVICES.keys() - {service.name}:
        if any(module.startswith(f"longitude.{name}.v1.{name}_service_pb2_grpc") for module in imported):
            called[name] = {method for method in methods(name) if method in attributes}
    assert called == {name: set(listed) for name, listed in service.calls.services.items()}


def methods(name: str) -> set[str]:
    descriptor: Any = importlib.import_module(f"longitude.{name}.v1.{name}_service_pb2").DESCRIPTOR
    return {method.name for service in descriptor.services_by_name.values() for method in service.methods}
