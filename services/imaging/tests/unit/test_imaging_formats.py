"""PDF, RTF, CDA and HTML become text; what cannot be read says why."""

import base64
from contextlib import suppress
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imaging.domain import document
from imaging.domain.formats import read_file
from imaging.domain.page import TextPage
from imaging.domain.plain_text import MOST_CHARACTERS, TOO_LONG
from imaging.domain.scan import Scan, UnreadableDocumentError
from longitude.ingestion.v1.events_pb2 import DocumentReceived
from longitude.record.v1 import fact_pb2 as pb
from testkit.files import cda, cda_around, pdf, rtf

PDF, RTF, XML, HTML = "application/pdf", "application/rtf", "application/xml", "text/html; charset=utf-8"
WRAPPED = base64.b64encode(cda_around("text", 'mediaType="text/plain"')).decode()
LETTER = "Allergic to penicillin.\nDenies chest pain."


def text(data: bytes, media_type: str) -> str:
    (page,) = read_file(data, media_type)
    assert isinstance(page, TextPage)
    return page.content


def problem(data: bytes, media_type: str) -> str:
    with pytest.raises(UnreadableDocumentError) as refused:
        read_file(data, media_type)
    return str(refused.value)


def test_every_page_of_a_pdf_has_its_text_and_number() -> None:
    pages = read_file(pdf(LETTER, "Second (page)"), PDF)
    assert pages == [TextPage(1, LETTER), TextPage(2, "Second (page)")]


def test_a_page_of_a_pdf_without_text_is_a_picture_to_be_read() -> None:
    first, second, third = read_file(pdf(LETTER, bytes(10_000), ""), PDF)
    assert isinstance(first, TextPage)
    assert isinstance(second, Scan)
    assert isinstance(third, Scan)
    assert (second.number, second.blank, max(second.width, second.height)) == (2, False, 2400)
    assert third.blank


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf(LETTER)[:120], "damaged PDF"),
        (b"%PDF-1.4\n%%EOF", "damaged PDF"),
        (b"", "damaged PDF"),
        (pdf(LETTER, encrypted=True), "the PDF is encrypted"),
        (pdf(*["x"] * 501), "more than 500 pages"),
        (pdf(*[bytes(16)] * 21), "more than 20 pages without text"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    assert problem(data, PDF) == reason


def test_rtf_is_read_without_its_fonts() -> None:
    assert text(rtf("Fièvre {38}\nAllergic to penicillin."), RTF) == "Fièvre {38}\nAllergic to penicillin."


def test_rtf_with_open_changes_is_not_read() -> None:
    assert "changes" in problem(rtf("x").replace(b"\\fs20 ", b"\\fs20 {\\deleted no }allergy "), RTF)


def test_the_narrative_of_a_cda_is_text_with_headings() -> None:
    file = cda(
        ("Allergies", "<list><item>Penicillin</item><item>Latex</item></list>"),
        ("Findings", "<paragraph>Denies<br/>chest <content>pain</content>.</paragraph>"),
        ("Results", "<table><tbody><tr><th>Sodium</th><td>140</td></tr></tbody></table>"),
    )
    expected = "Summary\n\nAllergies\nPenicillin\nLatex\n\nFindings\nDenies\nchest pain.\n\nResults\nSodium  140"
    assert text(file, XML) == expected


def test_sections_within_sections_are_read_once() -> None:
    inner = "<component><section><title>Inner</title><text>b</text></section></component>"
    file = cda(("Outer", "a")).replace(b"</section>", f"{inner}</section>".encode())
    assert text(file, XML).split() == ["Summary", "Outer", "a", "Inner", "b"]


def test_what_was_struck_out_is_not_said() -> None:
    assert text(cda(("A", 'Has <content revised="delete">no</content> asthma')), XML).endswith("Has asthma")
    page = "<p>Has <del>no <p>known</del> asthma<p style='display:none'>hidden</p><script>x < y</script>"
    assert text(page.encode(), HTML) == "Has asthma"


@pytest.mark.parametrize("kind", ["text/plain", "application/pdf", "application/rtf"])
def test_a_file_within_a_cda_is_read(kind: str) -> None:
    content = {"text/plain": LETTER.encode(), "application/pdf": pdf(LETTER), "application/rtf": rtf(LETTER)}[kind]
    data = cda_around(base64.b64encode(content).decode(), f'mediaType="{kind}" representation="B64"')
    (page,) = read_file(data, XML)
    assert isinstance(page, TextPage)
    assert page.content == LETTER


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><ClinicalDocument>&b;</ClinicalDocument>', "the XML defines entities"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><html>&b;</html>', "the XML defines entities"),
        (b"<ClinicalDocument>", "damaged XML"),
        (b"<Bundle/>", "unsupported kind of XML: only CDA and XHTML are read"),
        (cda_around("<reference value='a.pdf'/>", ""), "the content of the CDA lies outside of it"),
        (cda_around("!", 'representation="B64"'), "the content of the CDA is not whole base64 data"),
        (cda_around(WRAPPED, 'mediaType="text/xml" representation="B64"'), "a CDA within a CDA"),
        (cda(("A", "word " * MOST_CHARACTERS)), TOO_LONG),
        (cda(("A", "<list>" * 3000 + "</list>" * 3000)), "the XML is nested too deeply"),
    ],
)  # fmt: skip
def test_xml_that_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    assert problem(data, XML) == reason


def test_html_is_read_in_its_own_character_set() -> None:
    page = '<html><head><meta charset="iso-8859-1"><title>x</title></head><h1>Bef&uuml;nde</h1>Fièvre<br>a  b</html>'
    assert text(page.encode("latin-1"), "text/html") == "Befünde\nFièvre\na b"
    assert "character set" in problem(b"\xff", HTML)
    assert "not closed" in problem(b"<p>Has <del>no asthma", HTML)


@given(
    st.binary(max_size=300),
    st.sampled_from([PDF, RTF, XML, HTML]),
    st.sampled_from([b"", b"%PDF-1.4\n", b"{\\rtf1 ", b"<"]),
)
def test_any_bytes_are_text_or_a_problem(data: bytes, kind: str, start: bytes) -> None:
    with suppress(UnreadableDocumentError):
        assert all(isinstance(page, TextPage | Scan) for page in read_file(start + data, kind))


def test_a_fact_of_a_pdf_points_at_its_page_and_its_characters() -> None:
    received = DocumentReceived(document_id="d", patient=pb.PatientKey(id="1", authority="A"))
    pages = [page for page in read_file(pdf("First page.", LETTER), PDF) if isinstance(page, TextPage)]
    reading = document.read_text("cause", received, "\n\n".join(page.content for page in pages))
    of_pages = document.read("cause", received, pages, document.TEXT_READER, document.Reader(0.8, UTC))
    assert of_pages.text == reading.text
    assert [fact.source.page for fact in of_pages.facts] == [2, 2]
    for one, other in zip(of_pages.facts, reading.facts, strict=True):
        quoted = reading.text[one.source.text_start : one.source.text_end]
        assert quoted == reading.text[other.source.text_start : other.source.text_end]
        assert quoted in {"Allergic to penicillin", "Denies chest pain"}
        assert not one.HasField("valid_from")
