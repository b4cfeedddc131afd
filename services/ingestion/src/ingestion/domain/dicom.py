"""A DICOM instance's header, read for the event that says that it has come. The pixels are not touched."""

import io
import logging
import warnings
from dataclasses import dataclass
from datetime import datetime, tzinfo

from contracts import part10
from contracts.identifiers import event_id, format_patient
from contracts.places import INSTANCE
from longitude.ingestion.v1.events_pb2 import Filing, Remark, StudyReceived
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from pydicom import config, dcmread
from pydicom.dataset import Dataset

from ingestion.domain.feed import FeedRules
from ingestion.domain.reading import Feed
from ingestion.domain.timestamps import parse_timestamp, to_proto

# pydicom's remarks on unusual values quote them, and they may identify a person.
config.settings.reading_validation_mode = config.IGNORE
warnings.filterwarnings("ignore", module="pydicom")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

_HEADER = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "AccessionNumber",
    "Modality",
    "BodyPartExamined",
    "ViewPosition",
    "TimezoneOffsetFromUTC",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentDate",
    "ContentTime",
    "SeriesDate",
    "SeriesTime",
    "StudyDate",
    "StudyTime",
)
# Longer than DICOM allows for any of them (PS3.5 6.2), some of them several times.
_LONGEST_VALUE = 1024
_REQUIRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
# DICOM PS3.4 annex B.2.3: status of C-STORE.
SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
CANNOT_UNDERSTAND = 0xC000
TOO_LARGE = "the instance is larger than this listener takes"


@dataclass(frozen=True, slots=True)
class ReceivedInstance:
    """What came by C-STORE: a file, or its beginning when it is too large, and the UID that the request named."""

    data: bytes
    sop_instance_uid: str
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class HeaderBounds:
    """Of what stands before the pixels, and of a deflated data set as a whole."""

    header_bytes: int = 16 * 1024 * 1024
    # Parts of a header that are looked at: a file of nothing but tags holds up nobody for longer.
    header_reads: int = 1_000_000
    inflated_bytes: int = 256 * 1024 * 1024


class UnreadableInstanceError(Exception):
    """The bytes are no DICOM instance that can be filed. The text quotes nothing of it."""

    def __init__(self, text: str, status: int = CANNOT_UNDERSTAND) -> None:
        super().__init__(text)
        self.status = status


class _Bounded(io.BytesIO):
    """A file of which only so much is read."""

    def __init__(self, data: bytes, bounds: HeaderBounds) -> None:
        super().__init__(data)
        self._bytes, self._reads = bounds.header_bytes, bounds.header_reads

    def read(self, size: int | None = -1, /) -> bytes:
        """UnreadableInstanceError past a bound."""
        piece = super().read(size)
        self._bytes -= len(piece)
        self._reads -= 1
        if self._bytes < 0 or self._reads < 0:
            raise UnreadableInstanceError("the header is longer than this listener reads", OUT_OF_RESOURCES)
        return piece


def read_instance(data: bytes, feed: Feed, bounds: HeaderBounds = HeaderBounds()) -> StudyReceived:
    """The event of a DICOM file, without its object and arrival time; without a patient when it names none.

    Patient ID is of type 2 (PS3.3 C.7.1.1): it may be empty when it is not known, as in an emergency. The rules of the
    feed are those of the issuer.

    UnreadableInstanceError when it is no DICOM file or lacks an identifier that every instance has.
    """
    header = _header(data, bounds)
    missing = [name for name in _REQUIRED if not _text(header, name)]
    if missing:
        raise UnreadableInstanceError(f"{', '.join(missing)} missing")
    issuer, identifier = _text(header, "IssuerOfPatientID"), _text(header, "PatientID")
    rules = feed.rules(issuer)
    unfiled = _unfiled(identifier, rules)
    acquired = _acquired(header, rules.zone)
    return StudyReceived(
        patient=None if unfiled else PatientKey(id=identifier, authority=issuer or rules.authority),
        remarks=[unfiled] if unfiled else [],
        study_instance_uid=_text(header, "StudyInstanceUID"),
        series_instance_uid=_text(header, "SeriesInstanceUID"),
        sop_instance_uid=_text(header, "SOPInstanceUID"),
        sop_class_uid=_text(header, "SOPClassUID"),
        accession_number=_text(header, "AccessionNumber"),
        modality=_text(header, "Modality"),
        body_part=_text(header, "BodyPartExamined"),
        view_position=_text(header, "ViewPosition"),
        acquired_at=to_proto(acquired) if acquired else None,
    )


def _unfiled(identifier: str, rules: FeedRules) -> Remark | None:
    if not identifier:
        return Remark(segment=INSTANCE, field="(0010,0020)", reason="no patient id; the instance is unfiled")
    if identifier.upper() in rules.placeholders:
        return Remark(segment=INSTANCE, field="(0010,0020)", reason="a placeholder for a patient id; unfiled")
    return None


def filed(unfiled: StudyReceived, patient: PatientKey, filing: Filing) -> StudyReceived:
    """The event of an instance that a person filed."""
    event = StudyReceived()
    event.CopyFrom(unfiled)
    event.ClearField("remarks")
    event.patient.CopyFrom(patient)
    event.filing.CopyFrom(filing)
    return event


def filed_event_id(event: StudyReceived) -> str:
    """The same instance filed for the same patient is the same event."""
    return event_id("study-filed", event.sop_instance_uid, event.instance.sha256, format_patient(event.patient))


def study_event_id(event: StudyReceived, digest: bytes) -> str:
    """The same instance with the same bytes is the same event."""
    return event_id("study", event.sop_instance_uid, digest)


def with_object(event: StudyReceived, instance: ObjectRef, received_at: datetime) -> StudyReceived:
    """The event, with where the instance lies and when it came."""
    event.instance.CopyFrom(instance)
    event.received_at.CopyFrom(to_proto(received_at))
    return event


def _header(data: bytes, bounds: HeaderBounds) -> Dataset:
    try:
        plain = part10.inflated(data, bounds.inflated_bytes, bounds.header_bytes)
        return dcmread(_Bounded(plain, bounds), stop_before_pixels=True, specific_tags=list(_HEADER))
    except UnreadableInstanceError:
        raise
    except part10.TooLargeError:
        raise UnreadableInstanceError(TOO_LARGE, OUT_OF_RESOURCES) from None
    except Exception as error:  # noqa: BLE001 - pydicom raises what its decoders happen to raise
        raise UnreadableInstanceError(f"not readable as DICOM ({type(error).__name__})") from None


def _text(header: Dataset, name: str) -> str:
    try:
        value = header.get(name)
    except Exception:  # noqa: BLE001 - values are decoded when asked for, and fail in as many ways
        return ""
    text = "" if value is None else str(value).replace("\0", "").strip()
    if len(text) > _LONGEST_VALUE:
        raise UnreadableInstanceError(f"{name} is longer than {_LONGEST_VALUE} characters")
    return text


def _acquired(header: Dataset, zone: tzinfo) -> datetime | None:
    """When the image was taken, else the nearest time that the instance has."""
    offset = _text(header, "TimezoneOffsetFromUTC")
    texts = [_text(header, "AcquisitionDateTime")]
    for kind in ("Acquisition", "Content", "Series", "Study"):
        date, time = _text(header, f"{kind}Date"), _text(header, f"{kind}Time")
        texts.append(date + time if date else "")
    moments = (parse_timestamp(_with_offset(text, offset), zone) for text in texts if text)
    return next((moment for moment in moments if moment is not None), None)


def _with_offset(text: str, offset: str) -> str:
    return text if not offset or "+" in text or "-" in text else text + offset
