"""The transparency log as its service shows it. Nothing here is checked: `client.verify` does that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from longitude.auditing.v1 import auditing_service_pb2 as pb
from longitude.auditing.v1.auditing_service_pb2_grpc import AuditingServiceStub
from longitude.record.v1.fact_pb2 import PatientKey

from client.api.channel import explained, open_channel

if TYPE_CHECKING:
    from longitude.auditing.v1.auditing_service_pb2_grpc import AuditingServiceAsyncStub

SECONDS = 30.0
STREAM_SECONDS = 3600.0


class AuditingClient:
    """Reads of one log."""

    def __init__(self, stub: AuditingServiceAsyncStub) -> None:
        self._stub = stub

    @classmethod
    @asynccontextmanager
    async def connect(cls, endpoint: str) -> AsyncIterator[AuditingClient]:
        """A client while inside."""
        async with open_channel(endpoint) as channel:
            yield cls(AuditingServiceStub(channel))

    async def checkpoint(self) -> pb.GetCheckpointResponse:
        """The newest signed checkpoint."""
        with explained("auditing"):
            return await self._stub.GetCheckpoint(pb.GetCheckpointRequest(), timeout=SECONDS)

    async def inclusion_proof(self, event_id: str, tree_size: int = 0) -> pb.GetInclusionProofResponse:
        """The leaf of an event and its path to the root; size 0 means the newest checkpoint's."""
        with explained("auditing"):
            request = pb.GetInclusionProofRequest(event_id=event_id, tree_size=tree_size)
            return await self._stub.GetInclusionProof(request, timeout=SECONDS)

    async def consistency_proof(self, old_size: int, new_size: int) -> list[bytes]:
        """That the tree of `new_size` leaves begins with that of `old_size`."""
        with explained("auditing"):
            request = pb.GetConsistencyProofRequest(old_size=old_size, new_size=new_size)
            return list((await self._stub.GetConsistencyProof(request, timeout=SECONDS)).hashes)

    async def leaves(self, start: int, end: int) -> AsyncIterator[pb.Leaf]:
        """Leaves [start, end) in order; none for an empty range (to the service an end of 0 means all)."""
        if start >= end:
            return
        with explained("auditing"):
            request = pb.ReadLeavesRequest(start=start, end=end)
            async for response in self._stub.ReadLeaves(request, timeout=STREAM_SECONDS):
                yield response.leaf

    async def trace(self, identifier: str) -> list[pb.Leaf]:
        """The leaves of an event, message, document, image or assessment and of all that they caused."""
        with explained("auditing"):
            return list((await self._stub.Trace(pb.TraceRequest(id=identifier), timeout=SECONDS)).leaves)

    async def looks(self, patients: Sequence[PatientKey], limit: int) -> list[pb.Leaf]:
        """The newest leaves of looks at these identifiers, at most `limit`, the newest first."""
        leaves: list[pb.Leaf] = []
        request = pb.ListLooksRequest(patients=patients)
        with explained("auditing"):
            while len(leaves) < limit:
                request.page_size = min(1_000, limit - len(leaves))
                page = await self._stub.ListLooks(request, timeout=SECONDS)
                leaves += page.leaves
                if not page.next_page_token:
                    break
                request.page_token = page.next_page_token
        return leaves

    async def feeds(self, facility: str = "", since: datetime | None = None) -> list[pb.FeedReport]:
        """What each feed sent and how it was understood; of one facility, or of all when it is empty."""
        request = pb.GetFeedsRequest(facility=facility)
        if since is not None:
            request.since.FromDatetime(since)
        with explained("auditing"):
            return list((await self._stub.GetFeeds(request, timeout=SECONDS)).feeds)

    async def completeness(self) -> list[pb.PartitionCount]:
        """Offsets recorded against offsets of the broker, by partition, as the service counts them."""
        with explained("auditing"):
            return list((await self._stub.GetCompleteness(pb.GetCompletenessRequest(), timeout=SECONDS)).partitions)
