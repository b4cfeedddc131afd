"""What auditing does with its two inputs, records to write down and the moment for a checkpoint; and at its start."""

from collections.abc import Sequence
from datetime import UTC, datetime

from contracts.identifiers import event_id
from contracts.topics import CHECKPOINT_PUBLISHED
from eventbus import Outbox, Outgoing, tracing
from longitude.auditing.v1.events_pb2 import CheckpointPublished

from auditing import metrics
from auditing.adapters.objects import TileWriter
from auditing.adapters.postgres import Log, SignedCheckpoint
from auditing.adapters.witnesses import Witnesses
from auditing.domain.audit_event import entry_of
from auditing.domain.notes import Checkpoint, Signer
from auditing.domain.records import Record
from auditing.domain.sequencing import Plan


async def on_records(records: Sequence[Record], *, log: Log, pseudonym_key: bytes) -> Plan:
    """Make each record a leaf, or a duplicate of one; nothing if it is recorded already."""
    with tracing.handling_batch((record.topic for record in records), "auditing"):
        plan = await log.append([entry_of(record, pseudonym_key) for record in records])
    metrics.LEAVES.inc(len(plan.leaves))
    metrics.DUPLICATES.inc(len(plan.duplicates))
    return plan


async def on_bucket_opened(*, log: Log, tiles: TileWriter) -> None:
    """Write the tiles that the bucket lacks: it was lost, or another state of the log stands there (a restore)."""
    published = await log.published_checkpoint()
    covered = await log.signed_size(await tiles.shown_checkpoint())
    if published is not None and covered < published.size:
        await tiles.write(covered, published)


async def on_checkpoint_due(
    *, log: Log, tiles: TileWriter, outbox: Outbox, signer: Signer, witnesses: Witnesses
) -> None:
    """Sign the tree as it stands, then bring out what was signed: cosignatures, tiles, checkpoint object, event.

    A signed checkpoint is stored first and brought out in order, also after a crash in between; all steps repeat
    harmlessly. Its event is staged with the mark that tiles and object are out, and carries that time: consumers tell
    checkpoints apart by size.
    """
    published = await log.published_checkpoint()
    frontier = await log.frontier()
    if published is None or frontier.size > published.size:
        checkpoint = Checkpoint(signer.name, frontier.size, frontier.root())
        await log.save_checkpoint(checkpoint, signer.sign(checkpoint.text()))
    elif witnesses and not published.cosignatures and await _cosigned(published, log, witnesses):
        # They were away when it came out, and nothing has come since.
        await tiles.write_checkpoint(await log.published_checkpoint() or published)
    covered = published.size if published else 0
    while waiting := await log.unpublished_checkpoint():
        if witnesses and not waiting.cosignatures and await _cosigned(waiting, log, witnesses):
            waiting = await log.unpublished_checkpoint() or waiting
        await tiles.write(covered, waiting)
        await log.mark_published(waiting.size, _announcement(signer.name, waiting))
        outbox.flush()
        metrics.CHECKPOINT_SIZE.set(waiting.size)
        covered = waiting.size


async def _cosigned(checkpoint: SignedCheckpoint, log: Log, witnesses: Witnesses) -> bool:
    lines = await witnesses.cosign(checkpoint)
    if lines:
        await log.keep_cosignatures(checkpoint.size, lines)
    return bool(lines)


def _announcement(origin: str, checkpoint: SignedCheckpoint) -> Outgoing:
    payload = CheckpointPublished(origin=origin, size=checkpoint.size, root_hash=checkpoint.root, note=checkpoint.note)
    identifier = event_id("checkpoint", origin, str(checkpoint.size), checkpoint.root)
    return Outgoing(CHECKPOINT_PUBLISHED, identifier, origin.encode(), payload, datetime.now(UTC))
