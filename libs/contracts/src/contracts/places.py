"""Where a remark stands, without its occurrence: a closed set, so that remarks can be counted.

A sender can make up segments and fields without end; those are `other`.
"""

import re

from longitude.ingestion.v1.events_pb2 import Remark

# The segment of a remark about a DICOM instance.
INSTANCE = "DICOM"
_SEGMENT = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[\d+\])?")
_FIELD = re.compile(r"[A-Z][A-Z0-9]{2}-(\d{1,2})(?!\d).*")
# HL7 v2.5.1 appendix A.5: segments of the message types that are taken.
_SEGMENTS = frozenset((
    "ABS", "ACC", "AL1", "AUT", "BLG", "BPO", "BPX", "BTX", "CON", "CTD", "CTI", "DB1", "DG1", "DRG", "DSC",
    "DSP", "EVN", "FT1", "GOL", "GP1", "GP2", "GT1", "IAM", "IN1", "IN2", "IN3", "INV", "IPC", "ISD", "MRG",
    "MSA", "MSH", "NK1", "NPU", "NTE", "OBR", "OBX", "ODS", "ODT", "ORC", "OVR", "PD1", "PDA", "PID", "PR1",
    "PRA", "PRB", "PRD", "PTH", "PV1", "PV2", "QPD", "QRD", "QRF", "RDF", "RF1", "RGS", "ROL", "RQ1", "RQD",
    "RXA", "RXC", "RXD", "RXE", "RXG", "RXO", "RXR", "SAC", "SCH", "SFT", "SPM", "TCC", "TQ1", "TQ2", "TXA",
    "UB1", "UB2", "VAR", "ARV", "PRT", "PAC",
))  # fmt: skip


def place_of(remark: Remark) -> str:
    """`OBX-5`, `PID` for a whole segment, `message` for all, `DICOM` for an instance, else `other`."""
    if not remark.segment:
        return "message"
    if remark.segment == INSTANCE:
        return INSTANCE
    segment, field = _SEGMENT.fullmatch(remark.segment), _FIELD.fullmatch(remark.field)
    if segment is None or segment[1] not in _SEGMENTS:
        return "other"
    return f"{segment[1]}-{field[1]}" if field else segment[1]
