"""A physician's signature under an assessment and a review: by a key of the person's session, verified by anyone.

The person signs a JWT (RFC 7519, ES256) of who they are, in which role, when, and the SHA-256 of exactly the bytes of
the assessment and of what they decided. The issuer vouches for the key in a token of its own, with the key as
confirmation (`cnf`, RFC 7800): no service has that key, so none signs for anybody. Nothing here asks anyone anything.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import DecodeError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from longitude.reasoning.v1.assessment_pb2 import (
    REVIEW_DECISION_ACCEPTED,
    REVIEW_DECISION_EDITED,
    REVIEW_DECISION_REJECTED,
)
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed
from longitude.reasoning.v1.reasoning_service_pb2 import ReviewRequest
from longitude.reasoning.v1.signature_pb2 import ReviewSignature

from contracts.errors import InvalidInputError

REVIEW, KEY, PROOF = "longitude-review+jwt", "longitude-key+jwt", "dpop+jwt"
AUDIENCE = "longitude-signatures"
ROLE = "physician"
ALGORITHM = "ES256"
# An issuer may sign with any of these.
ISSUER_ALGORITHMS = ("ES256", "Ed25519", "EdDSA", "PS256", "RS256")
# Clocks differ; a proof is worth something for so long.
SKEW_S = 300
_MAX_TOKEN, _MAX_REVIEW = 16 * 1024, 4 * 1024 * 1024


class ReviewSignatureError(InvalidInputError):
    """A review that its person did not sign, or not so; the text says what does not hold."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature that holds says."""

    issuer: str
    subject: str
    name: str
    role: str
    at: datetime
    assessment_id: str
    review: ReviewRequest


def new_key() -> ECKey:
    """A key of one session (EC P-256)."""
    return ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM})


def public(key: ECKey) -> dict[str, Any]:
    """Its public half, as a JWK with nothing but the key."""
    return {name: value for name, value in key.as_dict(private=False).items() if name in {"kty", "crv", "x", "y"}}


def proof(key: ECKey, url: str) -> str:
    """That one has the key, shown to the token endpoint at `url`: a proof in the form of RFC 9449, section 4.2."""
    header = {"typ": PROOF, "alg": ALGORITHM, "jwk": public(key)}
    said = {"htm": "POST", "htu": url, "iat": int(time.time()), "jti": secrets.token_hex(16)}
    return jwt.encode(header, said, key, [ALGORITHM])


def proven(text: str, url: str) -> tuple[dict[str, Any], str]:
    """The public key of a proof for `url`, and the proof's number, which is good once. ValueError for another text."""
    try:
        header = json.loads(_decoded(text.partition(".")[0]))
        key = _key(header["jwk"])
        said = jwt.decode(text, key, [ALGORITHM]).claims
        is_fresh = abs(time.time() - said["iat"]) <= SKEW_S
        is_ours = (header.get("typ"), said["htm"], said["htu"]) == (PROOF, "POST", url)
        number = str(said["jti"])
    except (JoseError, KeyError, TypeError, ValueError, RecursionError):
        raise ValueError("the proof of the key cannot be read, or does not hold") from None
    if not (is_fresh and is_ours):
        raise ValueError("the proof of the key is for something else, or of another time")
    return public(key), number


def sign(request: ReviewRequest, assessment: bytes, key: ECKey, key_token: str, about: Mapping[str, Any]) -> None:
    """Put the person's signature under a review of these bytes. `about` are the claims of the issuer's word."""
    request.ClearField("signature")
    review = request.SerializeToString(deterministic=True)
    said = {
        **{name: about[name] for name in ("iss", "sub", "name")},
        "role": ROLE,
        "iat": int(time.time()),
        "assessment": {"id": request.assessment_id, "sha256": digest(assessment)},
        "review": {"sha256": digest(review)},
    }
    jws = jwt.encode({"typ": REVIEW, "alg": ALGORITHM}, said, key, [ALGORITHM])
    request.signature.CopyFrom(ReviewSignature(jws=jws, review=review, key_token=key_token))


def verify(signature: ReviewSignature, assessment: bytes, keys: KeySet) -> Signed:
    """What the signature says, by the issuer's keys. ReviewSignatureError: it does not hold, or not for these bytes."""
    if max(len(signature.jws), len(signature.key_token)) > _MAX_TOKEN or len(signature.review) > _MAX_REVIEW:
        raise ReviewSignatureError("the signature is too long")
    word = _claims(signature.key_token, keys, KEY, ISSUER_ALGORITHMS, "the issuer's word for the key")
    try:
        key = _key(word["cnf"]["jwk"])
        said = _claims(signature.jws, key, REVIEW, (ALGORITHM,), "the person's signature")
        _check_person(said, word)
        review = ReviewRequest.FromString(signature.review)
        digests = (said["assessment"]["sha256"], said["review"]["sha256"], said["assessment"]["id"])
        who = (str(said["iss"]), str(said["sub"]), str(said["name"]), str(said["role"]))
        signed = Signed(*who, datetime.fromtimestamp(said["iat"], UTC), review.assessment_id, review)
    except ReviewSignatureError:
        raise
    except (JoseError, KeyError, TypeError, ValueError, OverflowError, DecodeError):
        raise ReviewSignatureError("the signature, or the issuer's word for its key, says too little") from None
    if digests[0] != digest(assessment):
        raise ReviewSignatureError("the assessment is not the one that was signed: its bytes were altered")
    if digests[1] != digest(signature.review) or digests[2] != review.assessment_id:
        raise ReviewSignatureError("the review is not the one that was signed: its bytes were altered")
    return signed


def _check_person(claims: Mapping[str, Any], word: Mapping[str, Any]) -> None:
    """Of the one for whose key the issuer vouches, in a role that they have, while the key was theirs."""
    if word["aud"] != AUDIENCE or any(claims[name] != word[name] for name in ("iss", "sub", "name")):
        raise ReviewSignatureError("the issuer's word is for somebody or something else")
    if claims["role"] != ROLE or ROLE not in word["roles"]:
        raise ReviewSignatureError(f"who signed was no {ROLE}")
    if not word["iat"] - SKEW_S <= claims["iat"] <= word["exp"] + SKEW_S:
        raise ReviewSignatureError("the key was not the person's when it signed")


def check_reviewed(signed: Signed, reviewed: AssessmentReviewed) -> None:
    """ReviewSignatureError unless a stored review says what the person signed, statement by statement."""
    asked = signed.review
    if (reviewed.assessment_id, reviewed.reviewer, reviewed.decision) != (
        asked.assessment_id,
        asked.reviewer,
        asked.decision,
    ):
        raise ReviewSignatureError("the stored review is not the one that was signed")
    stored = {each.statement_id: each for each in reviewed.statements}
    for statement in asked.statements:
        kept = stored.pop(statement.statement_id, None)
        text = statement.text if statement.decision == REVIEW_DECISION_EDITED else ""
        wanted = (statement.decision, text, statement.comment)
        if kept is None or (kept.decision, kept.text, kept.comment) != wanted:
            raise ReviewSignatureError("a statement of the stored review is not what was signed")
    rejected = asked.decision == REVIEW_DECISION_REJECTED
    rest = (REVIEW_DECISION_REJECTED if rejected else REVIEW_DECISION_ACCEPTED, "", "")
    if any((each.decision, each.text, each.comment) != rest for each in stored.values()):
        raise ReviewSignatureError("the stored review decides about statements otherwise than was signed")


def key_id(token: str) -> str:
    """Which of the issuer's keys signed a token; empty where it does not say."""
    try:
        return str(json.loads(_decoded(token.partition(".")[0])).get("kid", ""))
    except (ValueError, AttributeError, RecursionError):
        return ""


def key_set(text: str) -> KeySet:
    """The keys of a JWK set. ReviewSignatureError where it is none."""
    try:
        return KeySet.import_key_set(json.loads(text))
    except (JoseError, KeyError, TypeError, ValueError):
        raise ReviewSignatureError("the issuer's keys cannot be read") from None


def _claims(token: str, key: ECKey | KeySet, kind: str, algorithms: Sequence[str], what: str) -> dict[str, Any]:
    """Of a JWT of this kind that the key signed."""
    try:
        decoded = jwt.decode(token, key, list(algorithms))
    except (JoseError, ValueError, TypeError, RecursionError):
        raise ReviewSignatureError(f"{what} does not hold") from None
    if decoded.header.get("typ") != kind:
        raise ReviewSignatureError(f"{what} is a token of another kind")
    return decoded.claims


def _key(jwk: Mapping[str, str]) -> ECKey:
    """A public key on P-256. ValueError for any other."""
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"]})
    if jwk["crv"] != key.curve_name or jwk["kty"] != "EC":
        raise ValueError("a person signs with a key on P-256")
    return key


def digest(data: bytes) -> str:
    """SHA-256, hexadecimal: as a signature has it."""
    return hashlib.sha256(data).hexdigest()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
