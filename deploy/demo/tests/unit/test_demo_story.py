"""The committed story is what its author writes, and it is what an HL7 reader of another hand reads in it."""

import base64
import io
from pathlib import Path

import hl7
import numpy as np
import pydicom
import pytest
from demo.authoring import film, page
from demo.authoring.dialect import LAKESIDE, NORTHWEST, Dialect, Segment
from demo.authoring.kidney import egfr
from demo.authoring.story import files
from numpy.typing import NDArray
from PIL import Image

STORY = Path(__file__).parents[2] / "story"


def _read(path: Path) -> hl7.Message:
    content = path.read_bytes()
    codec = "utf-8" if b"UNICODE UTF-8" in content.split(b"\r", 1)[0] else "iso-8859-1"
    return hl7.parse(content.decode(codec))


MESSAGES = [_read(path) for path in sorted(STORY.glob("*.hl7"))]


def _scan(message: bytes) -> tuple[bytes, bytes]:
    """The message without its picture, and the picture."""
    before, data = message.split(b"$Base64$", 1)
    picture, after = data.split(b"|", 1)
    return before + after, base64.b64decode(picture, validate=True)


@pytest.mark.skipif(not page.FONT.exists(), reason=f"the page is drawn with {page.FONT} (Debian fonts-dejavu-core)")
def test_the_author_writes_exactly_the_committed_messages() -> None:
    written = {item.name: item.content for item in files()}
    assert sorted(written) == [path.name for path in sorted(STORY.iterdir()) if path.suffix in {".hl7", ".dcm"}]
    for name, content in written.items():
        committed = (STORY / name).read_bytes()
        if b"$Base64$" in content:
            (text, picture), (committed_text, committed_picture) = _scan(content), _scan(committed)
            assert text == committed_text
            _assert_same_picture(_grey(picture), _grey(committed_picture))
        elif name.endswith(".hl7"):
            assert content == committed, name


def test_the_author_draws_the_committed_film() -> None:
    committed = pydicom.dcmread(next(STORY.glob("*.dcm"))).pixel_array
    _assert_same_picture(film.draw().astype(np.int64), committed.astype(np.int64), step=16)


def _grey(png: bytes) -> NDArray[np.int64]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=np.int64)


def _assert_same_picture(one: NDArray[np.int64], other: NDArray[np.int64], step: int = 37) -> None:
    """Equal but for single grey steps, which another processor or font version may round otherwise."""
    assert one.shape == other.shape
    assert float(np.mean(np.abs(one - other) > step)) < 0.001


def test_the_story_has_the_breadth_it_claims() -> None:
    types = {str(m.segment("MSH")[9][0][0]) + "^" + str(m.segment("MSH")[9][0][1]) for m in MESSAGES}
    assert len(MESSAGES) >= 60
    assert {"ADT^A01", "ADT^A03", "ADT^A04", "ADT^A08", "ADT^A40", "ORU^R01", "RDE^O11", "ORM^O01", "MDM^T02"} <= types
    times = [str(m.segment("MSH")[7])[:8] for m in MESSAGES]
    assert times == sorted(times)
    assert int(times[-1]) - int(times[0]) > 2_0000


def test_control_ids_are_unique() -> None:
    ids = [str(m.segment("MSH")[10]) for m in MESSAGES]
    assert len(set(ids)) == len(ids)


def test_every_segment_ends_with_a_carriage_return() -> None:
    for path in STORY.glob("*.hl7"):
        content = path.read_bytes()
        assert content.endswith(b"\r")
        assert b"\n" not in content


def test_the_two_facilities_write_different_dialects() -> None:
    separators = {str(m.segment("MSH")[4]): str(m.segment("MSH")[1]) + str(m.segment("MSH")[2]) for m in MESSAGES}
    assert separators == {"NORTHWEST GENERAL": "|^~\\&", "LAKESIDE CLINIC": "|$%?!"}
    names = {str(m.segment("PID")[5][0][1]) for m in MESSAGES}
    assert names == {"Renée"}


def test_lakeside_goes_on_with_its_own_number_after_the_merge() -> None:
    order = [str(m.segment("MSH")[9][0][1]) for m in MESSAGES]
    after = MESSAGES[order.index("A40") + 1 :]
    numbers = {str(m.segment("MSH")[4]): str(m.segment("PID")[3][0][0]) for m in after}
    assert numbers == {"NORTHWEST GENERAL": "NW-204417", "LAKESIDE CLINIC": "88-1306"}


def test_kidney_function_only_falls() -> None:
    rates = [
        int(str(segment[5]))
        for message in MESSAGES
        for segment in message
        if str(segment[0]) == "OBX" and str(segment[3][0][0]) in {"33914-3", "GFR"}
    ]
    assert rates[0] == 68
    assert rates[-1] == 28
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(("creatinine", "rate"), [(0.93, 68), (1.92, 28), (0.5, 103)])
def test_egfr_is_that_of_the_published_equation(creatinine: float, rate: int) -> None:
    assert egfr(creatinine, NORTHWEST.when(2024 if creatinine < 1 else 2026, 10, 5).date()) == pytest.approx(
        rate, abs=1
    )


@pytest.mark.parametrize("dialect", [NORTHWEST, LAKESIDE])
def test_no_delimiter_in_a_value_breaks_the_message(dialect: Dialect) -> None:
    nasty = "97 % & a|b^c~d\\e$f?g!h"
    content = dialect.message(Segment("MSH", {3: nasty}), [Segment("NTE", {1: "1", 3: nasty, 4: "end"})])
    parsed = hl7.parse(content.decode(dialect.codec))
    assert str(parsed.segment("NTE")[4]) == "end"
    assert parsed.unescape(str(parsed.segment("NTE")[3])) == nasty
    assert len(parsed.segment("NTE")[3]) == 1


def test_the_film_is_a_plain_twelve_bit_chest_film_of_the_patient() -> None:
    dataset = pydicom.dcmread(next(STORY.glob("*.dcm")))
    assert (dataset.PatientID, dataset.IssuerOfPatientID) == ("NW-204417", "NORTHWEST")
    assert (dataset.BitsStored, dataset.PhotometricInterpretation, dataset.BodyPartExamined) == (
        12,
        "MONOCHROME2",
        "CHEST",
    )
    assert dataset.pixel_array.max() < 4096
    assert dataset.pixel_array.std() > 200
