"""What is kept of every input: small messages inside their event, everything else in the bucket of this service.

Objects are named after the SHA-256 of their bytes: keeping the same bytes again changes nothing.
"""

import hashlib

from longitude.ingestion.v1.events_pb2 import Payload
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

    async def keep_document(self, document: Document) -> ObjectRef:
        """A document taken out of a message."""
        return await self._keep("documents", document.content, document.media_type)

    async def keep_instance(self, data: bytes) -> ObjectRef:
        """A DICOM file."""
        return await self._keep("instances", data, "application/dicom")

    async def _keep(self, folder: str, data: bytes, media_type: str) -> ObjectRef:
        return await self._objects.put(f"{folder}/{hashlib.sha256(data).hexdigest()}", data, media_type)
