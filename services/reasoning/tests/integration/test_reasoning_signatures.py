"""A review stands only with the signature of who asks; what is altered afterwards anyone finds, without the service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import psycopg
import pytest
from client import people
from client.cli import signature as command
from client.errors import VerificationError
from client.login import Provider
from contracts import reviews
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1 import reasoning_service_pb2 as pb
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from native_stack import Stack
from native_stack.people import PEOPLE
from reasoning.adapters.postgres import Store
from servicekit.postgres import open_pool
from testkit import RunningStack
from testkit.calls import channel
from testkit.signing import sign_review

if TYPE_CHECKING:
    from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceAsyncStub

ACCEPTED = wire.REVIEW_DECISION_ACCEPTED
INVALID, DENIED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture(scope="module")
def alone(new_stack: Callable[..., Stack]) -> RunningStack:
    """Reasoning without memory and models: a review needs neither."""
    nowhere = {"memory": "127.0.0.1:1", "triton": "127.0.0.1:1"}
    stack = new_stack(("kafka", "postgres", "objects", "reasoning"), elsewhere=nowhere)
    return RunningStack(stack, stack.endpoints())


@pytest.fixture
async def door(alone: RunningStack) -> AsyncIterator[ReasoningServiceAsyncStub]:
    async with channel(alone.endpoints["LONGITUDE_REASONING"]) as opened:
        yield ReasoningServiceStub(opened)


@pytest.fixture
async def drafted(alone: RunningStack) -> str:
    """An assessment that waits for a physician."""
    name = str(uuid.uuid4())
    patient, statement = PatientKey(id="P1", authority="TEST"), wire.AssessedStatement(statement_id="s1", text="Text.")
    statement.released = True
    made = wire.Assessment(assessment_id=name, episode_id=name, patient=patient, statements=[statement])
    made.drafted_at.GetCurrentTime()
    async with open_pool(alone.endpoints["LONGITUDE_POSTGRES_REASONING_SERVICE"], "reasoning") as pool:
        await Store(pool).keep(made, b"", ObjectRef(key="k"), [])
    return name


def request(drafted: str) -> pb.ReviewRequest:
    return pb.ReviewRequest(assessment_id=drafted, reviewer="NWD17", decision=ACCEPTED)


async def refused(door: ReasoningServiceAsyncStub, asked: pb.ReviewRequest) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await door.Review(asked)
    stored = await door.GetAssessment(pb.GetAssessmentRequest(assessment_id=asked.assessment_id))
    assert not stored.review_bytes, "it was stored"
    return caught.value.code(), caught.value.details() or ""


def as_somebody(alone: RunningStack, name: str, folder: Path) -> dict[str, str]:
    """The variables of another demo person, signed in."""
    variables = {**os.environ, **alone.endpoints, "LONGITUDE_TOKEN_FILE": str(folder / f"{name}.json")}
    provider = Provider(variables, name)
    people.keep(variables, provider.by_browser(print), provider.issuer, provider.client_id, provider.key)
    return variables


async def test_who_signs_is_stored_with_the_review_and_in_its_event(
    door: ReasoningServiceAsyncStub, drafted: str
) -> None:
    await door.Review(await sign_review(door, request(drafted)))
    stored = await door.GetAssessment(pb.GetAssessmentRequest(assessment_id=drafted))
    form = command.check(stored.assessment_bytes, stored.review_bytes, None)
    person = PEOPLE["developer"]
    assert (form["name"], form["subject"], form["role"]) == (person.name, person.subject, "physician")
    assert (form["assessment_id"], form["decision"]) == (drafted, "accepted")


async def test_a_review_without_a_signature_or_with_another_requests_is_refused(
    door: ReasoningServiceAsyncStub, drafted: str
) -> None:
    unsigned = "a review is signed by its person: `longitude login`, then `longitude review`"
    assert await refused(door, request(drafted)) == (INVALID, unsigned)
    signed = await sign_review(door, request(drafted))
    signed.decision = wire.REVIEW_DECISION_REJECTED
    assert await refused(door, signed) == (INVALID, "what is asked is not what was signed")
    wrong = request(drafted)
    people.sign(os.environ, wrong, b"another assessment")
    assert "the assessment is not the one that was signed" in (await refused(door, wrong))[1]


async def test_nobody_hands_in_what_somebody_else_signed(
    alone: RunningStack, door: ReasoningServiceAsyncStub, drafted: str, tmp_path: Path
) -> None:
    """A service that was taken over has a person's token for a call at most; it has no key of theirs."""
    theirs, stored = request(drafted), await door.GetAssessment(pb.GetAssessmentRequest(assessment_id=drafted))
    people.sign(as_somebody(alone, "consultant", tmp_path), theirs, stored.assessment_bytes)
    assert await refused(door, theirs) == (DENIED, "who asks is not who signed")
    own, key = request(drafted), reviews.new_key()
    kept = people.signed_in(os.environ)
    about = people.claims(kept["key_token"])
    reviews.sign(own, stored.assessment_bytes, key, kept["key_token"], about)
    assert await refused(door, own) == (INVALID, "the person's signature does not hold")


async def test_a_nurse_signs_nothing(alone: RunningStack, drafted: str, tmp_path: Path) -> None:
    variables = as_somebody(alone, "nurse", tmp_path)
    assert people.claims(people.signed_in(variables)["key_token"])["roles"] == ["nurse"]
    code, told = longitude(variables, "review", drafted, "--accept")
    assert (code, "not open to the role nurse" in told) == (1, True)


async def test_what_is_altered_in_the_database_is_found_by_anyone(
    alone: RunningStack, door: ReasoningServiceAsyncStub, drafted: str, tmp_path: Path
) -> None:
    await door.Review(await sign_review(door, request(drafted)))
    kept = tmp_path / "kept.json"
    assert (
        longitude(alone.endpoints, "verify-signature", drafted, "--save", str(kept), "--issuer-keys", "published")[0]
        == 0
    )
    # Offline: no stack is named.
    assert longitude({}, "verify-signature", str(kept)) == (0, "")
    row = wire.Assessment.FromString(
        (await door.GetAssessment(pb.GetAssessmentRequest(assessment_id=drafted))).assessment_bytes
    )
    row.statements[0].text = "Other text."
    _update(alone, "UPDATE assessment SET assessment = %s WHERE assessment_id = %s", row, drafted)
    code, told = longitude(alone.endpoints, "verify-signature", drafted)
    assert (code, "the assessment is not the one that was signed" in told) == (1, True)


async def test_a_review_that_was_altered_in_the_database_is_found(
    alone: RunningStack, door: ReasoningServiceAsyncStub, drafted: str
) -> None:
    await door.Review(await sign_review(door, request(drafted)))
    stored = await door.GetAssessment(pb.GetAssessmentRequest(assessment_id=drafted))
    row = AssessmentReviewed.FromString(stored.review_bytes)
    row.statements[0].decision = wire.REVIEW_DECISION_REJECTED
    _update(alone, "UPDATE review SET review = %s WHERE assessment_id = %s", row, drafted)
    stored = await door.GetAssessment(pb.GetAssessmentRequest(assessment_id=drafted))
    with pytest.raises(VerificationError, match="otherwise than was signed"):
        command.check(stored.assessment_bytes, stored.review_bytes, None)


async def test_the_key_of_another_issuer_does_not_verify(
    door: ReasoningServiceAsyncStub, drafted: str, tmp_path: Path
) -> None:
    await door.Review(await sign_review(door, request(drafted)))
    stored = await door.GetAssessment(pb.GetAssessmentRequest(assessment_id=drafted))
    foreign = reviews.new_key().as_dict(private=False)
    keys = reviews.key_set(json.dumps({"keys": [{**foreign, "kid": "x"}]}))
    with pytest.raises(VerificationError, match="the issuer's word"):
        command.check(stored.assessment_bytes, stored.review_bytes, keys)


def _update(alone: RunningStack, query: str, row: Any, drafted: str) -> None:
    dsn = alone.endpoints["LONGITUDE_POSTGRES_REASONING"]
    with psycopg.connect(dsn, options="-c search_path=reasoning", autocommit=True) as connection:
        connection.execute(query.encode(), (row.SerializeToString(deterministic=True), drafted))


def longitude(lines: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Exit code of the command, and what it complains of; without lines, no stack and nobody is known to it."""
    environment = {**os.environ, **lines} if lines else {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    ran = subprocess.run(
        [sys.executable, "-m", "client", *arguments],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stderr
