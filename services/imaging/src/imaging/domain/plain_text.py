"""Documents that are text already, decoded by what their media type says."""

from __future__ import annotations

from email.message import Message

from imaging.domain.scan import UnreadableDocumentError

TOO_LONG = "the text is too long"
TEXT_TYPES = frozenset({"text/plain"})
MOST_CHARACTERS = 200_000
"""At most 800 kB in UTF-8: an event stays below the 1 MB that Kafka takes by default."""
# No character set takes more for a character but by marks between them.
_MOST_BYTES = 8 * MOST_CHARACTERS


def read_plain_text(data: bytes, media_type: str) -> str:
    """The `charset` parameter decides, UTF-8 without one; UnreadableDocumentError rather than invented characters."""
    if len(data) > _MOST_BYTES:
        raise UnreadableDocumentError(TOO_LONG)
    header = Message()
    header["Content-Type"] = media_type
    try:
        text = data.decode(header.get_content_charset("utf-8")).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError):
        raise UnreadableDocumentError("the text is not in the character set it declares") from None
    if len(text) > MOST_CHARACTERS:
        raise UnreadableDocumentError(TOO_LONG)
    return text.replace("\r\n", "\n").replace("\r", "\n")
