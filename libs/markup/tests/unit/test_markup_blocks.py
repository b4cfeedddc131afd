"""Of a marked-up document every word that a reader sees is in a block, in order, and no other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markup import Block, Kind, UnreadableMarkupError, Wrapped, as_markdown, as_plain, read_html, read_xml

WORDS = st.sampled_from(["Rest", "in", "bed", "5.6", "mmol/L"])
INLINE = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
ELEMENTS = st.recursive(
    INLINE,
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{' '.join(parts)}</{tag}>",
        st.sampled_from(
            ["p", "div", "li", "ul", "table", "tr", "td", "th", "h2", "b", "pre", "item", "section", "del"]
        ),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=12,
)


def seen(page: str) -> list[str]:
    """The words outside of what was struck out."""
    words: list[str] = []
    struck = 0
    for part in page.replace("<", " <").replace(">", "> ").split():
        struck += (part == "<del>") - (part == "</del>")
        if not part.startswith("<") and not struck:
            words.append(part)
    return words


@given(ELEMENTS)
@settings(max_examples=400, deadline=None)
def test_every_word_that_a_reader_sees_is_read_once_and_in_order(page: str) -> None:
    blocks = read_html(page.encode())
    assert [word for block in blocks for cell in block.cells for word in cell.split()] == seen(page)
    assert as_plain(blocks).split() == seen(page)


@pytest.mark.parametrize(
    ("page", "blocks"),
    [
        ("<h3>Plan</h3>Rest", [Block(Kind.HEADING, ("Plan",), 3), Block(Kind.PARAGRAPH, ("Rest",))]),
        ("<tr><td>K</td><td><p>5.6</p></td></tr>", [Block(Kind.ROW, ("K", "5.6"))]),
        ("<tr><td>K<br>Na</td><td>5.6</td></tr>", [Block(Kind.PARAGRAPH, (each,)) for each in ("K", "Na", "5.6")]),
        (
            "<table><tr><td>Labs<table><tr><td>K</td><td>5.6</td></tr></table>Seen</td></tr></table>",
            [Block(Kind.PARAGRAPH, ("Labs",)), Block(Kind.ROW, ("K", "5.6")), Block(Kind.PARAGRAPH, ("Seen",))],
        ),
        ("<p>7 x 10<sup>9</sup>/L, m<sup>2</sup></p>", [Block(Kind.PARAGRAPH, ("7 x 10^9/L, m2",))]),
        ("Rest<br/>in bed", [Block(Kind.PARAGRAPH, ("Rest",)), Block(Kind.PARAGRAPH, ("in bed",), goes_on=True)]),
    ],
)
def test_rows_stay_together_and_lines_apart(page: str, blocks: list[Block]) -> None:
    assert list(read_html(page.encode())) == blocks


def test_markdown_has_the_layout_of_the_page() -> None:
    items = "<ol><li>Four<ul><li>Five</li></ul></li></ol>"
    page = f"<h1>A</h1><p>One</p><p>Two<br>Three</p>{items}<tr><td>K</td><td>5</td></tr>"
    assert as_markdown(read_html(page.encode())) == ("# A\n\nOne\n\nTwo\nThree\n\n- Four\n  - Five\n\n| K | 5 |\n")


def test_sections_stand_as_deep_as_they_are_nested_and_coded_entries_say_nothing() -> None:
    section = "<section><title>{}</title><text>{}</text><entry><code displayName='coded'/>x</entry>{}</section>"
    inner = section.format("Inner", "<list><item>One</item></list>", "")
    cda = f"<ClinicalDocument><component>{section.format('Outer', 'Two', inner)}</component></ClinicalDocument>"
    assert read_xml(cda) == (
        Block(Kind.HEADING, ("Outer",), 2),
        Block(Kind.PARAGRAPH, ("Two",)),
        Block(Kind.HEADING, ("Inner",), 3),
        Block(Kind.ITEM, ("One",), 1),
    )


def test_the_file_that_a_cda_wraps_is_handed_on() -> None:
    body = "<nonXMLBody><text mediaType='text/plain'>Rest</text></nonXMLBody>"
    assert read_xml(f"<ClinicalDocument><component>{body}</component></ClinicalDocument>") == Wrapped(
        "text/plain", b"Rest"
    )


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_bytes_of_any_kind_are_read_or_refused(data: bytes) -> None:
    for read in (read_html, read_xml):
        try:
            assert read(data) is not None
        except UnreadableMarkupError as error:
            assert str(error)  # noqa: PT017 - either is right
