"""Inputs that are made to exhaust whoever decodes them: small, the same each time, and made of nothing but zeros.

None is a file in the repository. Each says how large it becomes, so that a test can show that it did not.
"""

import base64
import io
import struct
import zlib

from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ComputedRadiographyImageStorage, DeflatedExplicitVRLittleEndian, JPEG2000Lossless

MIB = 1024 * 1024
_SOC_SIZ = b"\xff\x4f\xff\x51"


def deflated(head: bytes, mebibytes: int, wbits: int = -15) -> bytes:
    """A deflate stream of a head and so many MiB of zeros. Blocks end on a byte, so that one is made and repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    # Of zlib's form the checksum is wrong: whoever reaches it has been exhausted.
    return start + zeros * mebibytes + packer.flush()


def instance(rows: int = 64) -> Dataset:
    """A chest film of one grey square, without its pixels."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = ComputedRadiographyImageStorage, "2.25.7"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.8", "2.25.9"
    dataset.PatientID, dataset.IssuerOfPatientID, dataset.Modality = "F-1", "NORTH", "CR"
    dataset.BodyPartExamined, dataset.ViewPosition = "CHEST", "PA"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = rows
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    return dataset


def meta(dataset: Dataset, syntax: UID) -> FileMetaDataset:
    """What stands before an instance in its file."""
    made = FileMetaDataset()
    made.TransferSyntaxUID, made.MediaStorageSOPClassUID = syntax, dataset.SOPClassUID
    made.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return made


def part10(dataset: Dataset, syntax: UID) -> bytes:
    """The file of an instance in a transfer syntax; pixels are as the data set has them."""
    dataset.file_meta = meta(dataset, syntax)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def deflated_dicom(mebibytes: int) -> bytes:
    """A deflated instance whose pixels become so many MiB."""
    dataset = instance()
    whole = part10(dataset, DeflatedExplicitVRLittleEndian)
    meta = 132 + 12 + struct.unpack("<I", whole[140:144])[0]
    tags = zlib.decompress(whole[meta:], -15)
    pixels = b"\xe0\x7f\x10\x00OB\0\0" + struct.pack("<I", mebibytes * MIB)
    return whole[:meta] + deflated(tags + pixels, mebibytes)


def jpeg2000(side: int, declared: int | None = None) -> bytes:
    """A code stream of one grey tile of `side`; its header declares a square of `declared` pixels instead."""
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, "JPEG2000", no_jp2=True, irreversible=False)
    stream = bytearray(buffer.getvalue())
    if declared is not None:
        assert stream.startswith(_SOC_SIZ)
        struct.pack_into(">II", stream, 8, declared, declared)
        struct.pack_into(">II", stream, 24, declared, declared)
    return bytes(stream)


def lying_jpeg2000_dicom(declared: int, rows: int = 64) -> bytes:
    """An instance whose tags say `rows` and whose code stream says `declared` pixels a side."""
    dataset = instance(rows)
    dataset.PixelData = encapsulate([jpeg2000(rows, declared)])
    dataset["PixelData"].is_undefined_length = True
    return part10(dataset, JPEG2000Lossless)


def png(side: int, mode: str = "RGBA") -> bytes:
    """A picture of one colour, half transparent where the mode can say so."""
    buffer = io.BytesIO()
    Image.new(mode, (side, side), 128).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def tiff(side: int, pages: int, mode: str = "RGBA") -> bytes:
    """A fax of so many coloured pages."""
    page = Image.new(mode, (side, side))
    buffer = io.BytesIO()
    page.save(buffer, "TIFF", save_all=True, append_images=[page] * (pages - 1), compression="tiff_adobe_deflate")
    return buffer.getvalue()


def pdf(mebibytes: int) -> bytes:
    """A page whose content stream becomes so many MiB of blanks."""
    return _pdf(deflated(b"BT ET ", mebibytes, 15), b"/Filter /FlateDecode", b"")


def pdf_of_a_picture(side: int) -> bytes:
    """A page that shows one picture of `side` pixels, packed to next to nothing."""
    mebibytes = side * side * 3 // MIB + 1
    picture = deflated(b"", mebibytes, 15)
    described = (
        b"/Type /XObject /Subtype /Image /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode "
        + b"/Width %d /Height %d" % (side, side)
    )
    return _pdf(b"q 600 0 0 800 0 0 cm /P Do Q", b"", b"/XObject << /P 5 0 R >>", (described, picture))


def _pdf(content: bytes, described: bytes, resources: bytes, *streams: tuple[bytes, bytes]) -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << %s >> >>" % resources
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        *(
            b"<< %s /Length %d >>\nstream\n%s\nendstream" % (of, len(data), data)
            for of, data in ((described, content), *streams)
        ),
    ]
    written, places = bytearray(b"%PDF-1.7\n"), []
    for number, item in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start, many = len(written), len(objects) + 1
    written += b"xref\n0 %d\n0000000000 65535 f \n%s" % (many, table)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (many, start)
    return bytes(written)


def rtf(mebibytes: int) -> bytes:
    """So many MiB of groups that are opened and closed again."""
    return b"{\\rtf1 " + b"{\\b }" * (mebibytes * MIB // 5) + b"}"


def cda(content: bytes, media_type: str = "application/pdf") -> bytes:
    """A CDA that is the envelope of another file."""
    text = base64.b64encode(content).decode()
    return (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><nonXMLBody>'
        f'<text mediaType="{media_type}" representation="B64">{text}</text>'
        "</nonXMLBody></component></ClinicalDocument>"
    ).encode()


def xml(mebibytes: int) -> bytes:
    """So many MiB of empty elements."""
    return b"<html>" + b"<p/>" * (mebibytes * MIB // 4) + b"</html>"


def oru(text: str, kind: str = "TX", mrn: str = "P1", control_id: str = "B1") -> bytes:
    """A result message with one observation."""
    return (
        f"MSH|^~\\&|LAB|NORTH|L|L|20240301101500||ORU^R01|{control_id}|P|2.5.1\r"
        f"PID|1||{mrn}^^^NORTH||Test^Person\r"
        f"OBR|1||F1|11502-2^Report^LN|||20240301\rOBX|1|{kind}|11502-2^Report^LN||{text}||||||F\r"
    ).encode()


def escapes(mebibytes: int, sequence: str = "\\.br999\\") -> bytes:
    """A result whose text is so many MiB of one escape sequence; `.br999` becomes 999 line ends."""
    return oru(sequence * (mebibytes * MIB // len(sequence)), "FT")


def document(content: bytes, kind: str = "PDF") -> bytes:
    """A result message with a file in it."""
    return oru(f"^AP^{kind}^Base64^{base64.b64encode(content).decode()}", "ED")
