"""The page reader on rendered laboratory reports that nobody here drew (LONGITUDE_CORPUS: the corpora's folder)."""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from imaging.adapters.triton import Networks
from imaging.domain.page_fields import Field, read_fields
from imaging.domain.scan import read_scan
from terminology.results import by_name

CORPUS = os.environ.get("LONGITUDE_CORPUS", "")
FOLDER = Path(CORPUS or ".") / "documents" / "rendered"

pytestmark = pytest.mark.skipif(
    not CORPUS, reason="LONGITUDE_CORPUS is not set: the page reader is NOT measured on the rendered laboratory reports"
)


def reports() -> Iterator[tuple[Path, Path]]:
    for truth in sorted(FOLDER.glob("lab_report_*.json")):
        yield truth, next(p for p in (truth.with_suffix(".png"), truth.with_suffix(".jpg")) if p.exists())


def right(field: Field, result: dict[str, str]) -> bool:
    same = bool(field.value) and Decimal(field.value) == Decimal(str(result["value"]))
    return same and field.unit == result["unit"]


async def test_known_analytes_are_read_with_their_value_and_unit(networks: Networks) -> None:
    printed = read = correct = 0
    for truth, image in reports():
        (scan,) = read_scan(image.read_bytes())
        page, _ = await networks.read_page(scan)
        fields = [(field, by_name(field.name)) for field in read_fields(page) if field.unit]
        for result in json.loads(truth.read_text(encoding="utf-8"))["results"]:
            if analyte := by_name(result["test"]):
                printed += 1
                same = [field for field, of in fields if of == analyte]
                read += bool(same)
                correct += any(right(field, result) for field in same)
    print(f"known analytes: {printed} printed, {read} read, {correct} right in value and unit")
    assert printed > 100
    # A value that is read wrong is worse than one that is missed.
    assert correct >= 0.99 * read
    assert read >= 0.95 * printed
