"""FHIR R4 JSON as far as a document is written in it: the narratives of a Composition, the content of a
DocumentReference.

Guarantee: what a reader sees of the composition itself and of its sections, in order; a resource that is not of that
form is a ClientError.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from markup import Block, Kind, read_html

from client.errors import ClientError

Json = dict[str, Any]
_JSON = re.compile(rb'\[?\s*\{\s*(?:"[^"]*"\s*:|\})')
_DEEPEST = 6


def is_fhir(head: bytes) -> bool:
    """Whether what begins so is an object of JSON."""
    return _JSON.match(head) is not None


def resource(text: str) -> Json:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise ClientError("damaged JSON, or nested too deeply") from None
    return read if isinstance(read, dict) else {}


def composition(read: Json) -> tuple[Block, ...]:
    """The blocks of a Composition, alone or the first of a document Bundle. The narrative of the patient's own entry is
    left out.
    """
    own = _of_bundle(read) if read.get("resourceType") == "Bundle" else read
    return (*_part(own, 1), *(block for section in _objects(own, "section") for block in _section(section, 2)))


def _of_bundle(bundle: Json) -> Json:
    if bundle.get("type") != "document":
        raise ClientError("this is a FHIR Bundle that is no document")
    first = next(iter(_objects(bundle, "entry")), {})
    own = _object(first, "resource")
    if own.get("resourceType") != "Composition":
        raise ClientError("damaged FHIR: a document Bundle begins with its Composition")
    return own


def _section(section: Json, depth: int) -> Iterator[Block]:
    if depth > _DEEPEST:
        raise ClientError("the Composition is nested too deeply")
    yield from _part(section, depth)
    for inner in _objects(section, "section"):
        yield from _section(inner, depth + 1)


def _part(owner: Json, depth: int) -> Iterator[Block]:
    """Its title, and its narrative with headings below that."""
    title = " ".join(_text(owner, "title").split())
    if title:
        yield Block(Kind.HEADING, (title,), depth)
    for block in read_html(_text(_object(owner, "text"), "div").encode(errors="surrogatepass"), "utf-8"):
        is_heading = block.kind is Kind.HEADING
        yield replace(block, depth=min(block.depth + depth, _DEEPEST)) if is_heading else block


@dataclass(frozen=True, slots=True)
class Attachment:
    """Content of a document; empty where it only says where the content is."""

    media_type: str
    data: bytes

    @classmethod
    def all_of(cls, reference: Json) -> list[Attachment]:
        return [cls._of(_object(content, "attachment")) for content in _objects(reference, "content")]

    @classmethod
    def _of(cls, attachment: Json) -> Attachment:
        data = re.sub(r"\s", "", _text(attachment, "data"))
        try:
            return cls(_text(attachment, "contentType"), base64.b64decode(data, validate=True))
        except (ValueError, binascii.Error):
            raise ClientError("damaged FHIR: the attachment is not whole base64 data") from None


def _objects(owner: Json, name: str) -> list[Json]:
    value = owner.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ClientError(f"damaged FHIR: {name} is no list of objects")
    return value


def _object(owner: Json, name: str) -> Json:
    value = owner.get(name, {})
    if not isinstance(value, dict):
        raise ClientError(f"damaged FHIR: {name} is no object")
    return value


def _text(owner: Json, name: str) -> str:
    value = owner.get(name, "")
    if not isinstance(value, str):
        raise ClientError(f"damaged FHIR: {name} is no text")
    return value
