"""The table of who may ask what is whole, and says of services what their manifests say."""

import importlib
import tomllib
from typing import Any

import pytest
from manifests import REPOSITORY, Service, read_services
from servicekit.access import DOORS, ROLES

SERVICES = read_services()
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def table(service: Service) -> dict[str, dict[str, list[str]]]:
    file = REPOSITORY / "services" / service.name / "src" / service.name / "access.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@each_service
def test_every_rpc_is_open_to_somebody_and_nothing_else_is_listed(service: Service) -> None:
    descriptor: Any = importlib.import_module(f"longitude.{service.name}.v1.{service.name}_service_pb2").DESCRIPTOR
    rpcs = {method.name for each in descriptor.services_by_name.values() for method in each.methods}
    assert {rpc for part in table(service).values() for listed in part.values() for rpc in listed} == rpcs


@each_service
def test_roles_are_those_of_people_and_processes_are_services(service: Service) -> None:
    assert table(service).keys() <= {"roles", "processes"}
    assert table(service)["roles"].keys() <= ROLES
    assert not table(service).get("processes", {}).keys() & (ROLES | DOORS)


@each_service
def test_a_service_is_open_to_those_whose_manifest_says_that_they_call_it(service: Service) -> None:
    calling = {
        each.name: sorted(each.calls.services[service.name])
        for each in SERVICES.values()
        if service.name in each.calls.services
    }
    assert {name: sorted(rpcs) for name, rpcs in table(service).get("processes", {}).items()} == calling


@each_service
def test_whoever_may_ask_a_service_may_have_it_ask_others(service: Service) -> None:
    """What a service asks for a person, that person's role must open there too."""
    for callee, rpcs in service.calls.services.items():
        asking = {role for role, listed in table(service)["roles"].items() if "Ask" in listed}
        for role in asking:
            assert set(rpcs) <= set(table(SERVICES[callee])["roles"].get(role, [])), (role, callee)
