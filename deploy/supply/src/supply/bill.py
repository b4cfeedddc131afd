"""The bill of materials: a CycloneDX 1.6 document of every Python package, jar and image, valid by its schema.

The product depends on its images, an image on what it carries; what only checks and builds has the scope `excluded`.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from supply import places
from supply.images import read_images
from supply.jars import read_jars
from supply.licences import Licences, read_policy, read_recorded
from supply.pins import Pin, normal, read_pins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from supply.images import Image
    from supply.jars import Jar
    from supply.licences import Policy

TRITON = "triton"


class BillError(Exception):
    """The document would not be valid; the text says where."""


@dataclass(frozen=True)
class Part:
    """One thing that the product is made of; licence is an SPDX expression, empty where nobody says."""

    component: Component
    licence: str
    shipped: bool


def parts() -> list[Part]:
    """All of them, each once."""
    licences = Licences(read_policy(), read_recorded())
    shipped = {pin.purl: pin for name in places.SHIPPED for pin in read_pins(places.REQUIREMENTS / name)}
    tools = {pin.purl: pin for name in places.TOOLS for pin in read_pins(places.REQUIREMENTS / name)}
    packages = [_package(pin, licences, shipped=purl in shipped) for purl, pin in sorted((tools | shipped).items())]
    return [*packages, *map(_jar, read_jars()), *map(_image, read_images())]


def refused(made_of: Iterable[Part], policy: Policy) -> list[str]:
    """Parts whose licence nobody says or the policy does not allow, by name. Images have their own lists inside."""
    judged = [part for part in made_of if part.component.type is ComponentType.LIBRARY]
    return [
        f"{part.component.name} {part.component.version}: {part.licence or 'no licence is known'}"
        for part in judged
        if not part.licence or not policy.allows(part.licence, shipped=part.shipped)
    ]


def write(made_of: Iterable[Part]) -> str:
    """The document; BillError if it does not fit the schema."""
    document = JsonV1Dot6(_bill({part.component.bom_ref.value or "": part.component for part in made_of}))
    text = document.output_as_string(indent=1)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        raise BillError(str(wrong))
    return text


def _bill(components: dict[str, Component]) -> Bom:
    product = Component(name="longitude", version=_version(), type=ComponentType.APPLICATION, bom_ref="longitude")
    product.licenses.add(LicenseExpression("Apache-2.0"))
    images = {name: _built(name, product.version or "") for name in _images()}
    bill = Bom(components=[*components.values(), *images.values()])
    bill.metadata.component = product
    bill.register_dependency(product, images.values())
    for name, image in images.items():
        bill.register_dependency(image, [components[purl] for purl in _carried(name)])
    return bill


def _version() -> str:
    project = tomllib.loads((places.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _images() -> list[str]:
    services = sorted(path.parent.name for path in places.REPOSITORY.glob("services/*/service.toml"))
    return [*services, TRITON]


def _carried(image: str) -> Iterator[str]:
    """The package URLs of what an image carries, as its build asks for it."""
    command = [sys.executable, str(places.NEEDS), "requirements", image]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S603 - ours
    named = [line.partition(" ")[0].split("==") for line in lines if "==" in line]
    carried = {Pin(normal(name.partition("[")[0]), version, ()).purl for name, version in named}
    if image == TRITON:
        carried |= {pin.purl for pin in read_pins(places.REQUIREMENTS / "vllm.txt")}
    yield from sorted(carried)


def _package(pin: Pin, licences: Licences, *, shipped: bool) -> Part:
    made = _library(pin.name, pin.version, pin.purl, licences.of(pin.name) or "")
    made.scope = ComponentScope.REQUIRED if shipped else ComponentScope.EXCLUDED
    files = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.hashes]
    # One of these files is installed; which, the platform decides.
    kind = ExternalReferenceType.DISTRIBUTION
    made.external_references.add(ExternalReference(type=kind, url=XsUri(pin.purl), hashes=files))
    return Part(made, licences.of(pin.name) or "", shipped)


def _jar(jar: Jar) -> Part:
    made = _library(jar.name, jar.version, jar.purl, jar.licence)
    made.group = jar.group
    made.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=jar.sha256))
    return Part(made, jar.licence, shipped=True)


def _library(name: str, version: str, purl: str, licence: str) -> Component:
    made = Component(name=name, version=version, bom_ref=purl, purl=PackageURL.from_string(purl))
    if licence:
        made.licenses.add(LicenseExpression(licence))
    return made


def _image(image: Image) -> Part:
    made = Component(name=image.name, version=image.tag, type=ComponentType.CONTAINER, bom_ref=image.reference)
    made.description = image.use
    digest = image.digest.removeprefix("sha256:")
    if digest:
        made.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    made.properties.add(Property(name="longitude:digest", value=image.digest or "not known"))
    return Part(made, "", shipped=True)


def _built(name: str, version: str) -> Component:
    made = Component(name=f"longitude/{name}", version=version, type=ComponentType.CONTAINER, bom_ref=f"image:{name}")
    made.licenses.add(LicenseExpression("Apache-2.0"))
    return made
