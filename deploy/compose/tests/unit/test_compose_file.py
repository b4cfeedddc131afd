"""compose.yaml refers to nothing that is not there, and tells each service what it must know and nothing else."""

import importlib
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from manifests import read_services

COMPOSE = Path(__file__).parents[2]
ROOT = COMPOSE.parents[1]
TEXT = (COMPOSE / "compose.yaml").read_text()
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
PARTS: dict[str, Any] = DOCUMENT["services"]
SERVICES = read_services()
DATABASE = "postgresql://{}@postgres:5432/longitude"
OWNERS = [name for name, service in SERVICES.items() if service.owns.tables]


def test_every_service_of_the_repository_is_composed() -> None:
    built = {name: part["build"].get("args", {}).get("SERVICE") for name, part in PARTS.items() if "build" in part}
    migrations = {f"{name}-migrate": name for name in OWNERS}
    assert built == {name: name for name in SERVICES} | migrations | {"triton": None}


def test_what_a_part_waits_for_exists() -> None:
    for name, part in PARTS.items():
        for needed, how in part.get("depends_on", {}).items():
            assert needed in PARTS, (name, needed)
            if how["condition"] == "service_healthy":
                assert "healthcheck" in PARTS[needed], f"{name} waits for the health of {needed}, which has no check"


def test_volumes_configs_and_files_exist() -> None:
    for name, part in PARTS.items():
        for mount in part.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("${CERTIFICATES}/"):
                holder = name.removesuffix("-migrate")
                assert source.rpartition("/")[2] in {f"{holder}.pem", f"{holder}.key", "authority.pem"}
                continue
            assert (COMPOSE / source).is_file() if source.startswith(".") else source in DOCUMENT["volumes"], (
                name,
                source,
            )
        for config in part.get("configs", []):
            assert config["source"] in DOCUMENT["configs"]
        if "build" in part:
            context = (COMPOSE / part["build"]["context"]).resolve()
            assert context == ROOT
            assert (context / part["build"]["dockerfile"]).is_file()


def test_every_volume_is_used() -> None:
    used = {mount.split(":")[0] for part in PARTS.values() for mount in part.get("volumes", [])}
    assert set(DOCUMENT["volumes"]) <= used


def test_every_variable_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    example = (COMPOSE / "env.example").read_text()
    assert asked == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_nothing_listens_beyond_loopback() -> None:
    ports = [port for part in PARTS.values() for port in part.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    outside = [port.rsplit(":", 1)[0] for port in ports]
    assert len(set(outside)) == len(outside)


def test_images_are_named_with_a_version() -> None:
    for part in PARTS.values():
        assert re.search(r":[^:/@]*\d[^:/@]*(@sha256:[0-9a-f]{64})?$", part["image"]), part["image"]
        assert not part["image"].endswith(":latest")


def test_no_container_gains_privileges_and_what_is_built_here_writes_nothing_but_its_volumes() -> None:
    for name, part in PARTS.items():
        assert part["security_opt"] == ["no-new-privileges:true"], name
        if "build" in part:
            assert (part["read_only"], part["cap_drop"], part["tmpfs"]) == (True, ["ALL"], ["/tmp"]), name


def test_the_same_kafka_tool_makes_topics_on_a_cluster_and_here() -> None:
    chart = yaml.safe_load((ROOT / "helm/longitude/values.yaml").read_text())
    assert PARTS["topics"]["image"] == PARTS["kafka"]["image"] == chart["topics"]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_told_what_it_must_know_and_nothing_else(name: str) -> None:
    fields = importlib.import_module(f"{name}.settings").Settings.model_fields
    told = {key.removeprefix("LONGITUDE_").lower() for key in PARTS[name]["environment"]}
    assert told <= set(fields)
    assert {field for field, about in fields.items() if about.is_required()} <= told


def test_owners_of_tables_get_two_roles_each() -> None:
    assert PARTS["postgres"]["environment"]["OWNERS"].split() == OWNERS
    script = (COMPOSE / "owners.sh").read_text()
    assert "for owner in $OWNERS; do" in script
    assert {SERVICES[name].role for name in OWNERS} == {f"{name}_service" for name in OWNERS}
    assert '--set service="${owner}_service"' in script


@pytest.mark.parametrize("name", OWNERS)
def test_who_owns_the_tables_migrates_them_before_the_service_starts_and_is_unknown_to_it(name: str) -> None:
    migration, serving = PARTS[f"{name}-migrate"], PARTS[name]
    assert migration["entrypoint"][1:] == ["-m", "servicekit", "migrate", name, f"{name}_service"]
    assert migration["environment"]["LONGITUDE_POSTGRES_OWNER"] == DATABASE.format(f"{name}:${{OWNERS_PASSWORD}}")
    assert {mount.rpartition(":")[0].partition(":")[2] for mount in migration["volumes"]} == {
        told for key, told in migration["environment"].items() if key.startswith("LONGITUDE_TLS_")
    }
    assert (migration["image"], migration["restart"]) == (serving["image"], "no")
    assert serving["depends_on"][f"{name}-migrate"] == {"condition": "service_completed_successfully"}
    assert serving["environment"]["LONGITUDE_POSTGRES"] == DATABASE.format(f"{name}_service")
    assert "OWNERS_PASSWORD" not in str(serving)


def test_the_script_makes_every_topic_and_dead_letter_topic(tmp_path: Path) -> None:
    recorder = tmp_path / "kafka-topics"
    recorder.write_text(f'#!/bin/bash\ncat >/dev/null\necho "$@" >>{tmp_path}/calls\n')
    recorder.chmod(0o755)
    topics = ROOT / "deploy/kafka/topics.yaml"
    environment = {**os.environ, "BOOTSTRAP": "kafka:9092", "KAFKA_TOPICS": str(recorder)}
    subprocess.run(["bash", COMPOSE / "topics.sh", topics], env=environment, check=True, timeout=60)
    document = yaml.safe_load(topics.read_text())
    dead = document["dead_letters"]
    wanted = {(t["name"], str(t["partitions"]), str(t["retention_ms"])) for t in document["topics"]}
    wanted |= {
        (f"dlq.{consumer}.{t['name']}", str(dead["partitions"]), str(dead["retention_ms"]))
        for t in document["topics"]
        for consumer in t["consumers"]
    }
    calls = (tmp_path / "calls").read_text()
    made = re.findall(r"--topic (\S+) --partitions (\S+) .*--config retention.ms=(\S+)", calls)
    assert set(made) == wanted
    assert len(made) == len(wanted)
