"""Images hold what a service needs and nothing else; the Dockerfiles refer to nothing that is not there."""

import ast
import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from manifests import read_services

DOCKER = Path(__file__).parents[2]
ROOT = DOCKER.parents[1]
SERVICES = sorted(read_services())
FILES = sorted(DOCKER.glob("Dockerfile*"))
# What an extra of the client's command needs, and no witness imports.
EXTRAS = {"witness": {"mcp"}}
# Heavy packages and who may carry them (DESIGN: networks live in Triton, imaging does the pipelines around them).
HEAVY = {"torch": {"imaging"}, "monai": {"imaging"}, "transformers": set[str](), "pynetdicom": {"ingestion"}}


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docker_needs", DOCKER / "needs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


NEEDS = _load()


@pytest.mark.parametrize("service", [*SERVICES, "witness"])
def test_every_package_of_an_image_is_pinned_with_hashes(service: str) -> None:
    packages = NEEDS.requirements(service)
    assert len(packages) > 10
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", package.lines[0]), package.name
        assert any("--hash=sha256:" in line for line in package.lines), package.name


@pytest.mark.parametrize("service", [*SERVICES, "witness"])
def test_an_image_has_what_its_code_imports(service: str) -> None:
    carried = {package.name for package in NEEDS.requirements(service)}
    folders = [ROOT / folder for folder in NEEDS.sources(service)]
    own = {path.name for folder in folders for path in folder.iterdir()}
    providers = importlib.metadata.packages_distributions()
    absent = {
        name
        for name in _imported(folders) - own - sys.stdlib_module_names
        if not {NEEDS.normal(provider) for provider in providers.get(name, [])} & carried
    }
    assert absent == EXTRAS.get(service, set())


def _imported(folders: list[Path]) -> set[str]:
    """First parts of the absolute imports at module level."""
    found = set[str]()
    for file in (file for folder in folders for file in folder.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize(("package", "services"), HEAVY.items())
def test_heavy_packages_are_only_where_they_belong(package: str, services: set[str]) -> None:
    carrying = {name for name in SERVICES if package in {p.name for p in NEEDS.requirements(name)}}
    assert carrying <= services


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_has_no_other_service(service: str) -> None:
    assert [folder for folder in NEEDS.sources(service) if folder.parts[0] == "services"] == [
        Path("services", service, "src")
    ]


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(KeyError, match="billing"):
        NEEDS.requirements("billing")


def test_the_models_of_triton_find_what_they_import() -> None:
    carried = {package.name for package in NEEDS.requirements("triton")}
    providers = importlib.metadata.packages_distributions()
    models = [path for path in (ROOT / "deploy/triton/models").iterdir() if path.is_dir()]
    given = {"engine", "imaging", "triton_python_backend_utils"}
    for name in _imported(models) - given - sys.stdlib_module_names:
        assert {NEEDS.normal(provider) for provider in providers.get(name, [])} & carried, name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_is_copied_exists(file: Path) -> None:
    for line in file.read_text().splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            *copied, _ = line.split()[1:]
            for path in copied:
                assert (ROOT / path).exists(), path


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_stages_and_users_are_as_they_should_be(file: Path) -> None:
    text = file.read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    assert set(re.findall(r"--from=(\S+)", text)) <= stages
    assert "USER 10001:10001" in text
    assert not re.search(r"^FROM \S+:latest", text, re.MULTILINE)


def _last_stages() -> list[str]:
    """Instructions of the stages that services run in: everything that stands on the image without a shell."""
    _, _, after = (DOCKER / "Dockerfile").read_text().partition("FROM gcr.io/distroless/python3-debian12:nonroot")
    return [line for line in after.splitlines() if not line.startswith("#")]


def test_what_a_service_runs_in_has_no_shell_and_calls_for_none() -> None:
    lines = _last_stages()
    assert lines, "the stage is gone, or stands on another image"
    assert not [line for line in lines if line.startswith(("RUN", "SHELL"))]
    commands = [line.split(maxsplit=1)[1] for line in lines if line.lstrip().startswith(("CMD ", "ENTRYPOINT "))]
    assert [json.loads(command)[0] for command in commands] == ["/usr/bin/python3.11"] * 2


def test_no_wheel_is_built_while_an_image_is_and_none_comes_without_its_hash() -> None:
    for file in FILES:
        installs = re.findall(r"pip install ((?:.*\\\n)*.*)", file.read_text())
        assert installs, file.name
        for arguments in installs:
            assert {"--require-hashes", "--no-deps", "--only-binary", "-r"} <= set(arguments.split()), file.name


def test_the_dockerfile_takes_the_service_as_an_argument_and_names_none() -> None:
    code = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    assert not [name for name in SERVICES if any(name in line for line in code)]
    assert "ARG SERVICE" in code


def test_hadolint_has_nothing_to_say() -> None:
    command = [
        str(Path(sys.executable).parent / "hadolint"),
        "--config",
        str(DOCKER / "hadolint.yaml"),
        *map(str, FILES),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
