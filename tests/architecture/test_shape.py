"""Every service looks the same, and the rules that keep it so are held here rather than remembered."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(p.parent for p in (ROOT / "services").glob("*/pyproject.toml"))
LIBS = sorted(p.parent for p in (ROOT / "libs").glob("*/pyproject.toml"))
PACKAGES = [*SERVICES, *LIBS]
# Words that say nothing of what is handed over.
NAMELESS = {"found", "said", "held", "each", "told"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "base", "manager", "misc"}


def sources(package: Path) -> list[Path]:
    return sorted(p for p in (package / "src").rglob("*.py") if "longitude" not in p.parts[-4:])


def name_of(package: Path) -> str:
    return package.name


@pytest.mark.parametrize("service", SERVICES, ids=name_of)
def test_every_service_has_the_same_inner_shape(service: Path) -> None:
    inside = service / "src" / service.name
    for file in ("__main__.py", "settings.py", "app.py", "handlers.py"):
        assert (inside / file).is_file(), f"{service.name} lacks {file}"
    for folder in ("domain", "adapters"):
        assert list((inside / folder).glob("*.py")), f"{service.name} lacks {folder}/"
    for path in ("README.md", "pyproject.toml", "service.toml", "tests/unit", "tests/integration"):
        assert (service / path).exists(), f"{service.name} lacks {path}"


@pytest.mark.parametrize("service", SERVICES, ids=name_of)
def test_nothing_lies_unnamed_beside_the_map_of_a_service(service: Path) -> None:
    """Decisions lie in domain/, outside things in adapters/, several steps of I/O in flows/."""
    beside = {path.stem for path in (service / "src" / service.name).glob("*.py")}
    assert beside <= {"__init__", "__main__", "settings", "app", "handlers", "rpc", "views", "metrics"}


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_every_package_has_a_page_and_types(package: Path) -> None:
    assert (package / "README.md").is_file()
    assert list((package / "src").rglob("py.typed"))


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_no_module_has_a_name_that_says_nothing(package: Path) -> None:
    assert [p for p in sources(package) if p.stem in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("service", SERVICES, ids=name_of)
def test_only_settings_reads_the_environment(service: Path) -> None:
    readers = [
        p.relative_to(service).as_posix()
        for p in sources(service)
        if re.search(r"\bos\.(environ|getenv)\b", p.read_text(encoding="utf-8"))
    ]
    assert [r for r in readers if not r.endswith("/settings.py") and "/training/" not in r] == []


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_every_module_says_its_job(package: Path) -> None:
    silent = [
        p.relative_to(package).as_posix()
        for p in sources(package)
        if p.read_text(encoding="utf-8").strip() and ast.get_docstring(ast.parse(p.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def imports(file: Path) -> list[tuple[str, str]]:
    """Module and name of each `from module import name`."""
    nodes = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    return [(node.module or "", alias.name) for node in nodes for alias in node.names]


@pytest.mark.parametrize("folder", ["tests/evals", "tests/benchmarks", "tests/faults", "tests/system"])
def test_what_is_measured_is_what_is_served(folder: str) -> None:
    """No private name, and of reasoning nothing: what a consultation is made from is `consult`'s."""
    ours = {package.name for package in PACKAGES}
    found = [
        (f"{file.stem}: {module}", name) for file in (ROOT / folder).glob("*.py") for module, name in imports(file)
    ]
    private = [one for one in found if one[0].split()[1].partition(".")[0] in ours and one[1].startswith("_")]
    assert private == []
    assert [one for one in found if one[0].split()[1].startswith("reasoning.")] == []


def test_no_parameter_has_a_name_that_says_nothing() -> None:
    paths = [path for folder in ("libs", "services", "deploy", "tests") for path in (ROOT / folder).rglob("*.py")]
    nameless = [
        f"{path.relative_to(ROOT)}:{node.lineno} {argument.arg}"
        for path in paths
        if not path.stem.endswith(("_pb2", "_pb2_grpc"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if argument.arg in NAMELESS
    ]
    assert nameless == []
