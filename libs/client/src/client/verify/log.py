"""Verifying a whole log from outside: its checkpoint, every leaf, and every record that Kafka still holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from contracts.topics import CHECKPOINT_PUBLISHED

from client.api.auditing import AuditingClient
from client.errors import VerificationError
from client.kafka import Kafka, Span
from client.records import is_logged
from client.stores import NOTHING, Stores, compare, compare_tiles
from client.verify.event import require_growth
from client.verify.note import Checkpoint, VerifierKey, open_by_any, open_checkpoint
from client.verify.pins import Pins, key_to_trust
from client.verify.report import LogCheck, Report
from client.verify.stores import TABLES
from client.verify.witness import NOBODY, Quorum, require_quorum

POLL_SECONDS = 0.5
# What is stored is published within so long (eventbus.outbox sweeps every two seconds).
OUTBOX_SECONDS = 3.0

Progress = Callable[[str, int, int], None]


async def verify_log(
    auditing: AuditingClient,
    kafka: Kafka,
    pins: Pins,
    *,
    key: str = "",
    wait: float = 30.0,
    progress: Progress,
    quorum: Quorum = NOBODY,
    stores: Stores = NOTHING,
) -> Report:
    """Check everything; records that reached Kafka before the call must be in the log within `wait` seconds.

    `progress(stage, done, total)` is called as it goes. `quorum` says who must have cosigned the newest head; `stores`
    are held against the log. A log that passes is remembered.
    """
    # Before Kafka is read: the events of these rows are there then, or leave the outbox meanwhile.
    before = {table: await stores.rows.digests(table) for table in TABLES} if stores.rows else {}
    if before:
        await asyncio.sleep(OUTBOX_SECONDS)
    span = await kafka.span(is_logged)
    pin = pins.load()
    first = await auditing.checkpoint()
    trusted = key_to_trust(first.verifier_key, key, pin, first.older_keys)
    shown = [VerifierKey.parse(text) for text in (first.verifier_key, *first.older_keys)]
    check = LogCheck()
    if pin and pin.head:
        check.take_head(pin.head)
    newest = await _take_published_heads(check, kafka, [trusted, *shown])
    head = await _checkpoint_of(auditing, trusted, newest, wait)
    await _take_leaves(check, auditing, head, progress)
    await _take_records(check, span, progress)
    head = await _wait_for_leaves(check, auditing, trusted, head, wait, progress)
    report = check.finish(head, span.starts, span.ends)
    report.cosigned = await _cosigned(auditing, trusted, head, quorum, report, wait)
    await compare_tiles(check.hashes, stores, report)
    await compare(check.expected, before, stores, report)
    report.unseen = stores.unseen
    if report.holds:
        pins.save(_newest((await auditing.checkpoint()).note, trusted, shown[0]), head)
    return report


def _newest(note: str, trusted: VerifierKey, offered: VerifierKey) -> VerifierKey:
    """The key to remember: the newest where it signed what the trusted one signed, so that a rotation is followed."""
    try:
        open_checkpoint(note, trusted)
        open_checkpoint(note, offered)
    except VerificationError:
        return trusted
    return offered


async def _take_published_heads(check: LogCheck, kafka: Kafka, keys: Sequence[VerifierKey]) -> int:
    """The checkpoints that the log announced on its topic; returns the size of the newest."""
    newest = 0
    announced = await kafka.span(lambda topic: topic == CHECKPOINT_PUBLISHED.name)
    async for record in announced.records():
        # By any of the log's keys: more of them only add heads that the tree must pass through.
        head = open_by_any(CHECKPOINT_PUBLISHED.payload.FromString(record.value).note, keys)
        check.take_head(head)
        newest = max(newest, head.size)
    return newest


async def _checkpoint_of(auditing: AuditingClient, key: VerifierKey, size: int, wait: float) -> Checkpoint:
    """The newest checkpoint; given a moment to show the one that it has just announced."""
    deadline = asyncio.get_running_loop().time() + min(wait, 5.0)
    while True:
        head = open_checkpoint((await auditing.checkpoint()).note, key)
        if head.size >= size or asyncio.get_running_loop().time() > deadline:
            return head
        await asyncio.sleep(POLL_SECONDS)


async def _cosigned(
    auditing: AuditingClient, key: VerifierKey, head: Checkpoint, quorum: Quorum, report: Report, wait: float
) -> int:
    """How many witnesses cosigned this head, or one that it grew into; one that was away gets a moment."""
    deadline = asyncio.get_running_loop().time() + min(wait, 10.0)
    while True:
        note = (await auditing.checkpoint()).note
        await require_growth(auditing, head, open_checkpoint(note, key))
        try:
            return require_quorum(note, quorum.keys, quorum.least)
        except VerificationError as error:
            if asyncio.get_running_loop().time() > deadline:
                report.problem(f"tree head of {head.size} leaves: {error}")
                return 0
        await asyncio.sleep(POLL_SECONDS)


async def _take_leaves(check: LogCheck, auditing: AuditingClient, head: Checkpoint, progress: Progress) -> None:
    async for leaf in auditing.leaves(check.size, head.size):
        check.take_leaf(leaf)
        progress("leaves", check.size, head.size)


async def _take_records(check: LogCheck, span: Span, progress: Progress) -> None:
    total = sum(end - span.starts[place] for place, end in span.ends.items())
    done = 0
    async for record in span.records():
        check.take_record(record)
        done += 1
        progress("records", done, total)
    check.settle()


async def _wait_for_leaves(
    check: LogCheck,
    auditing: AuditingClient,
    key: VerifierKey,
    head: Checkpoint,
    wait: float,
    progress: Progress,
) -> Checkpoint:
    """Records younger than the checkpoint get their leaves with the next ones."""
    deadline = asyncio.get_running_loop().time() + wait
    while check.settle() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        newer = open_checkpoint((await auditing.checkpoint()).note, key)
        if newer.size < head.size:
            raise VerificationError(f"the log shrank from {head.size} to {newer.size} leaves while it was read")
        await _take_leaves(check, auditing, newer, progress)
        head = newer
    return head
