"""What is known against the pinned packages: of pip-audit where it reaches PyPI, or of OSV records in a folder.

Nothing is ever passed in silence: a package that nobody could look up is counted, and makes the answer `not known`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from supply import places
from supply.jars import read_jars
from supply.pins import normal, read_pins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CLEAN, VULNERABLE = 0, 1
# EX_UNAVAILABLE of sysexits.h: there was no database to ask.
NO_DATABASE = 69
_LOCKS = ("runtime.txt", "no-deps.txt", "vllm.txt", "dev.txt")

# Ecosystem of OSV, name, version.
Package = tuple[str, str, str]
# Versions by ecosystem and name.
Versions = Mapping[tuple[str, str], Collection[str]]


@dataclass(frozen=True)
class Report:
    """How many packages were looked up, which advisories they have, and how many nobody could look up."""

    source: str
    looked_up: int
    findings: tuple[str, ...]
    unknown: int

    @property
    def code(self) -> int:
        """Exit code: 0 nothing is known against anything, 1 something is, 69 not all could be looked up."""
        if self.findings:
            return VULNERABLE
        return NO_DATABASE if self.unknown or not self.looked_up else CLEAN

    def lines(self) -> list[str]:
        """For a person."""
        told = [f"{self.looked_up} packages looked up in {self.source}, {len(self.findings)} advisories"]
        if self.unknown or not self.looked_up:
            told.append(f"NOT AUDITED: {self.unknown} packages, because {self.source} does not answer for them here")
            told.append("without network: make audit ADVISORIES=folder with the OSV records of PyPI and Maven")
        return [*self.findings, *told]


def packages() -> set[Package]:
    """Everything that is pinned."""
    pins = {pin for name in _LOCKS for pin in read_pins(places.REQUIREMENTS / name)}
    python = {("PyPI", pin.name, pin.version) for pin in pins}
    return python | {("Maven", f"{jar.group}:{jar.name}", jar.version) for jar in read_jars()}


def online() -> Report:
    """pip-audit's own answer. It passes a package that its service does not know without a failure; this does not."""
    rows = [row for name in _LOCKS for row in _asked(places.REQUIREMENTS / name)]
    told = read_pip_audit(rows)
    # Nobody online is asked about jars; and a lock file that could not be read is no package that was looked up.
    unknown = len(packages()) - told.looked_up
    return Report(told.source, told.looked_up, told.findings, unknown)


def _asked(requirements: Path) -> list[dict[str, Any]]:
    """Rows of pip-audit's JSON, none where it ended without an answer; one call a lock, for two may differ in a pin."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    command += ["--disable-pip", "--require-hashes", "-r", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip-audit
    return json.loads(done.stdout)["dependencies"] if done.stdout else []


def read_pip_audit(dependencies: list[dict[str, Any]]) -> Report:
    """The report within pip-audit's rows; a row that it skipped is a package that it does not know."""
    rows = {(normal(row["name"]), row.get("version", "")): row for row in dependencies}.values()
    looked_up = [row for row in rows if "skip_reason" not in row]
    findings = {f"{row['name']} {row['version']}: {found['id']}" for row in looked_up for found in row["vulns"]}
    return Report("PyPI's advisories", len(looked_up), tuple(sorted(findings)), len(rows) - len(looked_up))


def offline(advisories: Path) -> Report:
    """The same from OSV records, one JSON file each, in a folder or in zip files there (as osv.dev offers them).

    An ecosystem of which there is no record was not looked up.
    """
    wanted = packages()
    versions, findings, answered = _by_name(wanted), set[str](), set[str]()
    for record in read_records(advisories):
        answered |= {each["package"]["ecosystem"] for each in record.get("affected", []) if "package" in each}
        findings |= {f"{name} {version}: {record['id']}" for name, version in hit(record, versions)}
    looked_up = sum(ecosystem in answered for ecosystem, _, _ in wanted)
    return Report(f"the records of {advisories}", looked_up, tuple(sorted(findings)), len(wanted) - looked_up)


def _by_name(wanted: Iterable[Package]) -> Versions:
    versions: dict[tuple[str, str], set[str]] = {}
    for ecosystem, name, version in wanted:
        versions.setdefault((ecosystem, name), set()).add(version)
    return versions


def read_records(place: Path) -> Iterator[dict[str, Any]]:
    """Every OSV record of a folder, its zip files, or one zip file."""
    for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if file.suffix == ".json":
            yield json.loads(file.read_text(encoding="utf-8"))
        elif file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                yield from (json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json"))


def hit(record: dict[str, Any], versions: Versions) -> set[tuple[str, str]]:
    """Names and versions that a record is about. A withdrawn record is about none."""
    if record.get("withdrawn"):
        return set()
    affected = [(_name(each["package"]), each) for each in record.get("affected", []) if "package" in each]
    return {(key[1], version) for key, each in affected for version in versions.get(key, ()) if _affects(each, version)}


def _name(package: dict[str, str]) -> tuple[str, str]:
    ecosystem, name = package["ecosystem"], package["name"]
    return ecosystem, normal(name) if ecosystem == "PyPI" else name


def _affects(affected: dict[str, Any], version: str) -> bool:
    """By the list of versions, and for Python's also by the ranges of them."""
    if version in affected.get("versions", []):
        return True
    ranges = [each for each in affected.get("ranges", []) if each["type"] == "ECOSYSTEM"]
    return affected["package"]["ecosystem"] == "PyPI" and any(_within(each["events"], version) for each in ranges)


def _within(events: list[dict[str, str]], version: str) -> bool:
    """Whether the last event at or before the version begins a range, or still has it in one (OSV schema, `events`)."""
    inside = False
    try:
        for event in events:
            begins, ends, last = event.get("introduced"), event.get("fixed"), event.get("last_affected")
            if begins is not None and (begins == "0" or Version(version) >= Version(begins)):
                inside = True
            if (ends and Version(version) >= Version(ends)) or (last and Version(version) > Version(last)):
                inside = False
    except InvalidVersion:
        return True  # who cannot compare, asks a person
    return inside
