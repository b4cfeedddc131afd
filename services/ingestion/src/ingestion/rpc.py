"""The IngestionService: a person files an instance, an operator tries a feed file or has everything read again.

Decisions are in `domain`.
"""

# ruff: noqa: N802, ARG002 - names and arguments are those of the generated servicer

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.errors import InvalidInputError
from longitude.ingestion.v1 import ingestion_service_pb2 as pb
from longitude.ingestion.v1.events_pb2 import Filing
from longitude.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceServicer

from ingestion.domain import feed_file
from ingestion.domain.rereading import messages_of
from ingestion.domain.timestamps import to_proto
from ingestion.domain.trial import changes
from ingestion.flows.rereading import Rereading
from ingestion.handlers import Intake, on_filing

LONGEST_TEXT = 255
MOST_MESSAGES = 1_000
MOST_BYTES = 8 * 1024 * 1024


class Rpc(IngestionServiceServicer):
    """Commands of people."""

    def __init__(self, intake: Intake, rereading: Rereading) -> None:
        self._intake = intake
        self._rereading = rereading

    async def FileInstance(self, request: pb.FileInstanceRequest, context: Any) -> pb.FileInstanceResponse:
        texts = {
            "sop_instance_uid": request.sop_instance_uid,
            "patient.id": request.patient.id,
            "patient.authority": request.patient.authority,
            "filed_by": request.filed_by,
            "reason": request.reason,
        }
        _check_texts(texts)
        filing = Filing(filed_by=request.filed_by, reason=request.reason)
        at = datetime.now(UTC)
        event_id = await on_filing(request.sop_instance_uid, request.patient, filing, at, self._intake)
        return pb.FileInstanceResponse(event_id=event_id)

    async def TryFeeds(self, request: pb.TryFeedsRequest, context: Any) -> pb.TryFeedsResponse:
        if len(request.messages) > MOST_MESSAGES or request.ByteSize() > MOST_BYTES:
            raise InvalidInputError(f"at most {MOST_MESSAGES} messages and {MOST_BYTES} bytes are tried at once")
        try:
            candidate = feed_file.parse(request.feeds, "feeds")
        except feed_file.FeedFileError as error:
            raise InvalidInputError(str(error)) from None
        # Reading is work of the CPU, and senders are answered meanwhile.
        made = await asyncio.to_thread(lambda: [*changes(request.messages, self._intake.feed, candidate)])
        return pb.TryFeedsResponse(changes=made)

    async def StartRereading(self, request: pb.StartRereadingRequest, context: Any) -> pb.StartRereadingResponse:
        _check_texts({"started_by": request.started_by, "reason": request.reason})
        rereading_id = await self._rereading.start(request.started_by, request.reason)
        return pb.StartRereadingResponse(rereading_id=rereading_id)

    async def GetRereading(self, request: pb.GetRereadingRequest, context: Any) -> pb.GetRereadingResponse:
        last = await self._rereading.last()
        if last is None:
            return pb.GetRereadingResponse()
        started, at, finished = last
        return pb.GetRereadingResponse(
            rereading_id=started.rereading_id,
            started_by=started.started_by,
            reason=started.reason,
            reader=started.reader,
            started_at=to_proto(at),
            messages=messages_of(list(started.spans)),
            finished=finished,
        )


def _check_texts(texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        if not text.strip() or len(text) > LONGEST_TEXT or not text.isprintable():
            raise InvalidInputError(f"{name} has 1 to {LONGEST_TEXT} printable characters")
