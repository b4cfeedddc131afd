"""Small files of documents, written byte by byte: a PDF of pages of text or pictures, RTF, and CDA."""

import zlib
from collections.abc import Sequence


def pdf(*pages: str | bytes | Sequence[str], encrypted: bool = False) -> bytes:
    """A PDF 1.4 file: a page of text lines for each str (lines apart by line ends), a grey square picture for bytes.

    `encrypted`: with an encryption dictionary whose password nobody knows.
    """
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids: list[str] = []
    bodies: list[bytes] = [text.encode() for text in objects]
    for page in pages:
        content, resources = _drawn(page, len(bodies) + 1, bodies)
        bodies.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << {resources} >> "
            f"/Contents {len(bodies)} 0 R >>".encode()
        )
        kids.append(f"{len(bodies)} 0 R")
    bodies[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>".encode()
    if encrypted:
        key = "00" * 32
        bodies.append(f"<< /Filter /Standard /V 1 /R 2 /P -1 /O <{key}> /U <{key}> >>".encode())
    return _numbered(bodies, f"/Encrypt {len(bodies)} 0 R /ID [<00> <00>]" if encrypted else "")


def _drawn(page: str | bytes | Sequence[str], number: int, bodies: list[bytes]) -> tuple[bytes, str]:
    if isinstance(page, bytes):
        side = int(len(page) ** 0.5)
        data = zlib.compress(page)
        head = (
            f"<< /Type /XObject /Subtype /Image /Width {side} /Height {side} /ColorSpace /DeviceGray "
            f"/BitsPerComponent 8 /Filter /FlateDecode /Length {len(data)} >>\nstream\n"
        )
        bodies.append(head.encode() + data + b"\nendstream")
        return b"q 400 0 0 400 90 220 cm /Picture Do Q", f"/XObject << /Picture {number} 0 R >>"
    lines = page.split("\n") if isinstance(page, str) else page
    escaped = (line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines)
    shown = " ".join(f"({line}) Tj 0 -16 Td" for line in escaped)
    return f"BT /F1 12 Tf 50 780 Td {shown} ET".encode("cp1252"), "/Font << /F1 3 0 R >>"


def _numbered(bodies: Sequence[bytes], trailer: str) -> bytes:
    file, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(bodies, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(file)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    file += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}".encode()
    file += f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(file)


def rtf(text: str) -> bytes:
    """An RTF file with a font table; line ends are paragraphs."""

    def code(character: str) -> str:
        return character if character.isascii() else rf"\u{ord(character)}?"

    escaped = text.replace("\\", r"\\").replace("{", r"\{").replace("}", r"\}")
    body = "".join(map(code, escaped)).replace("\n", "\\par\n")
    return rf"{{\rtf1\ansi\deff0{{\fonttbl{{\f0 Arial;}}}}\f0\fs20 {body}\par}}".encode()


def cda(*sections: tuple[str, str]) -> bytes:
    """A CDA R2 document of sections: a title and the source of its narrative block."""
    written = "".join(
        f"<component><section><title>{title}</title><text>{narrative}</text></section></component>"
        for title, narrative in sections
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>Summary</title>'
        f"<component><structuredBody>{written}</structuredBody></component></ClinicalDocument>"
    ).encode()


def cda_around(content: str, attributes: str) -> bytes:
    """A CDA R2 document whose body is no XML."""
    return (
        f'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><nonXMLBody><text {attributes}>{content}</text>'
        "</nonXMLBody></component></ClinicalDocument>"
    ).encode()
