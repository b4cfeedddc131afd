"""XML documents: CDA (HL7 CDA R2, titles and narrative blocks of its sections) and XHTML.

Guarantee: what was deleted in a revision is no text; a file that defines entities or refers to something outside is not
read, since what it says is not certain.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from markup.blocks import Block, Builder, UnreadableMarkupError, is_unsaid

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A file of another format that a CDA is only the envelope of."""

    media_type: str
    content: bytes


def read_xml(data: bytes | str) -> tuple[Block, ...] | Wrapped:
    """The blocks of a CDA or an XHTML page, or the file that a CDA wraps; UnreadableMarkupError."""
    try:
        root: Element = ElementTree.fromstring(data, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise UnreadableMarkupError("the XML defines entities") from None
    except (ElementTree.ParseError, ValueError, LookupError):
        raise UnreadableMarkupError("damaged XML") from None
    try:
        return _of_root(root)
    except RecursionError:
        raise UnreadableMarkupError("the XML is nested too deeply") from None


def _of_root(root: Element) -> tuple[Block, ...] | Wrapped:
    name = _name(root)
    if name == "ClinicalDocument":
        return _clinical(root)
    if name == "html":
        builder = Builder()
        _narrate(root, builder)
        return builder.blocks()
    raise UnreadableMarkupError("unsupported kind of XML: only CDA and XHTML are read")


def _clinical(root: Element) -> tuple[Block, ...] | Wrapped:
    wrapped = root.find("./{*}component/{*}nonXMLBody/{*}text")
    if wrapped is not None:
        return _unwrapped(wrapped)
    builder = Builder()
    _title(root, 1, builder)
    for section, depth in _sections(root, 1):
        _title(section, depth, builder)
        text = section.find("{*}text")
        if text is not None:
            _narrate(text, builder)
    return builder.blocks()


def _unwrapped(text: Element) -> Wrapped:
    if text.find("{*}reference") is not None:
        raise UnreadableMarkupError("the content of the CDA lies outside of it")
    media_type, content = text.get("mediaType") or "text/plain", "".join(text.itertext())
    if text.get("representation") != "B64":
        return Wrapped(media_type, content.encode())
    try:
        return Wrapped(media_type, base64.b64decode(re.sub(r"\s", "", content), validate=True))
    except (ValueError, binascii.Error):
        raise UnreadableMarkupError("the content of the CDA is not whole base64 data") from None


def _sections(owner: Element, depth: int) -> Iterator[tuple[Element, int]]:
    """The sections in the order of the document, each with how deep its heading stands."""
    for element in owner:
        is_section = _name(element) == "section"
        if is_section:
            yield element, depth + 1
        yield from _sections(element, depth + is_section)


def _title(owner: Element, depth: int, builder: Builder) -> None:
    title = owner.find("{*}title")
    if title is not None:
        builder.start("title", depth)
        _narrate(title, builder, is_edge=False)
        builder.end("title")


def _narrate(element: Element, builder: Builder, *, is_edge: bool = True) -> None:
    """The words of an element and the edges of its blocks."""
    name = _name(element)
    if is_unsaid(name, dict(element.items())):
        return
    if is_edge:
        builder.start(name)
    # A comment has no name, and its text is not said.
    builder.say((element.text or "") if name else "")
    for child in element:
        _narrate(child, builder)
        builder.say(child.tail or "")
    if is_edge:
        builder.end(name)


def _name(element: Element) -> str:
    """The local name; comments and processing instructions have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
