"""The drill: a backup while messages come, everything destroyed, restored, verified, and on it goes."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from backup import manifest, restoring, witness
from backup.errors import BackupError
from manifests.grants import COMMAND
from native_stack import Stack, backing
from native_stack.control import StackError
from testkit.backends import Backends
from testkit.running import RunningStack

from tests.faults.campaign import PARTS, message
from tests.observe import Facts, Observer, until
from tests.story import MESSAGES, Feed, Telling
from tests.system.after_story import PATIENT, QUESTION

NEVER_BEFORE = "DURING", "P1"
# Nobody asks the embedder or the reasoner: rules answer, and notes are found by their words.
NO_TRITON = {"triton": "127.0.0.1:9"}

pytestmark = pytest.mark.timeout(240)


@dataclass(slots=True)
class Sender:
    """A feed that goes on while the backup is taken: when each of its messages was acknowledged."""

    endpoint: str
    acknowledged: dict[str, datetime] = field(default_factory=dict)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        feed = Feed(self.endpoint)
        while not self.stop.is_set():
            await self.send(feed)
            await asyncio.sleep(0.02)
        await feed.close()

    async def send(self, feed: Feed) -> None:
        number = len(self.acknowledged) + 1
        assert b"MSA|AA" in await feed.send(message(*NEVER_BEFORE, number))
        self.acknowledged[f"{NEVER_BEFORE[1]}-{number}"] = datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Before:
    """What was known before everything was destroyed."""

    facts: Facts
    assessment_id: str
    signed: Any
    acknowledged: dict[str, datetime]
    backup: Path


@pytest.fixture(scope="module")
def passphrase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    file = tmp_path_factory.mktemp("passphrase") / "passphrase"
    file.write_text("correct horse battery staple")
    file.chmod(0o600)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(backing.PASSPHRASE, str(file))
        yield


@pytest.fixture(scope="module")
def path(new_stack: Callable[..., Stack]) -> RunningStack:
    up = new_stack((*PARTS, "reasoning", "witness"), elsewhere=NO_TRITON)
    return RunningStack(up, up.endpoints())


@pytest.fixture(scope="module")
def before(path: RunningStack, passphrase: None, tmp_path_factory: pytest.TempPathFactory) -> Before:
    observer, folder = Observer(path), tmp_path_factory.mktemp("backup") / "taken"
    asyncio.run(_tell(path.endpoints["LONGITUDE_MLLP"]))
    until(observer.log_is_whole, "every record in the log")
    drafted = observer.json("ask", PATIENT, QUESTION)
    observer.json("review", drafted["assessment_id"], "--accept")
    until(observer.log_is_whole, "the review in the log")
    observer.json("audit", "verify")
    signed = observer.json("verify-signature", drafted["assessment_id"])
    sender = Sender(path.endpoints["LONGITUDE_MLLP"])
    asyncio.run(_back_up(path.stack, folder, sender))
    # Somebody verifies the log as it is after the backup: it has leaves that will be lost.
    until(observer.log_is_whole, "what came after it in the log")
    _verify(observer, "late")
    facts = observer.facts(Telling(0).northwest)
    return Before(facts, drafted["assessment_id"], signed, sender.acknowledged, folder)


async def _tell(endpoint: str) -> None:
    feed = Feed(endpoint)
    for file in MESSAGES:
        assert b"MSA|AA" in await feed.send(Telling(0).message(file))
    await feed.close()


async def _back_up(stack: Stack, folder: Path, sender: Sender) -> None:
    sending = asyncio.create_task(sender.run())
    await asyncio.sleep(1)
    await asyncio.to_thread(backing.backup, stack, folder)
    await asyncio.sleep(1)
    sender.stop.set()
    await sending


def _verify(observer: Observer, who: str) -> "subprocess.CompletedProcess[str]":
    """As somebody with a memory of their own."""
    return subprocess.run(
        [sys.executable, "-m", "client", "audit", "verify", "--json"],
        env=os.environ | observer.endpoints | {"XDG_STATE_HOME": str(observer.stack.directory / who)},
        cwd=observer.stack.directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def after(path: RunningStack, before: Before, backends: Backends) -> RunningStack:
    """The same stack, on the data of the backup alone."""
    path.stack.down()
    shutil.rmtree(path.directory / "data")
    (path.directory / "credentials.json").unlink()
    backing.restore(path.stack, before.backup)
    issuer = urlsplit(backends.issuer["LONGITUDE_ISSUER"]).netloc
    endpoints = path.stack.up(
        parts=(*PARTS, "reasoning", "witness"),
        free_ports=True,
        owned=True,
        elsewhere={"issuer": issuer, **NO_TRITON},
        trusted=(COMMAND,),
    )
    return RunningStack(path.stack, endpoints)


def recorded(stack: RunningStack) -> Counter[str]:
    """By message: how many facts of the result that each has of its own."""
    facts = Observer(stack).json("timeline", f"{NEVER_BEFORE[1]}@{NEVER_BEFORE[0]}")
    return Counter(fact["source"]["control_id"] for fact in facts if fact["code"]["code"] == "2160-0")


def test_what_was_acknowledged_before_the_moment_is_recorded_once(before: Before, after: RunningStack) -> None:
    moment = datetime.fromisoformat(manifest.read(before.backup).moment)
    sure = {control_id for control_id, at in before.acknowledged.items() if at < moment}
    assert sure
    assert len(sure) < len(before.acknowledged)
    until(lambda: sure <= recorded(after).keys(), "every acknowledged message recorded")
    observer = Observer(after)
    until(observer.log_is_whole, "every record in the log")
    assert set(recorded(after).values()) == {1}
    assert observer.facts(Telling(0).northwest) == before.facts


def test_the_log_verifies_also_for_who_verified_it_before(before: Before, after: RunningStack) -> None:
    observer = Observer(after)
    until(observer.log_is_whole, "every record in the log")
    verified = observer.json("audit", "verify")
    assert (verified["missing"], verified["problems"]) == (0, [])
    assert verified["cosigned"] == 1


def test_leaves_that_were_lost_are_noticed_by_who_saw_them(before: Before, after: RunningStack) -> None:
    seen = _verify(Observer(after), "late")
    assert seen.returncode != 0
    assert "it was cut back to" in seen.stdout or "are not those that the log once signed" in seen.stdout


def test_what_was_signed_verifies_and_new_messages_are_recorded(before: Before, after: RunningStack) -> None:
    observer = Observer(after)
    assert observer.json("verify-signature", before.assessment_id) == before.signed
    sender = Sender(after.endpoints["LONGITUDE_MLLP"], dict.fromkeys(map(str, range(5000)), datetime.now(UTC)))

    async def send() -> None:
        feed = Feed(sender.endpoint)
        await sender.send(feed)
        await feed.close()

    asyncio.run(send())
    until(lambda: recorded(after)["P1-5001"] == 1, "the new message recorded")
    until(observer.log_is_whole, "and in the log")
    assert observer.json("audit", "verify")["missing"] == 0


def test_the_witness_says_that_leaves_would_be_lost(before: Before, after: RunningStack) -> None:
    """It cosigned what came after the backup: nobody goes back behind it without being told."""
    stated = manifest.read(before.backup)
    (url,) = backing.settings(after.stack)["LONGITUDE_WITNESSES"].split()
    assert stated.log is not None
    assert witness.seen(url, stated.log) > stated.log.size
    with pytest.raises(BackupError, match="--after-loss goes on"):
        restoring.require_told(stated, [url])


def test_nothing_is_overwritten_unless_told(before: Before, after: RunningStack) -> None:
    with pytest.raises(StackError, match="`down` stops it"):
        backing.restore(after.stack, before.backup)
    after.stack.down()
    with pytest.raises(StackError, match="--replace gives them up"):
        backing.restore(after.stack, before.backup)
    with pytest.raises(StackError, match="--after-loss goes on"):
        backing.restore(after.stack, before.backup, replace=True)
    assert (after.directory / "data" / "postgres" / "data" / "PG_VERSION").exists()
