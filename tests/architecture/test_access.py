"""The table of who may ask what is whole, and says of services what their manifests say."""

import importlib
import tomllib
from typing import Any

import pytest
from longitude.record.v1.fact_pb2 import PatientKey
from manifests import REPOSITORY, Service, read_services
from servicekit.access import DOORS, ROLES

SERVICES = read_services()
# What names a patient, and shows nothing of their record: commands, what the caller sent, a consent to training, and
# the list of looks itself, which the log has by pseudonym.
NO_LOOK: dict[str, set[str]] = {
    "ingestion": {"FileInstance", "TryFeeds"},
    "learning": {"SetConsent", "GetConsent"},
    "auditing": {"ListLooks"},
    "memory": {"ListOpenings"},
}
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def table(service: Service) -> dict[str, dict[str, list[str]]]:
    file = REPOSITORY / "services" / service.name / "src" / service.name / "access.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def methods(service: Service) -> list[Any]:
    """None of a service that nobody asks over gRPC."""
    if not (REPOSITORY / "proto/longitude" / service.name).is_dir():
        return []
    descriptor: Any = importlib.import_module(f"longitude.{service.name}.v1.{service.name}_service_pb2").DESCRIPTOR
    return [method for each in descriptor.services_by_name.values() for method in each.methods]


def names_a_patient(method: Any) -> bool:
    """Whether the question, the answer or anything in them is a patient's key."""
    seen: set[str] = set()
    left = [method.input_type, method.output_type]
    while left:
        message = left.pop()
        if message.full_name == PatientKey.DESCRIPTOR.full_name:
            return True
        if message.full_name not in seen:
            seen.add(message.full_name)
            left += [field.message_type for field in message.fields if field.message_type is not None]
    return False


@each_service
def test_every_rpc_is_open_to_somebody_and_nothing_else_is_listed(service: Service) -> None:
    rpcs = {method.name for method in methods(service)}
    callers = [table(service).get(part, {}) for part in ("roles", "processes")]
    assert {rpc for part in callers for listed in part.values() for rpc in listed} == rpcs


@each_service
def test_roles_are_those_of_people_and_processes_are_services(service: Service) -> None:
    assert table(service).keys() <= {"roles", "processes", "looks"}
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


@each_service
def test_what_names_a_patient_or_what_is_of_one_is_a_look(service: Service) -> None:
    """By the messages themselves: a new RPC that shows a patient cannot be forgotten."""
    shows = {method.name for method in methods(service) if names_a_patient(method)}
    assert table(service).get("looks", {}).keys() == shows - NO_LOOK.get(service.name, set())
    assert NO_LOOK.get(service.name, set()) <= shows


@each_service
def test_a_look_says_where_the_patient_is_named(service: Service) -> None:
    by_name = {method.name: method for method in methods(service)}
    for rpc, paths in table(service).get("looks", {}).items():
        for path in paths:
            of_answer = path.startswith("answer.")
            message = by_name[rpc].output_type if of_answer else by_name[rpc].input_type
            for name in path.removeprefix("answer.").split("."):
                message = message.fields_by_name[name].message_type
            assert message is None or message.full_name == PatientKey.DESCRIPTOR.full_name, (rpc, path)
