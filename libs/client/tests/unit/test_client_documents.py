"""What is checked of a document is what a reader sees of it, whatever its name; the rest is refused clearly."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from client.cli import check
from client.cli.command import app
from client.documents import Document, is_text, read_document
from typer.testing import CliRunner

MUNICH = "München.".encode("latin-1")
XHTML = "http://www.w3.org/1999/xhtml"
NARRATIVE = (
    f'<div xmlns="{XHTML}"><h2>Kidney function</h2><p>Creatinine was 1.95&nbsp;mg/dL.<br/>It rose.</p>'
    "<ul><li>Metformin 1000 mg<ul><li>twice daily</li></ul></li><li><del>Ibuprofen</del> Lisinopril</li></ul>"
    "<table><tr><th>Test</th><th>Result</th></tr><tr><td><p>Potassium</p></td><td>5.6 mmol/L</td></tr></table>"
    '<p style="display:none">Hidden.</p><pre>No chest pain.\nNo fever.</pre></div>'
)
COMPOSITION = {
    "resourceType": "Composition",
    "title": "Discharge summary",
    "section": [
        {"title": "Course", "text": {"status": "additional", "div": NARRATIVE}},
        {
            "title": "Medication",
            "section": [{"title": "Stopped", "text": {"div": f'<div xmlns="{XHTML}">Naproxen.</div>'}}],
        },
    ],
}
COMPOSED = """# Discharge summary

## Course

#### Kidney function

Creatinine was 1.95 mg/dL.
It rose.

- Metformin 1000 mg
  - twice daily
- Lisinopril

| Test | Result |
| Potassium | 5.6 mmol/L |

No chest pain.
No fever.

## Medication

### Stopped

Naproxen.
"""
CDA = """<?xml version="1.0" encoding="ISO-8859-1"?>
<?xml-stylesheet type="text/xsl" href="CDA.xsl"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Continuity of care</title>
 <component><structuredBody>
  <component><section><title>Results</title><text>
    <paragraph>Seen in <content styleCode="Bold">München</content>.</paragraph>
    <table><thead><tr><th>Test</th><th>Value</th></tr></thead>
     <tbody><tr><td>Potassium</td><td><content ID="k">5.6 mmol/L</content></td></tr>
      <tr><td>Leukocytes</td><td>7 x 10<sup>9</sup>/L</td></tr></tbody></table>
    </text><entry><observation><code displayName="coded only"/></observation></entry>
   <component><section><title>Imaging</title><text><list><item>No pleural effusion.</item>
     <item><content revised="delete">Fracture.</content>No fracture.</item></list></text></section></component>
  </section></component>
 </structuredBody></component></ClinicalDocument>"""
READ_CDA = """# Continuity of care

## Results

Seen in München.

| Test | Value |
| Potassium | 5.6 mmol/L |
| Leukocytes | 7 x 10^9/L |

### Imaging

- No pleural effusion.
- No fracture.
"""


# Nothing answers there, and nothing asks.
DTD = '<!DOCTYPE ClinicalDocument SYSTEM "http://127.0.0.1:9/x.dtd"><ClinicalDocument><title>Rest.</title></ClinicalDocument>'


def fhir(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()


def bundle(*resources: dict[str, Any], kind: str = "document") -> bytes:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": each} for n, each in enumerate(resources)]
    return fhir({"resourceType": "Bundle", "type": kind, "entry": entries})


def reference(*contents: tuple[str, bytes]) -> bytes:
    attachments = [
        {"attachment": {"contentType": kind, "data": base64.b64encode(data).decode()}} for kind, data in contents
    ]
    return fhir({"resourceType": "DocumentReference", "status": "current", "content": attachments})


def cda() -> bytes:
    return CDA.encode("iso-8859-1")


def wrapping(kind: str, data: bytes) -> bytes:
    return (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><nonXMLBody>'
        f'<text mediaType="{kind}" representation="B64">{base64.b64encode(data).decode()}</text>'
        "</nonXMLBody></component></ClinicalDocument>"
    ).encode()


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"\xef\xbb\xbf# Plan\r\n<5 mg", "text", "\ufeff# Plan\r\n<5 mg"),
        (b"{draft} Takes metformin.", "text", "{draft} Takes metformin."),
        (fhir(COMPOSITION), "fhir-composition", COMPOSED),
        (b"\n " + fhir(COMPOSITION), "fhir-composition", COMPOSED),
        (bundle(COMPOSITION, {"resourceType": "Patient"}), "fhir-composition", COMPOSED),
        (cda(), "c-cda", READ_CDA),
        (CDA.replace("ISO-8859-1", "UTF-16").encode("utf-16"), "c-cda", READ_CDA),
        (reference(("text/plain; charset=iso-8859-1", MUNICH)), "fhir-document-reference", "München."),
        (reference(("text/markdown", b"# Plan\n- Rest")), "fhir-document-reference", "# Plan\n- Rest"),
        (reference(("text/html", b"<b>Rest</b> in bed.")), "fhir-document-reference", "Rest in bed.\n"),
        (reference(("application/pdf", b"%PDF-"), ("text/xml", cda())), "fhir-document-reference", READ_CDA),
        (wrapping("text/plain", b"Rest in bed."), "c-cda", "Rest in bed."),
        (b"<!DOCTYPE html><html><head>x</head><h1>Plan</h1><p>Rest.</p></html>", "html", "# Plan\n\nRest.\n"),
        (DTD.encode(), "c-cda", "# Rest.\n"),
        (f'<?xml version="1.0"?><html xmlns="{XHTML}"><body><p>Rest.</p></body></html>'.encode(), "html", "Rest.\n"),
    ],
)  # fmt: skip
def test_a_document_is_the_text_that_a_reader_sees_whatever_it_is_called(
    tmp_path: Path, data: bytes, kind: str, text: str
) -> None:
    path = tmp_path / "document.pdf"
    path.write_bytes(data)
    assert check.read(str(path)) == Document(kind, text)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><ClinicalDocument><title>&b;</title></ClinicalDocument>'
OUTSIDE = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><ClinicalDocument><title>&a;</title></ClinicalDocument>'
)
DEEP = f"{'<section>' * 20_000}{'</section>' * 20_000}"


@pytest.mark.parametrize(
    ("data", "because"),
    [
        (b"%PDF-1.7 ...", "this is a PDF"),
        (b"{\\rtf1 Rest.}", "this is RTF"),
        (b"PK\x03\x04...", "ZIP or Office"),
        (b"MSH|^~\\&|LAB", "HL7 v2"),
        (b"\x89PNG\r\n", "an image"),
        (fhir({"resourceType": "Observation"}), "a FHIR Observation"),
        (fhir({"name": "x"}), "JSON and no FHIR"),
        (b'[{"name": "x"}]', "JSON and no FHIR"),
        (b'{"resourceType": "Composition", ', "damaged JSON"),
        (b'{"a":' * 100_000, "damaged JSON"),
        (bundle(COMPOSITION, kind="searchset"), "no document"),
        (bundle({"resourceType": "Patient"}), "begins with its Composition"),
        (bundle(), "begins with its Composition"),
        (fhir({"resourceType": "Composition", "section": [[]]}), "section is no list of objects"),
        (fhir({"resourceType": "Composition", "title": 5}), "title is no text"),
        (fhir({"resourceType": "Composition", "text": {"div": "<p>\ud800</p>"}}), "character set"),
        (fhir({"resourceType": "Composition", "title": "\ud800"}), "half a character"),
        (fhir({"resourceType": "Composition"}), "the text is empty"),
        (reference(("application/pdf", b"%PDF-")), "application/pdf"),
        (reference(), "nothing"),
        (fhir({"resourceType": "DocumentReference", "content": [{"attachment": {"url": "http://x"}}]}), "no type"),
        (reference(("text/plain", b"\xff")), "not a text in UTF-8"),
        (fhir({"resourceType": "DocumentReference", "content": [{"attachment": {"data": "%"}}]}), "base64"),
        (b'<Bundle xmlns="http://hl7.org/fhir"/>', "unsupported kind of XML"),
        (b"<ClinicalDocument><title>", "damaged XML"),
        (f"<ClinicalDocument>{DEEP}</ClinicalDocument>".encode(), "nested too deeply"),
        (BOMB.encode(), "defines entities"),
        (OUTSIDE.encode(), "defines entities"),
        (wrapping("application/pdf", b"%PDF-"), "application/pdf"),
        (wrapping("text/xml", cda()), "another document of XML"),
        (b"<html><p>Rest.</p><del>", "not closed"),
        (b"x" * (8 * 1024**2 + 1), "more than 8 MiB"),
        (f"<html>{'<p>x</p>' * 60_000}</html>".encode(), "more than 100,000 characters"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, because: str
) -> None:
    monkeypatch.setenv("LONGITUDE_REASONING", "127.0.0.1:1")
    path = tmp_path / "letter.txt"
    path.write_bytes(data)
    for arguments in ([str(path)], ["-"]):
        done = CliRunner().invoke(app, ["check", *arguments, "--patient", "P1@TEST"], input=data)
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
        assert because in done.stderr


@pytest.mark.parametrize("data", [fhir(COMPOSITION), cda(), b"<html>", b"%PDF-1"])
def test_a_document_of_another_format_is_known_by_its_beginning(data: bytes) -> None:
    assert not is_text(data[:60])
    assert read_document(b"Is " + data[:4]).format == "text"
