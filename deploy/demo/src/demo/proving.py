"""Verifies the log from outside, and one event in it: nothing here believes what the service says about itself."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from client import kafka
from client import looks as recorded
from client.api import AuditingClient
from client.errors import NotThereError, RefusedError
from client.forms import Form
from client.stack import Stack
from client.verify.event import ProvenLeaf, prove_event
from client.verify.log import verify_log
from client.verify.note import VerifierKey
from client.verify.pins import Pins, key_to_trust
from client.verify.report import Report
from longitude.record.v1.fact_pb2 import PatientKey

from demo.stages import Say
from demo.waiting import NotSettledError

WITHIN_SECONDS = 30.0
POLL_SECONDS = 0.5


async def verify(stack: Stack, auditing: AuditingClient, say: Say) -> Report:
    """The whole log: signatures, tree, and every record that Kafka holds against its leaf."""

    def progress(stage: str, done: int, total: int) -> None:
        say(f"{done} of {total} {stage}")

    async with kafka.connect(stack.endpoint("kafka")) as records:
        report = await verify_log(auditing, records, Pins(stack.state), progress=progress)
    say(f"{report.size} leaves rebuilt, {report.verified} payloads hashed again, {report.missing} missing")
    return report


async def prove(stack: Stack, auditing: AuditingClient, event_id: str, say: Say) -> ProvenLeaf:
    """The inclusion proof of one event, verified; the log gets half a minute to take the event in."""
    key = await _key(stack, auditing)
    clock = asyncio.get_running_loop().time
    deadline = clock() + WITHIN_SECONDS
    while True:
        try:
            proof = await prove_event(auditing, event_id, key)
        except (NotThereError, RefusedError):
            if clock() > deadline:
                raise
            await asyncio.sleep(POLL_SECONDS)
        else:
            say(f"leaf {proof.leaf.index}, {len(proof.steps)} hashes to the signed root")
            return proof


async def looks(
    stack: Stack, auditing: AuditingClient, patient: PatientKey, since: datetime, many: int
) -> Sequence[Form]:
    """The looks at a patient from a moment on, `many` of them, each proven; the first first.

    NotSettledError when they are not in the log after half a minute.
    """
    key = await _key(stack, auditing)
    clock = asyncio.get_running_loop().time
    deadline = clock() + WITHIN_SECONDS
    while True:
        proofs = await recorded.proven(auditing, [patient], many, key)
        listed = [recorded.form(proof.leaf) for proof in reversed(proofs)]
        if len(listed) == many and datetime.fromisoformat(listed[0]["looked_at"]) >= since:
            return listed
        if clock() > deadline:
            raise NotSettledError(f"fewer than {many} looks came into the log in {WITHIN_SECONDS:.0f} s")
        await asyncio.sleep(POLL_SECONDS)


async def _key(stack: Stack, auditing: AuditingClient) -> VerifierKey:
    shown = await auditing.checkpoint()
    return key_to_trust(shown.verifier_key, "", Pins(stack.state).load(), shown.older_keys)
