"""The evidence library: what ships with the product, and what operators load.

Guarantees: loading the same passages again changes nothing; what was loaded is announced as EvidenceLoaded even if the
process dies in between (the announcement is recorded in the same transaction).
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from uuid import uuid4

from contracts.identifiers import event_id
from contracts.topics import EVIDENCE_LOADED
from eventbus import Outbox, Outgoing, stage
from google.protobuf import json_format
from longitude.memory.v1.events_pb2 import EvidenceLoaded
from longitude.record.v1.context_pb2 import Passage

from memory.adapters.postgres import Store, evidence
from memory.domain.passages import PassageError, check

log = logging.getLogger("memory.flows.library")

# The partition key of announcements: one after the other.
KEY = b"evidence"


class Library:
    """Loads passages into the record and announces them."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox

    async def load(self, passages: Sequence[Passage]) -> int:
        """Load or replace passages; PassageError when one cannot be; return how many changed."""
        for passage in passages:
            check(passage)
        if len({passage.passage_id for passage in passages}) != len(passages):
            raise PassageError("a passage_id stands twice in one load")
        async with self._store.connection() as conn, conn.transaction():
            changed = set(await evidence.load(conn, passages))
            if changed:
                outgoing = _evidence_loaded([passage for passage in passages if passage.passage_id in changed])
                await stage(conn, str(uuid4()), [outgoing])
        self._outbox.flush()
        return len(changed)

    async def stock(self) -> None:
        """Load what ships with the product."""
        changed = await self.load(shipped())
        log.info("evidence library stocked", extra={"changed": changed})


def shipped() -> list[Passage]:
    """The authored passages, file by file in the order of their names."""
    folder = files("memory") / "evidence"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".jsonl"))
    return [passage for name in names for passage in parse((folder / name).read_text(encoding="utf-8"))]


def parse(jsonl: str) -> list[Passage]:
    """One JSON object per line, in the form of evidence/README.md; PassageError names the line."""
    passages = []
    for number, line in enumerate(jsonl.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            passages.append(json_format.Parse(line, Passage()))
        except json_format.ParseError as error:
            raise PassageError(f"line {number}: not a passage: {error}") from error
    return passages


def _evidence_loaded(passages: Sequence[Passage]) -> Outgoing:
    digest = hashlib.sha256()
    for passage in passages:
        digest.update(passage.SerializeToString(deterministic=True))
    sha256 = digest.hexdigest()
    payload = EvidenceLoaded(passage_ids=[passage.passage_id for passage in passages], sha256=sha256)
    return Outgoing(EVIDENCE_LOADED, event_id("evidence-loaded", sha256), KEY, payload, datetime.now(UTC))
