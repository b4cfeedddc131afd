"""The chest film: a drawing with ribs, lungs, heart and cloudy opacities on both sides. DICOM DX, 12 bits.

It shows that a film travels the whole way; it is no picture of a person and no measure of a network.
"""

import io

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from demo.authoring.dialect import NORTHWEST

AUTHORED = NORTHWEST.when(2026, 10, 5, 10, 40)
ROWS, COLUMNS = 1024, 1024
# UUID-derived UIDs (DICOM PS3.5 B.2), fixed so that the same film is the same instance.
STUDY_UID = UID("2.25.171000000000000000000000000000000001")
SERIES_UID = UID("2.25.171000000000000000000000000000000002")
INSTANCE_UID = UID("2.25.171000000000000000000000000000000003")

Plane = NDArray[np.float64]


def render() -> bytes:
    """The film as a DICOM part 10 file, uncompressed."""
    dataset = FileDataset("", {}, file_meta=_meta(), preamble=b"\0" * 128)
    _describe(dataset)
    _attach(dataset, draw())
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def draw() -> NDArray[np.uint16]:
    """The pixels, 0 to 4095, bright where the body absorbs."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS] / ROWS
    air = np.maximum(_lung(x, y, 0.31), _lung(x, y, 0.69))
    absorbed = 0.95 * _body(x, y) - 0.72 * air * (1 - 0.75 * _heart(x, y))
    absorbed += 0.16 * _ribs(x, y) + 0.45 * _spine(x, y) + 0.18 * _collar_bones(x, y)
    absorbed += 0.5 * _below_the_diaphragm(x, y) + air * (0.10 * _vessels() + 0.70 * _opacities(x, y))
    grain = np.random.default_rng(2).normal(0.0, 0.004, size=absorbed.shape)
    levels = np.clip(0.06 + 0.9 * np.tanh(0.85 * absorbed) + grain, 0.0, 1.0) * 4095
    # Steps of 16 keep the repository small; 256 grey levels remain.
    steps: NDArray[np.uint16] = (np.round(levels / 16) * 16).clip(0, 4095).astype(np.uint16)
    return steps


def _soft(distance: Plane, edge: float) -> Plane:
    """1 inside (distance below 0), 0 outside, with an edge of that width."""
    result: Plane = 1.0 / (1.0 + np.exp(np.clip(distance / edge, -50, 50)))
    return result


def _ellipse(x: Plane, y: Plane, centre: tuple[float, float], radii: tuple[float, float], edge: float) -> Plane:
    scaled = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    return _soft(scaled - 1.0, edge)


def _body(x: Plane, y: Plane) -> Plane:
    trunk = _ellipse(x, y, (0.5, 0.80), (0.52, 0.72), 0.02)
    neck = _ellipse(x, y, (0.5, 0.02), (0.10, 0.22), 0.05)
    shoulders = _ellipse(x, y, (0.5, 0.50), (0.62, 0.40), 0.02)
    return np.maximum(np.maximum(trunk, shoulders), neck)


def _lung(x: Plane, y: Plane, centre: float) -> Plane:
    upper = _ellipse(x, y, (centre, 0.50), (0.155, 0.32), 0.05)
    return upper * _soft(y - _diaphragm(x), 0.008)


def _diaphragm(x: Plane) -> Plane:
    """Height of the two domes; the right one, on the left of the picture, stands higher."""
    right = 0.745 + 0.9 * (x - 0.32) ** 2 * 2
    left = 0.765 + 0.9 * (x - 0.69) ** 2 * 2
    result: Plane = np.where(x < 0.5, right, left)
    return result


def _below_the_diaphragm(x: Plane, y: Plane) -> Plane:
    result: Plane = _soft(_diaphragm(x) - y, 0.02) * _body(x, y) * 0.6
    return result


def _ribs(x: Plane, y: Plane) -> Plane:
    """Posterior arcs, falling away from the spine on both sides."""
    outward = np.abs(x - 0.5)
    arc = y - 0.55 * outward + 1.5 * outward**2
    wave = np.cos(2 * np.pi * arc / 0.072)
    cage = _ellipse(x, y, (0.5, 0.5), (0.40, 0.44), 0.03)
    return _soft(0.55 - wave, 0.08) * cage


def _spine(x: Plane, y: Plane) -> Plane:
    vertebrae = 0.85 + 0.15 * np.cos(2 * np.pi * y / 0.06)
    result: Plane = _soft(np.abs(x - 0.5) - 0.035, 0.008) * vertebrae * _body(x, y)
    return result


def _heart(x: Plane, y: Plane) -> Plane:
    ventricles = _ellipse(x, y, (0.55, 0.655), (0.145, 0.135), 0.05)
    vessels = _ellipse(x, y, (0.515, 0.44), (0.06, 0.19), 0.10)
    return np.maximum(ventricles, 0.8 * vessels)


def _opacities(x: Plane, y: Plane) -> Plane:
    """Cloudy patches in the middle of both lungs."""
    return np.maximum(_patch(x, y, (0.31, 0.52), (0.13, 0.22)), _patch(x, y, (0.69, 0.50), (0.12, 0.20)))


def _patch(x: Plane, y: Plane, centre: tuple[float, float], radii: tuple[float, float]) -> Plane:
    cloud = _stretch(np.random.default_rng(7).uniform(-1, 1, size=(25, 25)))
    distance = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2
    return _soft(distance + 1.4 * cloud - 1.0, 0.25)


def _collar_bones(x: Plane, y: Plane) -> Plane:
    """Two bars rising from the breastbone to the shoulders."""
    outward = np.abs(x - 0.5)
    bar = np.abs(y - (0.24 - 0.22 * outward + 0.10 * np.sin(7 * outward)))
    return _soft(bar - 0.012, 0.004) * _soft(0.05 - outward, 0.01) * _soft(outward - 0.33, 0.02)


def _vessels() -> Plane:
    """Lung markings: smooth noise at three scales, -1 to 1, without direction."""
    total: Plane = np.zeros((ROWS, COLUMNS))
    for seed, cells, weight in ((3, 16, 0.5), (4, 32, 0.3), (5, 64, 0.2)):
        grid = np.random.default_rng(seed).uniform(-1, 1, size=(cells + 1, cells + 1))
        total += weight * _stretch(grid)
    return total


def _stretch(grid: Plane) -> Plane:
    """The coarse grid drawn over the whole film, linear between its points."""
    points = np.linspace(0, grid.shape[0] - 1, ROWS)
    low = np.minimum(points.astype(int), grid.shape[0] - 2)
    part = points - low
    rows = grid[low] * (1 - part)[:, None] + grid[low + 1] * part[:, None]
    result: Plane = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return result


def _meta() -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = INSTANCE_UID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID("2.25.171000000000000000000000000000000009")
    return meta


def _describe(dataset: Dataset) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = INSTANCE_UID, STUDY_UID, SERIES_UID
    dataset.PatientID, dataset.IssuerOfPatientID = "NW-204417", "NORTHWEST"
    dataset.PatientName, dataset.PatientBirthDate, dataset.PatientSex = "Testperson^Renée^M", "19570418", "F"
    dataset.StudyDate = dataset.AcquisitionDate = dataset.ContentDate = f"{AUTHORED:%Y%m%d}"
    dataset.StudyTime = dataset.AcquisitionTime = dataset.ContentTime = f"{AUTHORED:%H%M%S}"
    dataset.TimezoneOffsetFromUTC = f"{AUTHORED:%z}"
    dataset.AccessionNumber, dataset.StudyID = "NW-XR-1", "1"
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "CHEST", "AP"
    dataset.SeriesNumber, dataset.InstanceNumber = "1", "1"
    dataset.StudyDescription = "XR Chest"
    dataset.Manufacturer = "Longitude demo author"


def _attach(dataset: Dataset, pixels: NDArray[np.uint16]) -> None:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = "2048", "4096"
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.PixelSpacing = ["0.35", "0.35"]
    dataset.PixelData = pixels.astype("<u2").tobytes()
