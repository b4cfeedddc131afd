"""Pages: HTML as anybody writes it.

Guarantee: what its author struck out or hid is no text; a page that is not in the character set it declares, or that
ends within something hidden, is not read, since what it says is not certain.
"""

import re
from html.parser import HTMLParser

from markup.blocks import Block, Builder, UnreadableMarkupError, is_unsaid

_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_CHARSET_WITHIN = 2048


def read_html(data: bytes, charset: str | None = None) -> tuple[Block, ...]:
    """The blocks of a page; UnreadableMarkupError rather than invented characters."""
    named = _CHARSET.search(data[:_CHARSET_WITHIN])
    try:
        source = data.decode(charset or (named[1].decode() if named else "utf-8"))
    except (UnicodeDecodeError, LookupError):
        raise UnreadableMarkupError("the text is not in the character set it declares") from None
    reader = _Html()
    reader.feed(source.removeprefix("\ufeff"))
    reader.close()
    if reader.unsaid:
        raise UnreadableMarkupError("damaged HTML: an element is not closed")
    return reader.builder.blocks()


class _Html(HTMLParser):
    """Hands words and edges of elements on, but of what is not said."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = Builder()
        # Elements that are open within one that is not said.
        self.unsaid: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID and (self.unsaid or is_unsaid(tag, dict(attrs))):
            self.unsaid.append(tag)
        elif not self.unsaid:
            self.builder.start(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if not self.unsaid:
            self.builder.start(tag)
            self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.unsaid:
            self.builder.end(tag)
        elif tag in self.unsaid:
            # What was left open inside (`<p>`) ends with it.
            while self.unsaid.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.unsaid:
            self.builder.say(data)
