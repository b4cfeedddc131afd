"""The bill of materials names everything that is pinned, with hash and licence, in a form that its schema accepts."""

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from manifests import read_services
from supply import bill, places
from supply.jars import read_jars
from supply.licences import read_policy
from supply.pins import read_pins

Row = dict[str, Any]


@pytest.fixture(scope="module")
def parts() -> list[bill.Part]:
    return bill.parts()


@pytest.fixture(scope="module")
def document(parts: list[bill.Part]) -> Row:
    written: Row = json.loads(bill.write(parts))  # which is valid, or BillError
    return written


@pytest.fixture(scope="module")
def components(document: Row) -> dict[str, Row]:
    return {row["bom-ref"]: row for row in document["components"]}


def test_the_schema_would_refuse_a_wrong_document(document: Row) -> None:
    wrong = {"specVersion": document["specVersion"], "bomFormat": "CycloneDX", "components": [{"type": "wheel"}]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(wrong)) is not None


def test_every_pinned_package_is_named_with_its_version_hashes_and_licence(components: dict[str, Row]) -> None:
    pins = [pin for name in (*places.SHIPPED, *places.TOOLS) for pin in read_pins(places.REQUIREMENTS / name)]
    assert len({pin.purl for pin in pins}) > 300
    for pin in pins:
        row = components[pin.purl]
        assert (row["name"], row["version"]) == (pin.name, pin.version)
        (files,) = row["externalReferences"]
        assert {digest["content"] for digest in files["hashes"]} >= set(pin.hashes)
        assert row["licenses"][0]["expression"], pin.name


def test_every_jar_of_the_broker_is_named_with_its_hash_and_licence(components: dict[str, Row]) -> None:
    jars = read_jars()
    assert len(jars) > 50
    for jar in jars:
        row = components[jar.purl]
        assert row["hashes"] == [{"alg": "SHA-256", "content": jar.sha256}]
        assert row["licenses"] == [{"expression": jar.licence}]


def test_what_only_checks_and_builds_is_marked_as_not_shipped(components: dict[str, Row]) -> None:
    by_name = {row["name"]: row.get("scope") for row in components.values()}
    assert (by_name["pytest"], by_name["ruff"]) == ("excluded", "excluded")
    assert (by_name["grpcio"], by_name["vllm"]) == ("required", "required")


def _needs(document: Row) -> dict[str, set[str]]:
    return {row["ref"]: set(row.get("dependsOn", [])) for row in document["dependencies"]}


def test_each_image_is_tied_to_what_it_carries(document: Row) -> None:
    needs = _needs(document)
    assert needs["longitude"] == {f"image:{name}" for name in (*read_services(), bill.TRITON)}
    carried = {image: {ref.split("@")[0] for ref in needs[image]} for image in needs["longitude"]}
    assert "pkg:pypi/vllm" in carried["image:triton"]
    assert {image for image, names in carried.items() if "pkg:pypi/torch" in names} == {"image:imaging", "image:triton"}
    assert all("pkg:pypi/grpcio" in names for names in carried.values())


def test_every_licence_is_known_and_allowed(parts: list[bill.Part]) -> None:
    assert bill.refused(parts, read_policy()) == []


@pytest.fixture
def one(parts: list[bill.Part]) -> bill.Part:
    return next(part for part in parts if part.component.name == "grpcio")


@pytest.mark.parametrize("licence", ["", "AGPL-3.0-only", "MIT AND AGPL-3.0-only", "LicenseRef-Unknown"])
def test_a_part_whose_licence_is_unknown_or_not_allowed_is_refused_and_named(one: bill.Part, licence: str) -> None:
    (line,) = bill.refused([bill.Part(one.component, licence, shipped=True)], read_policy())
    assert line.startswith("grpcio ")
