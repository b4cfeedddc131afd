"""The parts of files that are derived from the manifests, each between a line `derived: NAME` and a line `end of NAME`.

What stands outside of these lines is written by hand and never touched.
"""

import re
from collections.abc import Callable
from pathlib import Path

from manifests import buckets, chart, compose, grants, packages, tables, topics
from manifests.reading import REPOSITORY, Services

_PARTS: dict[str, dict[str, Callable[[Services], str]]] = {
    "deploy/compose/compose.yaml": {"services": compose.services},
    "deploy/kafka/topics.yaml": {"topics": topics.rows},
    "helm/longitude/files/buckets.yaml": {"buckets": buckets.rows},
    "helm/longitude/files/grants.yaml": {"grants": grants.rows},
    "helm/longitude/files/topics.yaml": {"topics": topics.rows},
    "helm/longitude/values.yaml": {"services": chart.services, "models": chart.models},
    "services/README.md": {"events": tables.events, "calls": tables.calls, "owners": tables.owners},
    "pyproject.toml": {"search path": packages.search_path, "contracts": packages.contracts},
}


def derived(services: Services) -> dict[Path, str]:
    """Each file that has derived parts, as it must be."""
    return {REPOSITORY / name: _filled(REPOSITORY / name, parts, services) for name, parts in _PARTS.items()}


def _filled(path: Path, parts: dict[str, Callable[[Services], str]], services: Services) -> str:
    text = path.read_text(encoding="utf-8")
    for name, write in parts.items():
        start, end = _span(text, name, path)
        text = text[:start] + write(services) + text[end:]
    return text


def _span(text: str, name: str, path: Path) -> tuple[int, int]:
    match = re.search(rf"^.*derived: {name}\b.*\n((?s:.*?))^.*end of {name}\b", text, re.MULTILINE)
    if match is None:
        raise ValueError(f"{path} has no part `derived: {name}` that ends with `end of {name}`")
    return match.span(1)
