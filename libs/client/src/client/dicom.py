"""Sending DICOM files: one association for all of them, C-STORE for each, in the transfer syntax of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_partial
from pynetdicom import AE, build_context
from pynetdicom.association import Association

from client.errors import UnreachableError

CALLING_TITLE, CALLED_TITLE = "LONGITUDE-CLI", "LONGITUDE"
NOT_DICOM, UNANSWERED, REFUSED = "not-dicom", "unanswered", "refused"
SECONDS = 60.0


def store(files: Sequence[Path], endpoint: str) -> Iterator[str]:
    """The C-STORE status of each file, four hex digits; `not-dicom`, `refused` or `unanswered` where there is none.

    Blocks. UnreachableError when nothing answers at the endpoint.
    """
    syntaxes = {file: _presentation(file) for file in files}
    wanted = sorted({syntax for syntax in syntaxes.values() if syntax})
    association = _associate(endpoint, wanted) if wanted else None
    try:
        for file in files:
            yield _store_one(association, file) if association and syntaxes[file] else NOT_DICOM
    finally:
        if association:
            association.release()


def _presentation(file: Path) -> tuple[str, str] | None:
    """SOP class and transfer syntax of a Part 10 file; None if it is none."""
    try:
        with file.open("rb") as stream:
            meta = read_partial(stream, stop_when=lambda tag, *_: tag.group > 2).file_meta
        return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
    except (InvalidDicomError, AttributeError, OSError, EOFError, ValueError):
        return None


def _associate(endpoint: str, wanted: Sequence[tuple[str, str]]) -> Association:
    host, _, port = endpoint.rpartition(":")
    entity = AE(ae_title=CALLING_TITLE)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = SECONDS
    contexts = [build_context(sop_class, syntax) for sop_class, syntax in wanted]
    association = entity.associate(host, int(port), contexts=contexts, ae_title=CALLED_TITLE)
    if not association.is_established:
        raise UnreachableError(f"no DICOM association at {endpoint}; is the stack up? (`make status`)")
    return association


def _store_one(association: Association, file: Path) -> str:
    if not association.is_established:
        return UNANSWERED
    try:
        status = association.send_c_store(dcmread(file))
    except (ValueError, AttributeError):
        return REFUSED
    return f"{status.Status:04X}" if "Status" in status else UNANSWERED
