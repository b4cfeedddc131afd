"""Decoding of DICOM films."""

import logging
from collections.abc import Callable

import numpy as np
import pytest
from imaging.domain import dicom
from imaging.domain.modality import UnreadableImageError
from imaging.modalities.chest_film.film import Film
from imaging.modalities.chest_film.film import read_film as film_of
from pydicom.uid import JPEGLSLossless

FilmFile = Callable[..., bytes]


def read_film(data: bytes) -> Film:
    return film_of(dicom.read(data))


def ramp(
    low: int = 0, high: int = 4095, shape: tuple[int, int] = (300, 400)
) -> "np.ndarray[tuple[int, int], np.dtype[np.uint16]]":
    return np.linspace(low, high, shape[0] * shape[1]).reshape(shape).astype(np.uint16)


def test_grey_values_span_zero_to_one_with_dense_white(film_file: FilmFile) -> None:
    film = read_film(film_file(ramp()))
    assert film.pixels.shape == (300, 400)
    assert film.pixels.dtype == np.float32
    assert (film.pixels.min(), film.pixels.max()) == (0.0, 1.0)
    assert film.pixels[0, 0] < film.pixels[-1, -1]


def test_monochrome1_is_turned_so_that_dense_is_white(film_file: FilmFile) -> None:
    film = read_film(film_file(ramp(), PhotometricInterpretation="MONOCHROME1"))
    assert film.pixels[0, 0] > film.pixels[-1, -1]


def test_the_window_is_applied_after_the_rescale(film_file: FilmFile) -> None:
    tags = {"RescaleSlope": "2", "RescaleIntercept": "-1000", "WindowCenter": "1000", "WindowWidth": "1000"}
    film = read_film(film_file(ramp(), **tags))
    raw = ramp()
    assert (film.pixels[raw * 2.0 - 1000 < 490] == 0.0).all()
    assert (film.pixels[raw * 2.0 - 1000 > 1510] == 1.0).all()
    assert film.pixels[(raw * 2.0 - 1000 > 990) & (raw * 2.0 - 1000 < 1010)].mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_depths_from_8_to_16_bits_are_read(film_file: FilmFile, bits: int) -> None:
    film = read_film(film_file(ramp(high=2**bits - 1), BitsStored=bits, HighBit=bits - 1))
    assert len(np.unique(film.pixels)) >= 2**8


@pytest.mark.parametrize(
    ("tag", "view"),
    [("PA", "PA"), ("AP", "AP"), ("LL", "LL"), ("RL", "LL"), ("", ""), ("something", "")],
)
def test_the_view_is_what_the_tag_says_or_unknown(film_file: FilmFile, tag: str, view: str) -> None:
    assert read_film(film_file(ramp(), ViewPosition=tag)).view == view


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({"Modality": "MR"}, "not a chest film: the modality is not CR or DX"),
        ({"BodyPartExamined": "HAND"}, "not a chest film: the body part is another one"),
        ({"PixelData": None}, "no pixels in the file"),
        ({"NumberOfFrames": "2"}, "more than one frame"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "not a grey-scale image"),
        ({"Rows": 65535, "Columns": 65535}, "the image has no pixels, or more than 36 million"),
        ({"BitsStored": 1}, "the depth is not 8 to 16 bits"),
        ({"Rows": 4000}, "the pixels cannot be decoded"),
    ],
)
def test_what_is_no_readable_chest_film_is_refused_with_its_reason(
    film_file: FilmFile, tags: dict[str, object], problem: str
) -> None:
    with pytest.raises(UnreadableImageError, match=problem):
        read_film(film_file(ramp(), **tags))


def test_a_compressed_syntax_without_a_decoder_is_named(film_file: FilmFile) -> None:
    plain = film_file(ramp(), Modality="DX")
    uid = b"1.2.840.10008.1.2.1\0"
    assert plain.count(uid) == 1
    other = JPEGLSLossless.encode()
    # Both UIDs are padded to an even length; the group length and the element length differ by the same two bytes.
    assert len(uid) == 20
    assert len(other) == 22
    at = plain.index(uid)
    data = bytearray(plain[: at - 2] + len(other).to_bytes(2, "little") + other + plain[at + len(uid) :])
    length = int.from_bytes(data[140:144], "little") + 2
    data[140:144] = length.to_bytes(4, "little")
    with pytest.raises(UnreadableImageError, match="no decoder for the transfer syntax JPEG-LS Lossless"):
        read_film(bytes(data))


def test_damaged_values_are_never_quoted_in_the_log(
    film_file: FilmFile, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    data = film_file(ramp(), ViewPosition="TESTPERSON", BodyPartExamined="")
    with caplog.at_level(logging.DEBUG, logger="pydicom"):
        read_film(data.replace(b"TESTPERSON", b"TEST\\PERsn"))
    assert "PERsn" not in caplog.text
    assert not [warning for warning in recwarn if "PERsn" in str(warning.message)]


def test_a_file_that_is_no_dicom_is_refused() -> None:
    with pytest.raises(UnreadableImageError, match="not a DICOM file"):
        read_film(b"%PDF-1.7 this is no film")


def test_every_truncation_is_refused_or_read_and_never_a_crash(film_file: FilmFile) -> None:
    whole = film_file(ramp(shape=(256, 256)))
    for length in range(0, len(whole), 977):
        with pytest.raises(UnreadableImageError):
            read_film(whole[:length])
