"""What is kept of every input: small messages inside their event, everything else in the bucket of this service.

Objects are named after the SHA-256 of their bytes: keeping the same bytes again changes nothing. Those that say which
instances are unfiled or filed are named after that of their SOP Instance UID.
"""

import hashlib

from longitude.ingestion.v1.events_pb2 import Payload, StudyReceived
from longitude.record.v1.object_pb2 import ObjectRef
from servicekit.objects import ObjectStore

from ingestion.domain.facts import Document

BUCKET = "ingestion-raw"
LARGEST_INLINE = 256 * 1024


class RawStore:
    """Everything raises UnavailableError when object storage does not answer."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    async def keep_message(self, payload: bytes) -> Payload:
        """Bytes of a message, inline up to 256 KiB."""
        if len(payload) <= LARGEST_INLINE:
            return Payload(inline=payload)
        return Payload(object=await self._keep("messages", payload, "x-application/hl7-v2+er7"))

    async def message(self, raw: Payload) -> bytes:
        """The bytes of a message that was kept; PermanentError when they are gone or altered."""
        return raw.inline if raw.HasField("inline") else await self._objects.get(raw.object)

    async def keep_document(self, document: Document) -> ObjectRef:
        """A document taken out of a message."""
        return await self._keep("documents", document.content, document.media_type)

    async def keep_instance(self, data: bytes) -> ObjectRef:
        """A DICOM file."""
        return await self._keep("instances", data, "application/dicom")

    async def keep_unfiled(self, event: StudyReceived) -> None:
        """An instance that came without a patient, so that a person can file it."""
        await self._mark("unfiled", event)

    async def keep_filed(self, event: StudyReceived) -> None:
        """An instance that a person filed."""
        await self._mark("filed", event)

    async def unfiled(self, uid: str) -> StudyReceived | None:
        """The newest instance of a UID that came without a patient."""
        return await self._marked("unfiled", uid)

    async def filed(self, uid: str) -> StudyReceived | None:
        """The instance of a UID as it was filed."""
        return await self._marked("filed", uid)

    async def _mark(self, folder: str, event: StudyReceived) -> None:
        key = _mark_of(folder, event.sop_instance_uid)
        await self._objects.put(key, event.SerializeToString(deterministic=True), "application/protobuf")

    async def _marked(self, folder: str, uid: str) -> StudyReceived | None:
        data = await self._objects.find(_mark_of(folder, uid))
        return None if data is None else StudyReceived.FromString(data)

    async def _keep(self, folder: str, data: bytes, media_type: str) -> ObjectRef:
        return await self._objects.put(f"{folder}/{hashlib.sha256(data).hexdigest()}", data, media_type)


def _mark_of(folder: str, uid: str) -> str:
    return f"{folder}/{hashlib.sha256(uid.encode()).hexdigest()}"
