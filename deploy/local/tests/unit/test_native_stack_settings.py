import importlib
import os
from pathlib import Path

import pytest
from manifests import read_services
from native_stack import catalogue, layout, ports, services
from native_stack.layout import Layout
from native_stack.part import Site

SERVICES = read_services()
PARTS = catalogue.parts(SERVICES)
NAMES = (*ports.defaults(SERVICES), *ports.INTERNAL)


def site(parts: frozenset[str], **elsewhere: str) -> Site:
    numbers = {name: 20_000 + number for number, name in enumerate(NAMES)}
    secrets = dict.fromkeys(catalogue.credentials(SERVICES), "secret")
    certificates = Path(os.environ["LONGITUDE_TLS_CERTIFICATE"]).parent
    return Site(Layout(Path("/stack")), numbers, secrets, SERVICES, (), parts, elsewhere, certificates)


@pytest.mark.parametrize("service", SERVICES)
def test_the_stack_tells_each_service_all_its_settings(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in services.settings(SERVICES[service], site(frozenset())).items():
        monkeypatch.setenv(name, value)
    settings = importlib.import_module(f"{service}.settings").Settings()
    assert settings.kafka == f"127.0.0.1:{20_000 + NAMES.index('kafka')}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_its_own_role_and_not_who_owns_its_tables(service: str) -> None:
    values = " ".join(services.settings(SERVICES[service], site(frozenset())).values())
    for other in SERVICES.values():
        assert (f"//{other.role}@" in values) == (other.name == service and other.owns.tables)
        assert f"//{other.name}:" not in values


def test_the_base_model_is_that_of_the_reasoners_first_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, file, text in (
        ("reasoner/1", "version.json", '{"weights": "qwen2"}'),
        ("qwen2", "tokenizer.json", "{}"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / file).write_text(text)
    assert layout.base_model() == "smollm2"
    monkeypatch.setattr(layout, "MODEL_REPOSITORY", tmp_path)
    monkeypatch.setattr(services, "MODELS", tmp_path)
    lines = services.settings(SERVICES["reasoning"], site(frozenset()))
    assert (lines["LONGITUDE_BASE_MODEL"], lines["LONGITUDE_TOKENIZER"]) == (
        "qwen2",
        f"{tmp_path}/qwen2/tokenizer.json",
    )


def test_endpoints_name_what_the_stack_runs_and_nothing_else() -> None:
    shown = {f"LONGITUDE_TLS_{which}" for which in ("CERTIFICATE", "KEY", "AUTHORITY")}
    shown |= {f"LONGITUDE_{what}" for what in ("KAFKA_USER", "KAFKA_PASSWORD", "TRITON_CONTROL_FILE")}
    assert set(catalogue.endpoints(site(frozenset({"kafka"})))) == {"LONGITUDE_KAFKA"} | shown
    promised = {"MLLP", "DICOM", "KAFKA", "INGESTION", "MEMORY", "REASONING", "IMAGING", "AUDITING", "TRITON"}
    lines = catalogue.endpoints(site(frozenset(PARTS)))
    assert {f"LONGITUDE_{name}" for name in promised} <= set(lines)
    for name in promised:
        host, _, port = lines[f"LONGITUDE_{name}"].partition(":")
        assert host == "127.0.0.1"
        assert port.isdecimal()


def test_a_server_that_another_stack_runs_is_named_and_used_where_it_is() -> None:
    shared = site(frozenset({"kafka", "memory"}), triton="127.0.0.1:1234")
    lines = catalogue.endpoints(shared)
    assert lines["LONGITUDE_TRITON"] == "127.0.0.1:1234"
    assert "LONGITUDE_TRITON_HTTP" not in lines
    assert services.settings(SERVICES["memory"], shared)["LONGITUDE_TRITON"] == "127.0.0.1:1234"


def test_a_part_needs_only_parts_that_exist_and_stop_after_it() -> None:
    for name in PARTS:
        part = catalogue.build(name, site(frozenset(PARTS)))
        assert set(part.needs) <= set(PARTS)
        for need in part.needs:
            assert name not in catalogue.build(need, site(frozenset(PARTS))).needs
