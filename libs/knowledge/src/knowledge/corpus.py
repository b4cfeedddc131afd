"""The drugs and problems of FHIR R4 files: resources one a line (ndjson), a resource, or a Bundle in a file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import CodedConcept

# Resource -> what it is, and where its concept stands.
_READ = {
    "Condition": (pb.FACT_KIND_PROBLEM, "code"),
    "MedicationRequest": (pb.FACT_KIND_MEDICATION, "medicationCodeableConcept"),
    "MedicationStatement": (pb.FACT_KIND_MEDICATION, "medicationCodeableConcept"),
}
_SUFFIXES = (".json", ".ndjson")
_MOST_BYTES = 2**30


class CorpusError(ValueError):
    """A file is no FHIR JSON. The text names it and the line."""


Concept = tuple["pb.FactKind.ValueType", CodedConcept]


def concepts(path: Path) -> Iterator[Concept]:
    """Of a file, or of every `.json` and `.ndjson` file of a folder, each concept once; CorpusError, OSError."""
    files = sorted(each for each in path.rglob("*") if each.suffix in _SUFFIXES) if path.is_dir() else [path]
    known: dict[tuple[int, bytes], Concept] = {}
    for file in files:
        for kind, concept in _of_file(file):
            known.setdefault((kind, concept.SerializeToString(deterministic=True)), (kind, concept))
    return iter(known.values())


def _of_file(file: Path) -> Iterator[Concept]:
    if file.stat().st_size > _MOST_BYTES:
        raise CorpusError(f"{file}: longer than {_MOST_BYTES} bytes")
    if file.suffix == ".json":
        yield from _of_resource(_parsed(file, 1, file.read_text(encoding="utf-8")))
        return
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield from _of_resource(_parsed(file, number, line))


def _parsed(file: Path, line: int, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CorpusError(f"{file}:{line}: no JSON: {error}") from None


def _of_resource(resource: Any) -> Iterator[Concept]:
    if not isinstance(resource, dict):
        return
    for entry in _listed(resource.get("entry")):
        yield from _of_resource(entry.get("resource"))
    kind, key = _READ.get(str(resource.get("resourceType")), (None, ""))
    stated = resource.get(key)
    if kind is None or not isinstance(stated, dict):
        return
    text = str(stated.get("text", ""))
    codings = _listed(stated.get("coding")) or [{"display": text}]
    first = codings[0]
    system, code = str(first.get("system", "")), str(first.get("code", ""))
    yield kind, CodedConcept(system=system, code=code, display=str(first.get("display") or text))


def _listed(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
