"""Photographs of skin: everything that a modality needs, in its one folder.

Its medicine is none: it marks dark spots, and asks the network that is there for a probability.
"""

import io
import json

import cv2
import numpy as np
from imaging.domain import dicom
from imaging.domain.modality import Modality, Network, Reading, Tensors
from imaging.domain.study import FINDING_SYSTEM, assertion, finding_facts
from longitude.imaging.v1.events_pb2 import Attribute, Finding, ModelVersion
from longitude.ingestion.v1.events_pb2 import StudyReceived
from longitude.record.v1.fact_pb2 import Box, CodedConcept, Quantity
from numpy.typing import NDArray
from PIL import Image

Photo = NDArray[np.float32]
SIDE = 96
DARK, LEAST_AREA = 0.3, 100
THRESHOLD = 0.0
SPOT = CodedConcept(system=FINDING_SYSTEM, code="dark-spot", display="Dark spot on skin")


def accepts(study: StudyReceived) -> bool:
    """External-camera photography."""
    return study.modality == "XC"


def prepare(picture: dicom.Picture) -> tuple[Photo, Tensors]:
    photo = dicom.grey_image(picture)
    return photo, {"FILM": cv2.resize(photo, (SIDE, SIDE))[None]}


def read(photo: Photo, outputs: Tensors) -> Reading:
    card = json.loads(outputs["CARD"].ravel()[0])
    spots = _spots(photo)
    return Reading(
        model=ModelVersion(name=card["name"], version=card["version"], sha256=card["sha256"]),
        problems=[] if spots else ["no spot on the photograph"],
        attributes=[Attribute(name="light", text="polarised", probability=0.75)],
        findings=[_finding(spot, photo, float(outputs["PROBABILITIES"][0])) for spot in spots],
        drawings=dict(enumerate(_drawing(photo, spot) for spot in spots)),
    )


def _spots(photo: Photo) -> list[tuple[int, int, int, int]]:
    count, _, boxes, _ = cv2.connectedComponentsWithStats((photo < DARK).astype(np.uint8))
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h, area in boxes[1:count] if area >= LEAST_AREA]


def _finding(spot: tuple[int, int, int, int], photo: Photo, probability: float) -> Finding:
    (left, top, width, height), (rows, columns) = spot, photo.shape
    diameter = Quantity(value=str(max(width, height)), unit="{pixel}")
    return Finding(
        name="spot",
        code=SPOT,
        probability=probability,
        threshold=THRESHOLD,
        assertion=assertion(probability, THRESHOLD, states_absence=False),
        region=Box(left=left / columns, top=top / rows, width=width / columns, height=height / rows),
        attributes=[Attribute(name="diameter", quantity=diameter, probability=1.0)],
    )


def _drawing(photo: Photo, spot: tuple[int, int, int, int]) -> bytes:
    left, top, width, height = spot
    buffer = io.BytesIO()
    Image.fromarray((photo[top : top + height, left : left + width] * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


MODALITY = Modality(
    name="skin_photo",
    network=Network(model="chest_film", outputs=("PROBABILITIES", "CARD"), seconds=30.0),
    accepts=accepts,
    prepare=prepare,
    read=read,
    facts=finding_facts,
)
