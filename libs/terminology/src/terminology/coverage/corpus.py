"""Files of a corpus, and the occurrences in them: FHIR and HL7 v2, plain, compressed (xz) or in archives (tar)."""

import json
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path

from terminology.coverage import fhir, hl7
from terminology.coverage.occurrences import Occurrence

_FHIR = frozenset({".json", ".ndjson", ".fhir"})
_HL7 = frozenset({".hl7"})


def occurrences(folder: Path) -> Iterator[tuple[str, Occurrence]]:
    """Every coded occurrence of a folder, with the name of the file that it stands in."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for name, content in _contents(path):
            for occurrence in _read(name, content):
                yield str(path.relative_to(folder)), occurrence


def _contents(path: Path) -> Iterator[tuple[str, str]]:
    """The texts of a file: one, or those of an archive."""
    if ".tar" in path.suffixes:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                if stream is not None:
                    yield member.name, stream.read().decode(errors="replace")
    elif path.suffix == ".xz":
        yield path.stem, lzma.decompress(path.read_bytes()).decode(errors="replace")
    elif path.suffix in _FHIR | _HL7:
        yield path.name, path.read_text(encoding="utf-8", errors="replace")


def _read(name: str, text: str) -> Iterator[Occurrence]:
    suffix = Path(name).suffix
    if suffix in _HL7:
        yield from hl7.occurrences(text)
    elif suffix == ".ndjson":
        for line in text.splitlines():
            yield from fhir.occurrences(json.loads(line))
    elif suffix in _FHIR and (resource := _json(text)):
        yield from fhir.occurrences(resource)


def _json(text: str) -> dict[str, object] | None:
    """A resource; None for a file that holds none (an empty or broken example)."""
    try:
        resource = json.loads(text)
    except ValueError:
        return None
    return resource if isinstance(resource, dict) else None
