"""RTF as text.

Guarantee: a file with changes that nobody accepted is not read, since what it says is not certain.
"""

import re

from striprtf.striprtf import rtf_to_text

from imaging.domain.scan import UnreadableDocumentError

# Text that a reviewer took out and nobody removed (RTF 1.9.1, track changes).
_DELETED = re.compile(rb"\\deleted(?![a-z0])")


def read_rtf(data: bytes) -> str:
    """The text of an RTF file, without headers, footers and pictures."""
    if _DELETED.search(data):
        raise UnreadableDocumentError("the RTF has changes that nobody accepted")
    try:
        text: str = rtf_to_text(data.decode("cp1252"))
    except (UnicodeError, LookupError, ValueError, IndexError):
        raise UnreadableDocumentError("damaged RTF") from None
    return "\n".join(line.rstrip() for line in text.replace("\xa0", " ").splitlines()).strip()
