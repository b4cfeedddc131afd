"""What pyproject.toml must know of each package: where it lies, and which contracts of imports bind it."""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from manifests.reading import REPOSITORY, Services

# The library of tests.
_TESTKIT = "testkit"
_TESTS = (_TESTKIT, "tests")
# Tests that measure: they reach what decides, and nothing of a service that talks to the outside.
_MEASURING = ("tests.evals", "tests.benchmarks")
_EDGES = ("adapters", "app", "handlers", "rpc")
# Folders of a service that decide on values.
_DECIDING = ("domain", "modalities")
_OUTSIDE = ("servicekit", "eventbus", "grpc", "psycopg", "tritonclient", "aiokafka", "socket", "asyncio", "minio")


def search_path(services: Services) -> str:
    """The entries of mypy_path."""
    deployed = [folder for folder in _packages("deploy") if (folder / "src").is_dir()]
    folders = [*(f"libs/{folder.name}" for folder in _packages("libs")), *(f"services/{name}" for name in services)]
    folders += [f"deploy/{folder.name}" for folder in deployed]
    return "".join(f'    "{folder}/src",\n' for folder in folders)


def contracts(services: Services) -> str:
    """The packages that import-linter reads, and the contracts that bind every service or every package."""
    libraries = [folder.name for folder in _packages("libs") if folder.name != _TESTKIT]
    deployed = [source.name for folder in _packages("deploy") for source in _sources(folder)]
    everything = [*libraries, *services]
    edges = [f"{name}.{edge}" for name in services for edge in _EDGES if _has(name, edge)]
    heavy = {folder.name for folder in (*_packages("libs"), *_packages("services")) if "torch" in _declared(folder)}
    light = [name for name in everything if name not in heavy]
    domains = [f"{name}.{folder}" for name in services for folder in _deciding(name)]
    roots = json.dumps([*everything, *deployed, *_TESTS])
    head = f"[tool.importlinter]\nroot_packages = {roots}\ninclude_external_packages = true\n"
    return head + "".join(
        (
            _contract("Services never import each other", "independence", {"modules": services}),
            _forbidden("Libraries never import services", [*libraries, _TESTKIT], services),
            _forbidden("What deploys services never imports one", deployed, services),
            _forbidden("What runs never imports tests", [*everything, *deployed], _TESTS),
            _forbidden("Measurements import no edge of a service", _MEASURING, edges, indirect=True),
            _forbidden("Only packages that declare torch import it", light, ["torch"], indirect=True),
            _forbidden("Domains do no I/O", domains, _OUTSIDE, indirect=True),
        )
    )


def _deciding(service: str) -> list[str]:
    return [folder for folder in _DECIDING if _has(service, folder)]


def _has(service: str, module: str) -> bool:
    source = REPOSITORY / "services" / service / "src" / service
    return (source / module).is_dir() or (source / f"{module}.py").is_file()


def _sources(package: Path) -> list[Path]:
    """The import packages of a folder."""
    return sorted(path.parent for path in package.glob("src/*/__init__.py"))


def _forbidden(name: str, sources: Iterable[str], forbidden: Iterable[str], *, indirect: bool = False) -> str:
    text = _contract(name, "forbidden", {"source_modules": sources, "forbidden_modules": forbidden})
    return text + ("allow_indirect_imports = true\n" if indirect else "")


def _contract(name: str, kind: str, modules: dict[str, Iterable[str]]) -> str:
    lists = "".join(f"{key} = {json.dumps(list(value))}\n" for key, value in modules.items())
    return f'\n[[tool.importlinter.contracts]]\nname = "{name}"\ntype = "{kind}"\n{lists}'


def _packages(folder: str) -> list[Path]:
    return sorted(path.parent for path in (REPOSITORY / folder).glob("*/pyproject.toml"))


def _declared(package: Path) -> set[str]:
    needs = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return {Requirement(need).name for need in needs}
