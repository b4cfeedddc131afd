"""A package of evidence passages: one form of file, and the bytes that its publisher signs.

A file has a JSON object a line (UTF-8): first the manifest, `{"manifest": {"publisher", "edition", "date",
"signature"}}`, then the passages in the protobuf JSON form of `longitude.record.v1.Passage`. Without a manifest nobody
signed it. What is signed is the meaning and not the layout of the file: a title line, the manifest without its
signature and the passages in order, each as canonical JSON (RFC 8785) of the protobuf JSON form, and a line end.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from longitude.memory.v1.memory_service_pb2 import EvidenceManifest
from longitude.record.v1.context_pb2 import Passage

_TITLE = b"longitude evidence package v1\n"
_MANIFEST = "manifest"
_EDITION = re.compile(r"\S.{0,99}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

M = TypeVar("M", bound=Message)


class PackageError(ValueError):
    """A package cannot be read, or is not what its publisher signed; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Package:
    """Passages and who answers for them; without a manifest, nobody."""

    passages: tuple[Passage, ...]
    manifest: EvidenceManifest | None = None


def read(text: str) -> Package:
    """The package of a file; PackageError names the line."""
    manifest, passages = None, []
    for place, (number, line) in enumerate(_lines(text)):
        form = _object(number, line)
        if place == 0 and form.keys() == {_MANIFEST}:
            manifest = _parse(number, form[_MANIFEST], EvidenceManifest(), "a manifest")
        else:
            passages.append(_parse(number, form, Passage(), "a passage"))
    return Package(tuple(passages), manifest)


def under(manifest: EvidenceManifest, text: str) -> str:
    """The file with this manifest in the place of its own; the lines of its passages stay as they are written."""
    lines = _lines(text)
    passages = lines[1:] if lines and _object(*lines[0]).keys() == {_MANIFEST} else lines
    first = json.dumps({_MANIFEST: json_format.MessageToDict(manifest)}, ensure_ascii=False)
    return "".join(f"{line}\n" for line in (first, *(line for _, line in passages)))


def canonical(message: Message) -> bytes:
    """RFC 8785 of the JSON form. The messages of a package have texts and lists alone, so that sorting is all of it."""
    form = json_format.MessageToDict(message)
    return json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signed_bytes(manifest: EvidenceManifest, passages: Sequence[Passage]) -> bytes:
    """What a publisher signs; PackageError where edition or date are none."""
    if not _EDITION.fullmatch(manifest.edition):
        raise PackageError("the edition of a package is 1 to 100 characters")
    if not _DATE.fullmatch(manifest.date):
        raise PackageError("the date of a package is written YYYY-MM-DD")
    claim = EvidenceManifest(publisher=manifest.publisher, edition=manifest.edition, date=manifest.date)
    return _TITLE + b"".join(canonical(each) + b"\n" for each in (claim, *passages))


def _lines(text: str) -> list[tuple[int, str]]:
    """Each line that is not blank, with its number. Only a line feed ends one: JSON may have any other separator."""
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _object(number: int, line: str) -> dict[str, Any]:
    try:
        form = json.loads(line)
    except (ValueError, RecursionError):
        form = None
    if not isinstance(form, dict):
        raise PackageError(f"line {number}: not a JSON object")
    return form


def _parse(number: int, form: Any, message: M, what: str) -> M:
    try:
        return json_format.ParseDict(form, message)
    except (json_format.ParseError, TypeError, AttributeError) as error:
        raise PackageError(f"line {number}: not {what}: {error}") from error
