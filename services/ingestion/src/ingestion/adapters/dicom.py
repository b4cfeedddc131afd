"""DICOM C-STORE and C-ECHO: pynetdicom in its threads, one handler in the service's event loop.

Bytes are taken as they stand on the wire, and answered 0x0000 only after the handler has made them durable.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    VerificationPresentationContexts,
    evt,
)

from ingestion import metrics
from ingestion.domain.dicom import OUT_OF_RESOURCES, ReceivedInstance

log = logging.getLogger("ingestion")

Handle = Callable[[ReceivedInstance], Awaitable[tuple[int, str]]]

AE_TITLE = "LONGITUDE"
_LONGEST_COMMENT = 64
# Over its limit an instance is still read to be answered; beyond this factor the association is aborted.
_HARD_LIMIT = 2
_KEPT_OF_TOO_LARGE = 256 * 1024


@dataclass(frozen=True, slots=True)
class AssociationLimits:
    """Bounds of the listener. Times in seconds."""

    instance_bytes: int
    associations: int
    network: float
    handling: float


class DicomListener:
    """A storage provider for every standard storage class and transfer syntax."""

    def __init__(self, handle: Handle, limits: AssociationLimits) -> None:
        self._handle = handle
        self._limits = limits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._received = threading.local()

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen while inside; yields the port."""
        self._loop = asyncio.get_running_loop()
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, self._bound),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DATA_RECV, self._count),
            (evt.EVT_DIMSE_RECV, self._counted),
        ]
        server = self._entity().start_server((host, port), block=False, evt_handlers=handlers)
        assert server is not None
        try:
            yield server.server_address[1]
        finally:
            # pynetdicom waits for its threads, and they may wait for this loop.
            await asyncio.to_thread(server.shutdown)

    def _entity(self) -> AE:
        entity = AE(ae_title=AE_TITLE)
        entity.maximum_associations = self._limits.associations
        entity.network_timeout = self._limits.network
        entity.dimse_timeout = self._limits.network
        entity.acse_timeout = self._limits.network
        for context in (*AllStoragePresentationContexts, *VerificationPresentationContexts):
            assert context.abstract_syntax is not None
            entity.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)
        return entity

    def _store(self, event: evt.Event) -> Dataset:
        status, comment = self._handled(event)
        metrics.INSTANCES.labels(f"{status:04X}").inc()
        answer = Dataset()
        answer.Status = status
        if comment:
            answer.ErrorComment = comment[:_LONGEST_COMMENT]
        return answer

    def _handled(self, event: evt.Event) -> tuple[int, str]:
        """Runs in the association's thread."""
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(_awaited(self._handle(self._instance(event))), self._loop)
        try:
            return future.result(self._limits.handling)
        except Exception as error:  # noqa: BLE001 - pynetdicom would log it with what it quotes
            future.cancel()
            _report(error)
            return OUT_OF_RESOURCES, "not stored, send again"

    def _instance(self, event: evt.Event) -> ReceivedInstance:
        data, uid = event.encoded_dataset(), str(getattr(event.request, "AffectedSOPInstanceUID", None) or "")
        too_large = len(data) > self._limits.instance_bytes
        return ReceivedInstance(data[:_KEPT_OF_TOO_LARGE] if too_large else data, uid, too_large)

    def _bound(self, event: evt.Event) -> None:
        """A peer that stops in the middle of a PDU must not hold its thread: pynetdicom sets no limit here."""
        connection = event.assoc.dul.socket
        if connection is not None and connection.socket is not None:
            connection.socket.settimeout(self._limits.network)

    def _count(self, event: evt.Event) -> None:
        """Abort an association whose instance grows past any use, before it fills the memory."""
        self._received.bytes = getattr(self._received, "bytes", 0) + len(event.data)
        if self._received.bytes > _HARD_LIMIT * self._limits.instance_bytes:
            log.warning("association aborted: an instance of over %d bytes", self._received.bytes)
            self._received.bytes = 0
            event.assoc.abort()

    def _counted(self, _: evt.Event) -> None:
        self._received.bytes = 0


async def _awaited(work: Awaitable[tuple[int, str]]) -> tuple[int, str]:
    return await work


def _report(error: Exception) -> None:
    log.error("instance not stored: %s", type(error).__name__)
