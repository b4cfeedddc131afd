"""Kafka's jars as Maven resolves deploy/local/pom.xml, written down with digest and licence (`make lock`)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from defusedxml import ElementTree

from supply import places
from supply.licences import expression_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from supply.licences import Policy

_POM = places.REPOSITORY / "deploy" / "local" / "pom.xml"
_FETCHED = Path.home() / ".m2" / "repository"


@dataclass(frozen=True)
class Jar:
    """One jar of the broker; licence is an SPDX expression, empty where nobody says."""

    file: str
    group: str
    name: str
    version: str
    sha256: str
    licence: str

    @property
    def purl(self) -> str:
        """The package URL."""
        return f"pkg:maven/{self.group}/{self.name}@{self.version}?type=jar"


def read_jars(file: Path = places.KAFKA_JARS) -> list[Jar]:
    """As they are pinned."""
    return [Jar(**row) for row in json.loads(file.read_text(encoding="utf-8"))]


def lock(policy: Policy, file: Path = places.KAFKA_JARS) -> None:
    """Fetch them by Maven, which checks what it fetches, and pin them."""
    with tempfile.TemporaryDirectory() as folder:
        goal = ("dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-Dmdep.copyPom=true")
        subprocess.run(["mvn", "-q", "-B", "-f", str(_POM), *goal], check=True)  # noqa: S603, S607 - the PATH's Maven
        jars = [_jar(path, policy) for path in sorted(Path(folder).glob("*.jar"))]
    file.write_text(json.dumps([asdict(jar) for jar in jars], indent=1) + "\n", encoding="utf-8")


def _jar(path: Path, policy: Policy) -> Jar:
    pom = _read(path.with_suffix(".pom"))
    group, name, version = (_inherited(pom, field) for field in ("groupId", "artifactId", "version"))
    licence = expression_of(policy, name, None, " | ".join(_licences(pom)), []) or ""
    return Jar(path.name, group, name, version, hashlib.sha256(path.read_bytes()).hexdigest(), licence)


def _read(pom: Path) -> Element:
    root: Element | None = ElementTree.parse(pom).getroot()
    assert root is not None
    for node in root.iter():
        # Old poms name no namespace.
        node.tag = node.tag.rpartition("}")[2]
    return root


def _inherited(pom: Element, field: str) -> str:
    return (pom.findtext(field) or pom.findtext(f"parent/{field}") or "").strip()


def _licences(pom: Element) -> list[str]:
    """Of the nearest pom that names any; parents lie in Maven's own folder once it has resolved."""
    own = [(node.findtext("name") or "").strip() for node in pom.iter("license")]
    parent = pom.find("parent")
    if own or parent is None:
        return own
    group, name, version = (parent.findtext(field, "").strip() for field in ("groupId", "artifactId", "version"))
    file = _FETCHED / group.replace(".", "/") / name / version / f"{name}-{version}.pom"
    return _licences(_read(file)) if file.exists() else []
