"""What pyproject.toml must know of each package: where it lies, and which contracts of imports bind it."""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from manifests.reading import REPOSITORY, Services

# Test code: no contract binds it.
_FREE = {"testkit"}
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
    libraries = [folder.name for folder in _packages("libs") if folder.name not in _FREE]
    everything = [*libraries, *services]
    heavy = {folder.name for folder in (*_packages("libs"), *_packages("services")) if "torch" in _declared(folder)}
    light = [name for name in everything if name not in heavy]
    domains = [f"{name}.{folder}" for name in services for folder in _deciding(name)]
    head = f"[tool.importlinter]\nroot_packages = {json.dumps(everything)}\ninclude_external_packages = true\n"
    return head + "".join(
        (
            _contract("Services never import each other", "independence", {"modules": services}),
            _forbidden("Libraries never import services", libraries, services),
            _forbidden("Only packages that declare torch import it", light, ["torch"], indirect=True),
            _forbidden("Domains do no I/O", domains, _OUTSIDE, indirect=True),
        )
    )


def _deciding(service: str) -> list[str]:
    source = REPOSITORY / "services" / service / "src" / service
    return [folder for folder in _DECIDING if (source / folder).is_dir()]


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
