"""A new service needs its own folder and no other: it is put into a copy of the repository, and everything includes it.

The copy is derived anew (`make manifests`) and goes through the checks that look at every service.
"""

from pathlib import Path

import pytest

from tests.new_service import INSIDE, NAME, copy_with_it, run

# What reads the manifests, as a shell prints it, and the words of it that tell of the new service.
SHOWN = """
from manifests import read_services
from native_stack import catalogue, ports, postgres
from native_stack.topics import topics_of
from tests.observe import READS
from tests.system.test_edges import listed_calls, listed_events
known = read_services()
print(catalogue.parts(known), ports.defaults(known), postgres.roles(known), [topic.name for topic in topics_of(known)])
print(listed_calls(), listed_events(), READS)
"""
EXPECTED = (
    "'bookings': 2600",
    "'scheduling': 50060",
    "'scheduling_http': 8090",
    "'dlq.scheduling.memory.record-updated.v1'",
    "('scheduling', 'memory', 'GetTimeline')",
    "('memory.record-updated.v1', 'scheduling')",
    "'scheduling': ('memory.record-updated.v1',)",
)
CHECKS = (
    "tests/architecture/test_shape.py",
    "tests/architecture/test_manifests.py",
    "deploy/local/tests/unit/test_native_stack_settings.py",
    "deploy/local/tests/unit/test_native_stack_topics.py",
    "deploy/compose/tests/unit",
    "deploy/docker/tests/unit/test_docker_files.py::test_an_image_has_what_its_code_imports",
    "tests/helm/test_helm_chart.py::test_every_service_of_the_repository_is_in_the_chart",
    "tests/helm/test_helm_chart.py::test_every_setting_in_the_chart_is_one_that_the_service_knows",
    "tests/helm/test_helm_chart.py::test_owners_of_tables_are_migrated_before_anything_else",
    "tests/helm/test_helm_chart.py::test_topics_are_made_by_a_job_or_by_strimzi",
    "tests/helm/test_helm_chart.py::test_only_callers_reach_a_service",
    "tests/helm/test_helm_chart.py::test_feeds_alone_are_open_to_the_outside",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_with_it(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def written(copy: Path) -> str:
    """The names of the files that `make manifests` changed."""
    before = run(copy, "-m", "pytest", "-q", "tests/architecture/test_manifests.py", "-k", "up_to_date")
    assert before.returncode == 1
    assert "run `make manifests`" in before.stdout
    done = run(copy, "-m", "manifests")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_derived_includes_it(copy: Path, written: str) -> None:
    for name in written.splitlines():
        assert NAME in (copy / name).read_text(encoding="utf-8"), name
    assert {"deploy/compose/compose.yaml", "helm/longitude/values.yaml", "services/README.md"} <= set(
        written.splitlines()
    )


def test_what_reads_the_manifests_includes_it(copy: Path, written: str) -> None:
    done = run(copy, "-c", SHOWN)
    assert [words for words in EXPECTED if words not in done.stdout] == [], done.stdout + done.stderr


def test_the_tests_of_every_service_run_for_it(copy: Path, written: str) -> None:
    listed = run(
        copy, "-m", "pytest", "--collect-only", "-q", "tests/system/test_privacy.py", "tests/faults/test_kill.py"
    )
    for guarantee in ("no_trace_and_no_metric_carries_patient_data", "a_service_killed_in_the_middle"):
        assert [line for line in listed.stdout.splitlines() if guarantee in line and f"[{NAME}" in line], listed.stdout


def test_every_check_of_services_holds_for_it(copy: Path, written: str) -> None:
    done = run(copy, "-m", "pytest", "-q", *CHECKS)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_contracts_of_imports_bind_it(copy: Path, written: str) -> None:
    (copy / "services" / NAME / INSIDE / "domain" / "slots.py").write_text(
        '"""Which hours are free."""\nimport memory.settings\n'
    )
    done = run(copy, "-c", "from importlinter.cli import lint_imports_command as lint; lint()")
    assert done.returncode == 1
    assert "scheduling.domain.slots -> memory.settings" in done.stdout
