"""Marked-up documents as text: CDA (HL7 CDA R2, narrative blocks), HTML and RTF.

Guarantee: what its author struck out (`del`, `revised="delete"`) is no text; a file with entities, or with changes that
nobody accepted, is not read, since what it says is not certain.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from striprtf.striprtf import rtf_to_text

from imaging.domain.scan import UnreadableDocumentError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_BLOCKS = frozenset(
    (
        "address", "article", "blockquote", "br", "caption", "center", "dd", "div", "dl", "dt", "figure", "footer",
        "form", "header", "hr", "item", "li", "list", "main", "nav", "ol", "p", "paragraph", "pre", "section", "table",
        "tbody", "tfoot", "thead", "tr", "ul",
    )
)  # fmt: skip
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "title"))
_CELLS = frozenset(("td", "th"))
_CELL, _BLOCK, _HEADING = "\0", "\1", "\2"
# Of a page: no text, or text that its author took back.
_UNSAID = frozenset(("head", "script", "style", "template", "noscript", "del", "s", "strike", "object", "svg"))
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|text-decoration[^;]*:[^;]*line-through", re.IGNORECASE
)
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_CHARSET_WITHIN = 2048
# Text that a reviewer took out and nobody removed (RTF 1.9.1, track changes).
_RTF_DELETED = re.compile(rb"\\deleted(?![a-z0])")


def read_html(data: bytes, charset: str | None) -> str:
    """The text of a page, a block a line; UnreadableDocumentError rather than invented characters."""
    named = _CHARSET.search(data[:_CHARSET_WITHIN])
    try:
        source = data.decode(charset or (named[1].decode() if named else "utf-8"))
    except (UnicodeDecodeError, LookupError):
        raise UnreadableDocumentError("the text is not in the character set it declares") from None
    reader = _Html()
    reader.feed(source.removeprefix("\ufeff"))
    reader.close()
    if reader.unsaid:
        raise UnreadableDocumentError("damaged HTML: an element is not closed")
    return _laid_out("".join(reader.pieces))


class _Html(HTMLParser):
    """Collects the words of a page and where its blocks and cells begin and end."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        # Elements that are open within one that is not said.
        self.unsaid: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID and (self.unsaid or tag in _UNSAID or _hides(dict(attrs))):
            self.unsaid.append(tag)
        elif not self.unsaid:
            self.pieces.append(_edge(tag))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if not self.unsaid:
            self.pieces.append(_edge(tag))

    def handle_endtag(self, tag: str) -> None:
        if not self.unsaid:
            self.pieces.append(_edge(tag))
        elif tag in self.unsaid:
            # What was left open inside (`<p>`) ends with it.
            while self.unsaid.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.unsaid:
            self.pieces.append(data)


def _hides(attributes: dict[str, str | None]) -> bool:
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or ""))


def _edge(tag: str) -> str:
    if tag in _HEADINGS:
        return _HEADING
    return _BLOCK if tag in _BLOCKS else _CELL if tag in _CELLS else ""


def _laid_out(marked: str) -> str:
    """Words apart by one space, blocks by a line end, cells by two spaces, and an empty line before a heading."""
    text: list[str] = []
    for number, block in enumerate(re.sub(r"[^\S\0\1\2]+", " ", marked).split(_HEADING)):
        rows = ("  ".join(filter(None, map(str.strip, row.split(_CELL)))) for row in block.split(_BLOCK))
        lines = list(filter(None, rows))
        # Every second block stands between the two edges of a heading.
        text += ["", *lines] if number % 2 and lines else lines
    return "\n".join(text).strip()


def read_rtf(data: bytes) -> str:
    """The text of an RTF file, without headers, footers and pictures."""
    if _RTF_DELETED.search(data):
        raise UnreadableDocumentError("the RTF has changes that nobody accepted")
    try:
        text: str = rtf_to_text(data.decode("cp1252"))
    except (UnicodeError, LookupError, ValueError, IndexError):
        raise UnreadableDocumentError("damaged RTF") from None
    return "\n".join(line.rstrip() for line in text.replace("\xa0", " ").splitlines()).strip()


def read_xml(data: bytes) -> tuple[str, bytes | str]:
    """The media type and content of an XML document: the text of a CDA or XHTML one, or the file that a CDA wraps."""
    try:
        root: Element = ElementTree.fromstring(data, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise UnreadableDocumentError("the XML defines entities") from None
    except (ElementTree.ParseError, ValueError, LookupError):
        raise UnreadableDocumentError("damaged XML") from None
    try:
        return _of_root(root)
    except RecursionError:
        raise UnreadableDocumentError("the XML is nested too deeply") from None


def _of_root(root: Element) -> tuple[str, bytes | str]:
    name = _name(root)
    if name == "ClinicalDocument":
        return _clinical(root)
    if name == "html":
        return "text/plain", _laid_out("".join(_narrative(root)))
    raise UnreadableDocumentError("unsupported kind of XML: only CDA and XHTML are read")


def _clinical(root: Element) -> tuple[str, bytes | str]:
    wrapped = root.find("./{*}component/{*}nonXMLBody/{*}text")
    if wrapped is None:
        pieces = [*_heading(root), *(piece for section in _sections(root) for piece in section)]
        return "text/plain", _laid_out("".join(pieces))
    if wrapped.find("{*}reference") is not None:
        raise UnreadableDocumentError("the content of the CDA lies outside of it")
    content = "".join(wrapped.itertext())
    if wrapped.get("representation") != "B64":
        return wrapped.get("mediaType") or "text/plain", content.encode()
    try:
        return wrapped.get("mediaType") or "text/plain", base64.b64decode(re.sub(r"\s", "", content), validate=True)
    except (ValueError, binascii.Error):
        raise UnreadableDocumentError("the content of the CDA is not whole base64 data") from None


def _sections(root: Element) -> Iterator[Iterator[str]]:
    for section in root.iter():
        if _name(section) == "section":
            yield _heading(section)
            text = section.find("{*}text")
            if text is not None:
                yield _narrative(text)


def _heading(owner: Element) -> Iterator[str]:
    title = owner.find("{*}title")
    if title is not None:
        yield from (_HEADING, "".join(_narrative(title, edge="")), _HEADING)


def _narrative(element: Element, edge: str | None = None) -> Iterator[str]:
    """The words of an element and the edges of its blocks; what was deleted in a revision is not said."""
    name = _name(element)
    if name in _UNSAID or element.get("revised") == "delete" or _hides(dict(element.items())):
        return
    mark = _edge(name) if edge is None else edge
    yield mark or (_BLOCK if name == "text" else "")
    yield element.text or ""
    for child in element:
        yield from _narrative(child)
        yield child.tail or ""
    yield mark


def _name(element: Element) -> str:
    """The local name; comments and processing instructions have none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
