"""An audit consumer: an event is handed over only after its place in the log was proved.

For each record: the log has a leaf for this very place, the leaf names the hash of the value as read, it stands in
a tree whose head the pinned key signed, and that tree contains every tree seen before. A record that the log has as
a redelivery of an earlier event is counted and not handed over a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from client.api.auditing import AuditingClient
from client.errors import NotThereError, RefusedError, VerificationError
from client.kafka import Span
from client.records import RawRecord
from client.verify.event import ProvenLeaf, prove_event, require_growth
from client.verify.leaf import check_record
from client.verify.note import Checkpoint, VerifierKey

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class VerifiedRecord:
    """A record and the proof that it is in the log."""

    record: RawRecord
    proof: ProvenLeaf


class AuditConsumer:
    """Hands over the records of a span, each verified."""

    def __init__(self, auditing: AuditingClient, key: VerifierKey, head: Checkpoint | None = None) -> None:
        self._auditing = auditing
        self._key = key
        self.head = head
        self.redelivered = 0

    async def verified(self, span: Span, *, wait: float = 30.0) -> AsyncIterator[VerifiedRecord]:
        """Records in order within a partition; VerificationError at the first that does not hold.

        The log gets `wait` seconds to cover a record that has just been written.
        """
        async for record in span.records():
            proof = await self._prove(record, wait)
            if (proof.leaf.topic, proof.leaf.partition, proof.leaf.offset) != record.place:
                self._require_redelivery(proof, record)
                self.redelivered += 1
                continue
            check_record(proof.leaf, record)
            yield VerifiedRecord(record, proof)

    async def _prove(self, record: RawRecord, wait: float) -> ProvenLeaf:
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            try:
                proof = await prove_event(self._auditing, record.event_id, self._key)
            except (NotThereError, RefusedError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise VerificationError("{}/{}/{}: not in the log".format(*record.place)) from error
                await asyncio.sleep(POLL_SECONDS)
            else:
                await self._follow(proof.head)
                return proof

    async def _follow(self, head: Checkpoint) -> None:
        if self.head is not None:
            await require_growth(self._auditing, self.head, head)
        self.head = head

    @staticmethod
    def _require_redelivery(proof: ProvenLeaf, record: RawRecord) -> None:
        """A redelivery carries the id of an event of the same topic that the log has at an earlier place."""
        if proof.leaf.topic != record.topic or proof.leaf.event_id != record.event_id:
            raise VerificationError("{}/{}/{}: the log has another event under its id".format(*record.place))
