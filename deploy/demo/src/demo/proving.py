"""Verifies the log from outside, and one event in it: nothing here believes what the service says about itself."""

import asyncio

from client import kafka
from client.api import AuditingClient
from client.errors import NotThereError, RefusedError
from client.stack import Stack
from client.verify.event import ProvenLeaf, prove_event
from client.verify.log import verify_log
from client.verify.pins import Pins, key_to_trust
from client.verify.report import Report

from demo.stages import Say

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
    offered = (await auditing.checkpoint()).verifier_key
    key = key_to_trust(offered, "", Pins(stack.state).load())
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
