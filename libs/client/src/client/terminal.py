r"""What a terminal shows of texts that others wrote: as text, whatever stands in them.

A control character (an escape sequence begins with one), a format character (the marks that turn the direction of
writing are such) or half a surrogate pair is shown by its number, `\x1b` or `\u202e`. Tabs and line ends stay.
Everything that the command prints goes through this module.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, cast

from rich import console, text
from rich.segment import Segment

_LINE_AND_TAB = "\n\t"
# Unicode general categories: control, format, surrogate, line and paragraph separator.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(foreign: str) -> str:
    """The text with every character that would act on a terminal written as its number."""
    return foreign if foreign.isprintable() else "".join(map(_shown, foreign))


def visible_json(document: str) -> str:
    """A JSON document with these characters as JSON's own escapes: it says the same to a program."""
    return "".join(_escaped(ord(one)) if _acts(one) else one for one in document)


def _acts(character: str) -> bool:
    return character not in _LINE_AND_TAB and unicodedata.category(character) in _ACTING


def _shown(character: str) -> str:
    if not _acts(character):
        return character
    number = ord(character)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _escaped(number: int) -> str:
    if number <= 0xFFFF:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


class Text(text.Text):
    """Text of the data; its width is that of what is shown."""

    def __init__(self, content: str = "", *arguments: Any, **named: Any) -> None:
        super().__init__(visible(content), *arguments, **named)

    @classmethod
    def assemble(cls, *parts: Any, **named: Any) -> Text:
        """Text of parts, each a text or a text with its style."""
        return cast("Text", super().assemble(*parts, **named))

    def append(self, content: text.Text | str, style: Any = None) -> Text:
        """Add text with a style."""
        super().append(visible(content) if isinstance(content, str) else content, style)
        return self


class Screen(console.Console):
    """A console that lets no control character of a text through, whatever way it came."""

    def render(
        self, renderable: console.RenderableType, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of what is printed. Those that rich itself makes to move a cursor stay as they are."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))
