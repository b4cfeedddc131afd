"""What a reader sees of a marked-up document: headings, paragraphs, list items and rows of tables.

Pure functions over bytes; no I/O, no network.
"""

from markup.blocks import Block, Kind, UnreadableMarkupError, as_markdown, as_plain
from markup.page import read_html
from markup.xml import Wrapped, read_xml

__all__ = [
    "Block",
    "Kind",
    "UnreadableMarkupError",
    "Wrapped",
    "as_markdown",
    "as_plain",
    "read_html",
    "read_xml",
]
