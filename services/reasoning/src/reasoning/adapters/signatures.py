"""Verifies a person's signature under a review at the door, by the keys that the issuer publishes now."""

import json
import time

from contracts.errors import DeniedError
from contracts.reviews import SKEW_S, ReviewSignatureError, key_id, verify
from joserfc.jwk import KeySet
from longitude.reasoning.v1.reasoning_service_pb2 import ReviewRequest
from longitude.reasoning.v1.signature_pb2 import ReviewSignature
from servicekit.principal import caller
from servicekit.tokens import Verifier


class Signatures:
    """Of people of one issuer."""

    def __init__(self, issuer: Verifier | None) -> None:
        """Without an issuer no person is known, and nobody signs."""
        self._issuer = issuer

    async def verified(self, request: ReviewRequest, assessment: bytes) -> ReviewSignature:
        """The signature of who asks, now, over these bytes and exactly this request; with the issuer's key beside it.

        ReviewSignatureError: it is not; DeniedError: somebody else's; UnavailableError: no keys.
        """
        if not request.HasField("signature"):
            raise ReviewSignatureError("a review is signed by its person: `longitude login`, then `longitude review`")
        key = await self._key(key_id(request.signature.key_token))
        signed = verify(request.signature, assessment, key)
        asked = ReviewRequest()
        asked.CopyFrom(request)
        asked.ClearField("signature")
        if signed.review != asked:
            raise ReviewSignatureError("what is asked is not what was signed")
        if abs(time.time() - signed.at.timestamp()) > SKEW_S:
            raise ReviewSignatureError("the signature is not of now: sign again")
        person = caller().person
        if person is None or (person.issuer, person.subject) != (signed.issuer, signed.subject):
            raise DeniedError("who asks is not who signed")
        kept = ReviewSignature()
        kept.CopyFrom(request.signature)
        kept.issuer_keys = json.dumps(key.as_dict(private=False), sort_keys=True)
        return kept

    async def _key(self, identifier: str) -> KeySet:
        keys = await self._issuer.keys(identifier) if self._issuer else KeySet([])
        if not keys.keys:
            raise ReviewSignatureError("the issuer publishes no key under which the person's was certified")
        return keys
