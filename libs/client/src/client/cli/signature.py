"""`longitude verify-signature`: who signed an assessment and what they decided, checked by oneself and offline."""

from __future__ import annotations

import base64
import binascii
import json as json_text
from pathlib import Path
from typing import Annotated, Any

import typer
from contracts import reviews
from google.protobuf.message import DecodeError
from joserfc.jwk import KeySet
from longitude.reasoning.v1.assessment_pb2 import ReviewDecision
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed

from client import forms, stack
from client.api import ReasoningClient
from client.cli.page import GOOD, QUIET, styled
from client.cli.session import Json, print_json, run, screen
from client.errors import ClientError, VerificationError
from client.people import answered, discovered
from client.terminal import Text

_ISSUER = "as kept with the signature: hold them against the issuer's own (--issuer-keys)"


def verify_signature(
    what: Annotated[str, typer.Argument(metavar="ID_OR_FILE", help="The assessment, or a file that --save wrote.")],
    *,
    issuer_keys: Annotated[
        str, typer.Option(help="JWK set of the issuer: a file, or `published` to ask LONGITUDE_ISSUER now.")
    ] = "",
    save: Annotated[Path | None, typer.Option(help="Write what anyone needs to verify it offline.")] = None,
    json: Json = False,
) -> None:
    """Verify a physician's signature: person, role, time, and that not a byte of assessment and review was altered."""
    run(_verify(what, issuer_keys, save, as_json=json))


async def _verify(what: str, issuer_keys: str, save: Path | None, *, as_json: bool) -> bool:
    assessment, review = _read(Path(what)) or await _asked(what)
    if save is not None:
        _write(save, assessment, review)
    form = check(assessment, review, _keys(issuer_keys))
    if as_json:
        print_json(form)
        return True
    who = Text.assemble((form["name"], "bold"), f", {form['role']} ({form['subject']} at {form['issuer']})")
    screen().print(who, soft_wrap=True)
    screen().print(f"{form['decision']} assessment {form['assessment_id']} at {form['signed_at']}", soft_wrap=True)
    screen().print(styled(f"assessment SHA-256 {form['assessment_sha256']}", QUIET), soft_wrap=True)
    screen().print(styled(f"issuer's keys: {form['issuer_keys']}", QUIET), soft_wrap=True)
    screen().print(styled("✓ the signature holds", GOOD))
    return True


def check(assessment: bytes, review: bytes, trusted: KeySet | None) -> forms.Form:
    """What a signature says, by `trusted` keys or those kept with it. VerificationError: it does not hold."""
    try:
        reviewed = AssessmentReviewed.FromString(review)
    except DecodeError:
        raise VerificationError("the review cannot be read: its bytes were altered") from None
    signature = reviewed.signature
    if not reviewed.HasField("signature"):
        raise VerificationError("the review has no signature of a person")
    try:
        signed = reviews.verify(signature, assessment, trusted or reviews.key_set(signature.issuer_keys))
        reviews.check_reviewed(signed, reviewed)
    except reviews.ReviewSignatureError as error:
        raise VerificationError(str(error)) from None
    return {
        "name": signed.name,
        "role": signed.role,
        "subject": signed.subject,
        "issuer": signed.issuer,
        "signed_at": signed.at.isoformat(),
        "assessment_id": signed.assessment_id,
        "decision": forms.name_of(ReviewDecision, reviewed.decision),
        "assessment_sha256": reviews.digest(assessment),
        "review_sha256": reviews.digest(signature.review),
        "issuer_keys": "those given" if trusted else _ISSUER,
        "holds": True,
    }


async def _asked(identifier: str) -> tuple[bytes, bytes]:
    async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
        stored = await reasoning.assessment(identifier)
    if not stored.review_bytes:
        raise ClientError("nobody has reviewed this assessment yet: there is no signature")
    return stored.assessment_bytes, stored.review_bytes


def _keys(given: str) -> KeySet | None:
    if not given:
        return None
    if given == "published":
        issuer = stack.find().variables.get("LONGITUDE_ISSUER", "")
        if not issuer:
            raise ClientError("LONGITUDE_ISSUER is not set: whose keys?")
        return _key_set(json_text.dumps(answered(discovered(issuer)["jwks_uri"])))
    try:
        return _key_set(Path(given).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ClientError(f"{given}: cannot be read") from None


def _key_set(text: str) -> KeySet:
    try:
        return reviews.key_set(text)
    except reviews.ReviewSignatureError as error:
        raise ClientError(str(error)) from None


def _write(file: Path, assessment: bytes, review: bytes) -> None:
    parts = {"assessment": assessment, "review": review}
    text = json_text.dumps({name: base64.b64encode(data).decode() for name, data in parts.items()}, indent=1)
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ClientError(f"{file}: {error.strerror}") from None


def _read(file: Path) -> tuple[bytes, bytes] | None:
    """Assessment and review of a file, None where there is none."""
    if not file.is_file():
        return None
    try:
        parts: Any = json_text.loads(file.read_text(encoding="utf-8"))
        assessment, review = (base64.b64decode(parts[name], validate=True) for name in ("assessment", "review"))
    except (OSError, ValueError, KeyError, TypeError, binascii.Error):
        raise ClientError(f"{file}: not what `longitude verify-signature --save` writes") from None
    return assessment, review
