"""The AuditingService: proofs, leaves, traces and counts, all over published checkpoints."""

# ruff: noqa: N802, ARG002 - names and arguments are those of the generated servicer

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from contracts.identifiers import format_patient
from longitude.auditing.v1 import auditing_service_pb2 as pb
from longitude.auditing.v1.auditing_service_pb2_grpc import AuditingServiceServicer

from auditing.adapters.kafka import RecordReader
from auditing.adapters.postgres import Log, SignedCheckpoint
from auditing.adapters.postgres_reads import LogReader
from auditing.domain import proofs
from auditing.domain.completeness import partition_counts
from auditing.domain.notes import Signer
from auditing.domain.subjects import pseudonym

MAX_TRACE = 10_000
MAX_FEEDS = 1_000
MAX_PATIENTS = 100
DEFAULT_LOOKS, MAX_LOOKS = 100, 1_000
# Digits of a leaf's index (bigint).
MAX_TOKEN = 19
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
MAX_IDENTIFIER_CHARACTERS = 255


class Rpc(AuditingServiceServicer):
    """Reads of one log."""

    def __init__(
        self, log: Log, reader: LogReader, records: RecordReader, signer: Signer, pseudonym_keys: Sequence[bytes]
    ) -> None:
        self._log = log
        self._reader = reader
        self._records = records
        self._signer = signer
        self._pseudonym_keys = pseudonym_keys

    async def GetCheckpoint(self, request: pb.GetCheckpointRequest, context: Any) -> pb.GetCheckpointResponse:
        checkpoint = await self._checkpoint()
        keys = self._signer
        return pb.GetCheckpointResponse(
            note=checkpoint.note, verifier_key=keys.verifier_key, older_keys=keys.older_keys
        )

    async def GetInclusionProof(
        self, request: pb.GetInclusionProofRequest, context: Any
    ) -> pb.GetInclusionProofResponse:
        checkpoint = await self._checkpoint()
        leaf = await self._reader.leaf_of_event(_identifier(request.event_id))
        if leaf is None:
            raise NotFoundError("no leaf carries this event")
        size = request.tree_size or checkpoint.size
        await self._require_size(size)
        if leaf.index >= size:
            raise ConflictError(f"leaf {leaf.index} is not yet in a tree of {size} leaves; ask again shortly")
        hashes = await self._reader.range_hashes(proofs.inclusion(leaf.index, size))
        return pb.GetInclusionProofResponse(leaf=leaf, tree_size=size, hashes=hashes, checkpoint=checkpoint.note)

    async def GetConsistencyProof(
        self, request: pb.GetConsistencyProofRequest, context: Any
    ) -> pb.GetConsistencyProofResponse:
        if request.old_size > request.new_size:
            raise InvalidInputError("old_size is larger than new_size")
        await self._require_size(request.new_size)
        return pb.GetConsistencyProofResponse(hashes=await self._reader.growth(request.old_size, request.new_size))

    async def ReadLeaves(self, request: pb.ReadLeavesRequest, context: Any) -> AsyncIterator[pb.ReadLeavesResponse]:
        end = request.end or (await self._checkpoint()).size
        await self._require_size(end)
        if request.start > end:
            raise InvalidInputError("start is larger than end")
        async for leaf in self._reader.leaves(request.start, end):
            yield pb.ReadLeavesResponse(leaf=leaf)

    async def Trace(self, request: pb.TraceRequest, context: Any) -> pb.TraceResponse:
        leaves = await self._reader.trace(_identifier(request.id), MAX_TRACE)
        if not leaves:
            raise NotFoundError("no event, message, document, image or assessment has this id")
        return pb.TraceResponse(leaves=leaves)

    async def ListLooks(self, request: pb.ListLooksRequest, context: Any) -> pb.ListLooksResponse:
        if not 0 < len(request.patients) <= MAX_PATIENTS or not all(each.id for each in request.patients):
            raise InvalidInputError(f"1 to {MAX_PATIENTS} patients, each with an id")
        size = request.page_size or DEFAULT_LOOKS
        if size > MAX_LOOKS:
            raise InvalidInputError(f"page_size must be at most {MAX_LOOKS}")
        before = (await self._checkpoint()).size
        if request.page_token:
            if not request.page_token.isdecimal() or len(request.page_token) > MAX_TOKEN:
                raise InvalidInputError("page_token is not one of this service")
            before = min(before, int(request.page_token))
        # Looks from before a rotation stand under the key of their time.
        pseudonyms = [pseudonym(key, format_patient(each)) for key in self._pseudonym_keys for each in request.patients]
        leaves = await self._reader.looks(pseudonyms, before, size + 1)
        more = str(leaves[size - 1].index) if len(leaves) > size else ""
        return pb.ListLooksResponse(leaves=leaves[:size], next_page_token=more)

    async def GetCompleteness(self, request: pb.GetCompletenessRequest, context: Any) -> pb.GetCompletenessResponse:
        ends = await self._records.end_offsets()
        return pb.GetCompletenessResponse(partitions=partition_counts(await self._log.positions(), ends))

    async def GetFeeds(self, request: pb.GetFeedsRequest, context: Any) -> pb.GetFeedsResponse:
        facility = _identifier(request.facility) if request.facility else ""
        since = _EARLIEST
        if request.HasField("since"):
            try:
                since = request.since.ToDatetime(tzinfo=UTC)
            except (ValueError, OverflowError):
                raise InvalidInputError("since is no time") from None
        feeds = await self._reader.feeds(facility, since, MAX_FEEDS)
        if facility and not feeds:
            raise NotFoundError("nothing came from this facility")
        return pb.GetFeedsResponse(feeds=feeds)

    async def ping(self) -> None:
        """Raise when there is no checkpoint to answer with: no database, or nothing published yet."""
        await self._checkpoint()

    async def _checkpoint(self) -> SignedCheckpoint:
        checkpoint = await self._log.published_checkpoint()
        if checkpoint is None:
            raise UnavailableError("no checkpoint is published yet; ask again shortly")
        return checkpoint

    async def _require_size(self, size: int) -> None:
        if size > (await self._log.frontier()).size:
            raise ConflictError("tree_size is larger than the log")


def _identifier(text: str) -> str:
    if not text or len(text) > MAX_IDENTIFIER_CHARACTERS or "\0" in text:
        raise InvalidInputError(f"an id has 1 to {MAX_IDENTIFIER_CHARACTERS} characters")
    return text
