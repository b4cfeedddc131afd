"""The evidence library: packages are imported into quarantine, released by two people, withdrawn by one.

What ships with the product is loaded and released at start, as shipped, unless people have decided about the passage:
then it waits in quarantine as anything else. Guarantees: importing the same passages again changes nothing; each step
is an event, published even if the process dies in between (it is recorded in the same transaction).
"""

import asyncio
import itertools
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

from consult import times
from contracts.errors import NotFoundError
from contracts.packages import Package, PackageError, read
from contracts.publishers import PublisherKey, read_publishers, verify
from eventbus import Outbox, Outgoing, stage
from longitude.memory.v1.events_pb2 import DoseConflict
from longitude.memory.v1.memory_service_pb2 import EvidenceManifest
from longitude.record.v1.context_pb2 import Passage, PassageRelease

from memory.adapters.postgres import Connection, Store, evidence, releases
from memory.domain.doses import Limits
from memory.domain.passages import PassageError, check
from memory.domain.releases import (
    Decision,
    Edition,
    State,
    Who,
    check_approval,
    check_withdrawal,
    edition_id,
    is_approved,
)
from memory.flows import announcements

log = logging.getLogger("memory.flows.library")

Trusted = Mapping[str, Sequence[PublisherKey]]
_FOLDER = files("memory") / "evidence"


@dataclass(frozen=True, slots=True)
class Imported:
    """Editions that are new, and the doses in them that stand against a limit."""

    editions: list[Edition]
    conflicts: list[DoseConflict]


@dataclass(frozen=True, slots=True)
class Seen:
    """An edition with what a person who decides about it is shown."""

    edition: Edition
    conflicts: Sequence[DoseConflict] = ()
    replaces: str = ""


class Library:
    """Every method is one transaction; one at a time decides about the library."""

    def __init__(self, store: Store, outbox: Outbox, trusted: Trusted) -> None:
        self._store = store
        self._outbox = outbox
        self._trusted = trusted

    async def load(
        self, passages: Sequence[Passage], manifest: EvidenceManifest | None, who: Who, *, unsigned_local: bool = False
    ) -> Imported:
        """Into quarantine; PassageError or PackageError when they cannot be."""
        check_all(passages)
        if manifest is not None:
            verify(manifest, passages, self._trusted)
        elif not unsigned_local:
            raise PackageError("nobody signed these passages: import them as unsigned and local, if that is meant")
        async with self._store.connection() as conn, conn.transaction():
            await releases.lock(conn)
            new = await _unknown(conn, editions(passages, manifest, who))
            conflicts = await _conflicts(conn, new)
            if new:
                await releases.add(conn, new)
                await stage(conn, str(uuid4()), [announcements.loaded(new, conflicts)])
        self._outbox.flush()
        return Imported(new, conflicts)

    async def stock(self) -> None:
        """Load what ships with the product. Nobody here approved it: it is released as shipped."""
        packages = shipped_packages()
        async with self._store.connection() as conn, conn.transaction():
            await releases.lock(conn)
            given = [each for package in packages for each in editions(package.passages, package.manifest, None)]
            new = await _unknown(conn, given)
            decided = await releases.decided(conn, [each.passage.passage_id for each in new])
            await releases.add(conn, new)
            speaking = [each for each in new if each.passage.passage_id not in decided]
            outgoing = [*_loaded(new), *await _release(conn, speaking, datetime.now(UTC))]
            await stage(conn, str(uuid4()), outgoing)
        self._outbox.flush()
        log.info("evidence library stocked", extra={"changed": len(new)})

    async def approve(self, edition_ids: Iterable[str], by: Who, reason: str) -> list[Seen]:
        """A person's approval of all of them, or of none; those that it completes are released."""
        ids, at = list(dict.fromkeys(edition_ids)), datetime.now(UTC)
        async with self._store.connection() as conn, conn.transaction():
            await releases.lock(conn)
            for each in await _seen(conn, await _wanted(conn, ids)):
                check_approval(each.edition, by, reason, conflicts=each.conflicts)
            await releases.step(conn, ids, "approved", at, by, reason)
            approved = await _wanted(conn, ids)
            outgoing = [announcements.approved(each) for each in approved]
            outgoing += await _release(conn, [each for each in approved if is_approved(each)], at)
            await stage(conn, str(uuid4()), outgoing)
            now = await _seen(conn, await _wanted(conn, ids))
        self._outbox.flush()
        return now

    async def withdraw(self, edition_id: str, by: Who, reason: str) -> Seen:
        """From now on nothing cites it; whoever cited it hears of it by the event."""
        at = datetime.now(UTC)
        async with self._store.connection() as conn, conn.transaction():
            await releases.lock(conn)
            (edition,) = await _wanted(conn, [edition_id])
            check_withdrawal(edition, reason)
            await releases.step(conn, [edition_id], "withdrawn", at, by, reason)
            await evidence.remove(conn, edition_id)
            withdrawn = replace(edition, withdrawal=Decision(by, reason, at))
            await stage(conn, str(uuid4()), [announcements.withdrawn(withdrawn)])
        self._outbox.flush()
        return Seen(withdrawn)

    async def page(self, state: State | None, after: str, size: int) -> list[Seen]:
        """Editions in the order of their ids, from behind one of them."""
        async with self._store.connection() as conn:
            return await _seen(conn, await releases.page(conn, state, after, size))

    async def edition(self, edition_id: str) -> Seen:
        """NotFoundError."""
        async with self._store.connection() as conn:
            (seen,) = await _seen(conn, await _wanted(conn, [edition_id]))
        return seen


def check_all(passages: Sequence[Passage]) -> None:
    """PassageError for the first that is incomplete, or stands twice."""
    for passage in passages:
        check(passage)
    if len({passage.passage_id for passage in passages}) != len(passages):
        raise PassageError("a passage_id stands twice in one load")


def editions(passages: Iterable[Passage], manifest: EvidenceManifest | None, who: Who | None) -> list[Edition]:
    """What an import brings."""
    said, at = manifest or EvidenceManifest(), datetime.now(UTC)
    return [
        Edition(edition_id(each, said.publisher), each, said.publisher, said.edition, said.date, who, at)
        for each in passages
    ]


def shipped() -> list[Passage]:
    """The authored passages, file by file in the order of their names."""
    return [passage for package in shipped_packages() for passage in package.passages]


def shipped_packages() -> list[Package]:
    """What ships with the product; PackageError unless it is what was signed."""
    names = sorted(file.name for file in _FOLDER.iterdir() if file.name.endswith(".jsonl"))
    packages = [read((_FOLDER / name).read_text(encoding="utf-8")) for name in names]
    keys = own_publishers()
    for name, package in zip(names, packages, strict=True):
        if package.manifest is None:
            raise PackageError(f"{name}: what ships with the product is signed")
        verify(package.manifest, package.passages, keys)
    return packages


def trusted(file: Path | None) -> Trusted:
    """The keys of the operator's file; without one, those of the product."""
    return read_publishers(file.read_text(encoding="ascii")) if file else own_publishers()


def own_publishers() -> Trusted:
    """The keys that what ships with the product is signed by."""
    return read_publishers((_FOLDER / "publishers.txt").read_text(encoding="ascii"))


async def _unknown(conn: Connection, given: Sequence[Edition]) -> list[Edition]:
    known = await releases.known(conn, [each.edition_id for each in given])
    return [each for each in given if each.edition_id not in known]


async def _wanted(conn: Connection, edition_ids: Sequence[str]) -> list[Edition]:
    by_id = {each.edition_id: each for each in await releases.of_ids(conn, edition_ids)}
    for name in edition_ids:
        if name not in by_id:
            raise NotFoundError("no such edition of evidence")
    return [by_id[name] for name in dict.fromkeys(edition_ids)]


async def _conflicts(conn: Connection, some: Sequence[Edition]) -> list[DoseConflict]:
    """Of many passages that takes a while of computing: other requests go on meanwhile."""
    limits = Limits(await evidence.everything(conn))
    return await asyncio.to_thread(
        lambda: [one for each in some for one in limits.conflicts(each.passage, each.edition_id)]
    )


async def _seen(conn: Connection, some: Sequence[Edition]) -> list[Seen]:
    waiting = [each for each in some if each.state is State.QUARANTINED]
    conflicts = await _conflicts(conn, waiting) if waiting else []
    speaking = await evidence.speaking(conn, [each.passage.passage_id for each in waiting])
    return [
        Seen(
            each,
            [one for one in conflicts if one.edition_id == each.edition_id],
            speaking.get(each.passage.passage_id, "") if each in waiting else "",
        )
        for each in some
    ]


def _loaded(new: Iterable[Edition]) -> list[Outgoing]:
    """An event for each package."""
    packages = itertools.groupby(new, key=lambda each: (each.publisher, each.edition, each.date))
    return [announcements.loaded(list(package), ()) for _, package in packages]


async def _release(conn: Connection, some: Sequence[Edition], at: datetime) -> list[Outgoing]:
    """They speak from now on, each in the place of the edition before it."""
    if not some:
        return []
    before = await evidence.speaking(conn, [each.passage.passage_id for each in some])
    superseded = sorted(before.values())
    await releases.step(conn, [each.edition_id for each in some], "released", at)
    await releases.step(conn, superseded, "superseded", at)
    await evidence.put(conn, [_released(each, at) for each in some])
    return [announcements.released(some, superseded, at)]


def _released(edition: Edition, at: datetime) -> Passage:
    """The passage as it speaks: with by whose decision."""
    passage = Passage()
    passage.CopyFrom(edition.passage)
    passage.release.CopyFrom(
        PassageRelease(
            edition_id=edition.edition_id,
            publisher=edition.publisher,
            edition=edition.edition,
            date=edition.date,
            approved_by=[each.by.name for each in edition.approvals],
            released_at=times.stamp(at),
        )
    )
    return passage
