"""DICOM C-STORE and C-ECHO: pynetdicom in its threads, one handler in the service's event loop.

Bytes are taken as they stand on the wire, and answered 0x0000 only after the handler has made them durable.
"""

import asyncio
import logging
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import (
    AE,
    ALL_TRANSFER_SYNTAXES,
    AllStoragePresentationContexts,
    VerificationPresentationContexts,
    evt,
)
from pynetdicom.dimse_messages import C_STORE_RQ

from ingestion import metrics
from ingestion.adapters.doors import Door, Place, Quotas
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
    # Of associations, and of the bytes of instances that are being received or stored.
    quotas: Quotas
    network: float
    handling: float


class DicomListener:
    """A storage provider for every standard storage class and transfer syntax."""

    def __init__(self, handle: Handle, limits: AssociationLimits) -> None:
        self._handle = handle
        self._limits = limits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._door = Door("dicom", limits.quotas)
        self._places: dict[threading.Thread, Place] = {}
        self._refused: set[threading.Thread] = set()

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen while inside; yields the port."""
        self._loop = asyncio.get_running_loop()
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, self._entered),
            (evt.EVT_CONN_CLOSE, self._left),
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
        entity = _Entity(self._refused, ae_title=AE_TITLE)
        entity.network_timeout = self._limits.network
        entity.dimse_timeout = self._limits.network
        entity.acse_timeout = self._limits.network
        for context in (*AllStoragePresentationContexts, *VerificationPresentationContexts):
            assert context.abstract_syntax is not None
            entity.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)
        return entity

    def _store(self, event: evt.Event) -> Dataset:
        place = self._places.get(event.assoc)
        with place.working() if place else nullcontext():
            status, comment = self._handled(event)
        if place is not None:
            place.hear(0)
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
        data, uid = (
            event.encoded_dataset(),
            str(getattr(event.request, "AffectedSOPInstanceUID", None) or "").replace("\0", ""),
        )
        too_large = len(data) > self._limits.instance_bytes
        return ReceivedInstance(data[:_KEPT_OF_TOO_LARGE] if too_large else data, uid, too_large)

    def _entered(self, event: evt.Event) -> None:
        """Runs in the server's thread, before the association's own begins."""
        connection = event.assoc.dul.socket
        if connection is None or connection.socket is None:
            return
        # A peer that stops in the middle of a PDU must not hold its thread: pynetdicom sets no limit here.
        connection.socket.settimeout(self._limits.network)
        peer: tuple[str, int] = event.address  # type: ignore[attr-defined] # of this event alone
        place = self._door.enter(peer[0], partial(_hang_up, connection.socket))
        if place is not None:
            self._places[event.assoc] = place
        elif len(self._refused) < self._limits.quotas.places:
            self._refused.add(event.assoc)
        else:
            # Those who wait for their refusal hold threads too.
            _hang_up(connection.socket)

    def _left(self, event: evt.Event) -> None:
        self._refused.discard(event.assoc)
        place = self._places.pop(event.assoc, None)
        if place is not None:
            place.leave()

    def _count(self, event: evt.Event) -> None:
        """Abort an association whose instance grows past any use, before it fills the memory."""
        place = self._places.get(event.assoc)
        if place is None:
            return
        place.hear(place.held + len(event.data))
        if place.held > _HARD_LIMIT * self._limits.instance_bytes:
            log.warning("association aborted: an instance of over %d bytes", place.held)
            place.hear(0)
            event.assoc.abort()

    def _counted(self, event: evt.Event) -> None:
        """What is not an instance to be stored holds nothing any more; an instance does until it is answered."""
        place = self._places.get(event.assoc)
        if place is not None and not isinstance(event.message, C_STORE_RQ):
            place.hear(0)


class _Entity(AE):
    """Answers associations that found no room with local-limit-exceeded (PS3.8 9.3.4): pynetdicom counts, and asks."""

    def __init__(self, refused: set[threading.Thread], ae_title: str) -> None:
        super().__init__(ae_title=ae_title)
        self._refused = refused

    @property
    def maximum_associations(self) -> int:
        """None at all for the association that asks, when its door refused it."""
        return 0 if threading.current_thread() in self._refused else sys.maxsize

    @maximum_associations.setter
    def maximum_associations(self, value: int) -> None:
        """The door knows."""


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


async def _awaited(work: Awaitable[tuple[int, str]]) -> tuple[int, str]:
    return await work


def _report(error: Exception) -> None:
    log.error("instance not stored: %s", type(error).__name__)
