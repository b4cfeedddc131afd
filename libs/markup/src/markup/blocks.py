"""The blocks of a document as a reader sees them, made from the edges of its elements; as plain text and as Markdown.

Guarantee: a table's row stays together where each of its cells is one line; what an author took back is in no block.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

_BLOCKS = frozenset(
    (
        "address", "article", "blockquote", "br", "caption", "center", "dd", "div", "dl", "dt", "figure", "footer",
        "form", "header", "hr", "list", "main", "nav", "ol", "p", "paragraph", "pre", "section", "table", "tbody",
        "text", "tfoot", "thead", "ul",
    )
)  # fmt: skip
_HEADINGS = {**{f"h{depth}": depth for depth in range(1, 7)}, "title": 1}
_ITEMS = frozenset(("item", "li"))
_LISTS = frozenset(("list", "ol", "ul"))
_CELLS = frozenset(("td", "th"))
# No text, or text that its author took back.
_UNSAID = frozenset(("head", "script", "style", "template", "noscript", "del", "s", "strike", "object", "svg"))
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|text-decoration[^;]*:[^;]*line-through", re.IGNORECASE
)
_DEEPEST = 6


class UnreadableMarkupError(ValueError):
    """The document cannot be read; the text says why in words that hold nothing of it."""


class Kind(Enum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Block:
    """`cells`: one text, but of a row. `depth`: of a heading or an item, from 1. `goes_on`: after a mere line break."""

    kind: Kind
    cells: tuple[str, ...]
    depth: int = 0
    goes_on: bool = False


class Builder:
    """Makes blocks of words and of the edges of elements, as a parser meets them."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._words: list[str] = []
        self._kind, self._depth, self._goes_on = Kind.PARAGRAPH, 0, False
        self._lists = self._kept_lines = 0
        # The cells of the open row, each a list of lines.
        self._row: list[list[str]] | None = None

    def start(self, tag: str, depth: int = 0) -> None:
        """An element begins; `depth`: of a heading, if its tag does not say."""
        self._edge(tag)
        if tag in _HEADINGS or tag in _ITEMS:
            self._spill()
            is_item = tag in _ITEMS
            self._kind = Kind.ITEM if is_item else Kind.HEADING
            self._depth = max(self._lists, 1) if is_item else min(depth or _HEADINGS[tag], _DEEPEST)
        elif tag == "tr":
            self._spill()
            self._row = []
        elif tag in _CELLS and self._row is not None:
            self._row.append([])
        elif tag == "sup" and self._words and self._words[-1][-1:].isdigit():
            # `10<sup>9</sup>` is no 109.
            self._words.append("^")
        self._lists += tag in _LISTS
        self._kept_lines += tag == "pre"

    def end(self, tag: str) -> None:
        self._edge(tag)
        if tag in _HEADINGS or tag in _ITEMS:
            self._kind = Kind.PARAGRAPH
        elif tag == "tr":
            self._close_row()
        self._lists = max(self._lists - (tag in _LISTS), 0)
        self._kept_lines = max(self._kept_lines - (tag == "pre"), 0)

    def say(self, text: str) -> None:
        if not self._kept_lines:
            self._words.append(text)
            return
        first, *others = text.splitlines() or [""]
        self._words.append(first)
        for line in others:
            self._edge("br")
            self._words.append(line)

    def blocks(self) -> tuple[Block, ...]:
        """All of them, once the document has ended."""
        self._edge("br")
        self._spill()
        return tuple(self._blocks)

    def _edge(self, tag: str) -> None:
        if tag in _BLOCKS or tag in _HEADINGS or tag in _ITEMS or tag in _CELLS or tag == "tr":
            self._break()
            self._goes_on = tag == "br"

    def _break(self) -> None:
        """The words so far are a line."""
        line = " ".join("".join(self._words).split())
        self._words = []
        if not line:
            return
        if self._row is None:
            self._blocks.append(Block(self._kind, (line,), self._depth, self._goes_on and bool(self._blocks)))
            self._kind, self._depth = Kind.PARAGRAPH, 0
        elif self._row:
            self._row[-1].append(line)
        else:
            self._row.append([line])

    def _close_row(self) -> None:
        cells, self._row = [cell for cell in self._row or [] if cell], None
        if len(cells) > 1 and all(len(cell) == 1 for cell in cells):
            self._blocks.append(Block(Kind.ROW, tuple(cell[0] for cell in cells)))
        else:
            self._blocks += [Block(Kind.PARAGRAPH, (line,)) for cell in cells for line in cell]

    def _spill(self) -> None:
        """What stood in an open row is no row: it lays out something else."""
        lines = [line for cell in self._row or [] for line in cell]
        self._blocks += [Block(Kind.PARAGRAPH, (line,)) for line in lines]
        self._row = None


def is_unsaid(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Whether a reader does not see what is in this element."""
    if tag in _UNSAID or attributes.get("revised") == "delete" or "hidden" in attributes:
        return True
    return bool(_HIDDEN.search(attributes.get("style") or ""))


def as_plain(blocks: Iterable[Block]) -> str:
    """A block a line, cells two spaces apart, an empty line before a heading."""
    lines: list[str] = []
    for block in blocks:
        lines += ["", *block.cells] if block.kind is Kind.HEADING else ["  ".join(block.cells)]
    return "\n".join(lines).strip()


def as_markdown(blocks: Iterable[Block]) -> str:
    """The same document in Markdown; the words as they are."""
    text, before = "", None
    for block in blocks:
        together = block.goes_on or (before is block.kind and block.kind in (Kind.ITEM, Kind.ROW))
        text += ("\n" if together else "\n\n") * bool(text) + _written(block)
        before = block.kind
    return text + "\n" * bool(text)


def _written(block: Block) -> str:
    words = block.cells[0]
    match block.kind:
        case Kind.HEADING:
            return f"{'#' * block.depth} {words}"
        case Kind.ITEM:
            return f"{'  ' * (block.depth - 1)}- {words}"
        case Kind.ROW:
            return f"| {' | '.join(block.cells)} |"
        case Kind.PARAGRAPH:
            return words
