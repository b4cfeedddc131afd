"""The chart, rendered by Helm's own code and read back as documents."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import Chart

ROOT = Path(__file__).parents[2]
Document = dict[str, Any]
Render = Callable[..., list[Document]]


@pytest.fixture(scope="session")
def chart_folder() -> Path:
    return ROOT / "helm" / "longitude"


@pytest.fixture(scope="session")
def chart(chart_folder: Path) -> Iterator[Chart]:
    with Chart.load(chart_folder) as loaded:
        yield loaded


@pytest.fixture(scope="session")
def render(chart: Chart) -> Render:
    def documents(values: Document | None = None) -> list[Document]:
        rendered = chart.render(values or {}, name="demo", namespace="care")
        texts = [text for name, text in sorted(rendered.items()) if name.endswith(".yaml")]
        return [document for text in texts for document in yaml.safe_load_all(text) if document]

    return documents


@pytest.fixture(scope="session")
def manifests(render: Render) -> list[Document]:
    """As installed without any value of one's own."""
    return render()
