"""Documents that are text."""

import pytest
from imaging.domain.plain_text import MOST_CHARACTERS, read_plain_text
from imaging.domain.scan import UnreadableDocumentError


def test_text_is_utf8_unless_it_says_otherwise() -> None:
    assert read_plain_text("Renée".encode(), "text/plain") == "Renée"
    assert read_plain_text("Renée".encode("latin-1"), "text/plain; charset=iso-8859-1") == "Renée"


def test_line_ends_become_one_kind() -> None:
    assert read_plain_text(b"\xef\xbb\xbfa\r\nb\rc\n", "text/plain") == "a\nb\nc\n"


@pytest.mark.parametrize("media_type", ["text/plain", "text/plain; charset=utf-8", "text/plain; charset=nonsense"])
def test_bytes_outside_the_declared_set_are_refused_and_not_replaced(media_type: str) -> None:
    with pytest.raises(UnreadableDocumentError, match="character set"):
        read_plain_text(b"Ren\xe9e", media_type)


def test_a_text_beyond_the_bound_is_refused() -> None:
    with pytest.raises(UnreadableDocumentError, match="too long"):
        read_plain_text(b"a" * (MOST_CHARACTERS + 1), "text/plain")
