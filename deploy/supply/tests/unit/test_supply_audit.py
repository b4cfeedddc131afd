"""An audit says what is known, and never takes silence for a clean answer."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from supply import audit
from supply.jars import read_jars

Record = dict[str, Any]
WANTED = {("PyPI", "some-parser"): {"2.0.1"}, ("Maven", "org.example:broker"): {"4.1.1"}}


def record(name: str = "Some_Parser", ecosystem: str = "PyPI", **affected: Any) -> Record:
    return {"id": "X-1", "affected": [{"package": {"ecosystem": ecosystem, "name": name}, **affected}]}


def ranged(*events: dict[str, str], kind: str = "ECOSYSTEM") -> list[Record]:
    return [{"type": kind, "events": list(events)}]


@pytest.mark.parametrize(
    ("events", "inside"),
    [
        (({"introduced": "0"},), True),
        (({"introduced": "0"}, {"fixed": "2.0.1"}), False),
        (({"introduced": "0"}, {"fixed": "2.0.2"}), True),
        (({"introduced": "2.0.1"}, {"last_affected": "2.0.1"}), True),
        (({"introduced": "0"}, {"last_affected": "2.0.0"}), False),
        (({"introduced": "2.1"},), False),
        (({"introduced": "0"}, {"fixed": "1.9"}, {"introduced": "2.0"}, {"fixed": "2.0.5"}), True),
        (({"introduced": "0"}, {"fixed": "1.9"}, {"introduced": "2.0.2"}, {"fixed": "2.0.5"}), False),
        (({"introduced": "2.0.10"},), False),
        (({"introduced": "not a version"},), True),
    ],
)
def test_a_version_is_compared_as_a_version(events: tuple[dict[str, str], ...], *, inside: bool) -> None:
    assert (audit.hit(record(ranges=ranged(*events)), WANTED) == {("some-parser", "2.0.1")}) is inside


def test_a_listed_version_is_hit_in_every_ecosystem() -> None:
    assert audit.hit(record("org.example:broker", "Maven", versions=["4.1.0", "4.1.1"]), WANTED)
    assert not audit.hit(record("org.example:broker", "Maven", versions=["4.1.0"]), WANTED)
    assert not audit.hit(record("org.example:broker", "PyPI", versions=["4.1.1"]), WANTED)


def test_a_withdrawn_record_and_a_range_of_commits_hit_nothing() -> None:
    assert not audit.hit(record(versions=["2.0.1"]) | {"withdrawn": "2026-01-01T00:00:00Z"}, WANTED)
    assert not audit.hit(record(ranges=ranged({"introduced": "0"}, kind="GIT")), WANTED)


@pytest.mark.parametrize("packed", [False, True])
def test_a_record_against_a_pinned_jar_is_found_offline(tmp_path: Path, *, packed: bool) -> None:
    jar = read_jars()[0]
    text = json.dumps(record(f"{jar.group}:{jar.name}", "Maven", versions=[jar.version]))
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr("X-1.json", text)
    else:
        (tmp_path / "X-1.json").write_text(text)
    report = audit.offline(tmp_path)
    assert (report.findings, report.code) == ((f"{jar.group}:{jar.name} {jar.version}: X-1",), audit.VULNERABLE)


def test_records_about_nothing_that_is_pinned_are_a_clean_answer_for_their_ecosystem_alone(tmp_path: Path) -> None:
    (tmp_path / "X-1.json").write_text(json.dumps(record("nothing-of-ours", versions=["1"])))
    report = audit.offline(tmp_path)
    assert (report.findings, report.unknown, report.code) == ((), len(read_jars()), audit.NO_DATABASE)
    (tmp_path / "X-2.json").write_text(json.dumps(record("org.example:none", "Maven", versions=["1"])))
    report = audit.offline(tmp_path)
    assert (report.findings, report.unknown, report.code) == ((), 0, audit.CLEAN)


def test_an_empty_database_is_no_clean_answer(tmp_path: Path) -> None:
    report = audit.offline(tmp_path)
    assert report.code == audit.NO_DATABASE
    assert any(line.startswith("NOT AUDITED") for line in report.lines())


def test_a_package_that_pip_audit_skipped_is_not_clean() -> None:
    known = {"name": "a", "version": "1", "vulns": []}
    weak = {"name": "b", "version": "1", "vulns": [{"id": "Y-2"}]}
    skipped = {"name": "c", "version": "1", "skip_reason": "not found"}
    assert audit.read_pip_audit([known, known]).code == audit.CLEAN
    assert audit.read_pip_audit([known, skipped]).code == audit.NO_DATABASE
    assert audit.read_pip_audit([known, weak, skipped]).code == audit.VULNERABLE
    assert audit.read_pip_audit([]).code == audit.NO_DATABASE
