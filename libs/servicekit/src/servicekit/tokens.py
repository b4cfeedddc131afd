"""People by the tokens of an OpenID Connect provider, verified with the keys that it publishes.

A token is a JWT that the provider signed (RFC 7519, RFC 9068, OpenID Connect Core 1.0 section 3.1.3.7): a signature by
one of its keys under an asymmetric algorithm, its issuer, our audience, and a time that has neither passed nor to come,
give or take a minute. Keys are found by discovery, kept, and fetched again when a token names one that is not known.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, Self, cast
from urllib.parse import urlsplit

import aiohttp
from contracts.errors import UnauthenticatedError, UnavailableError
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from servicekit.principal import Person

DISCOVERY = "/.well-known/openid-configuration"
# None is symmetric, and none is `none`: a public key can sign nothing.
ALGORITHMS = ("ES256", "Ed25519", "EdDSA", "PS256", "RS256")
_ASYMMETRIC = frozenset({"EC", "OKP", "RSA"})
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_MAX_TOKEN = 16 * 1024
SKEW_S = 60
# Keys are fetched again after an hour, sooner for a key that is not known, and used for a day where that fails.
_FRESH_S, _UNKNOWN_S, _KEPT_S = 3600.0, 10.0, 86_400.0
# A person who was verified is known for five minutes: the key may have been withdrawn since.
_KNOWN_S, _KNOWN = 300.0, 1024


class Issuer(Protocol):
    """Settings that name one."""

    @property
    def issuer(self) -> str: ...
    @property
    def audience(self) -> str: ...
    @property
    def roles_claim(self) -> str: ...


Fetch = Callable[[str], Awaitable[dict[str, Any]]]


class Verifier:
    """Verifies tokens of one issuer for one audience."""

    def __init__(
        self, issuer: str, audience: str, roles: str, fetch: Fetch | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`roles` is the path of the claim with the roles, such as `realm_access.roles`."""
        self._issuer, self._roles, self._fetch, self._clock = issuer, roles, fetch or _fetch, clock
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=SKEW_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._keys, self._fetched, self._asked = KeySet([]), 0.0, 0.0
        self._discovered: Mapping[str, Any] = {}
        self._fetching = asyncio.Lock()
        self._known: dict[bytes, tuple[Person, float]] = {}

    async def person(self, token: str) -> Person:
        """Who the token is of. UnauthenticatedError for any token that does not prove it; UnavailableError: no keys."""
        digest = hashlib.sha256(token.encode()).digest()
        person, until = self._known.get(digest, (None, 0.0))
        if person is not None and self._clock() < until:
            return person
        claims = await self._verified(token)
        person = self._person(claims)
        if len(self._known) >= _KNOWN:
            self.forget()
        self._known[digest] = (person, min(claims["exp"], self._clock() + _KNOWN_S))
        return person

    @classmethod
    def of(cls, settings: "Issuer") -> Self | None:
        """As the settings of a service say; None where they name no issuer."""
        return cls(settings.issuer, settings.audience, settings.roles_claim) if settings.issuer else None

    async def keys(self, identifier: str) -> KeySet:
        """The key that the issuer publishes under an id (`kid`), if it does. UnavailableError: no keys are known."""
        for fresh_s in (_FRESH_S, _UNKNOWN_S):
            if ones := [key for key in (await self._published(fresh_s)).keys if key.kid == identifier]:
                return KeySet(ones[:1])
        return KeySet([])

    async def metadata(self) -> Mapping[str, Any]:
        """What the issuer publishes of itself (OpenID Connect Discovery 1.0). UnavailableError: it never answered."""
        await self._published(_FRESH_S)
        return self._discovered

    def forget(self) -> None:
        """Verify every token anew."""
        self._known.clear()

    async def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > _MAX_TOKEN:
            raise UnauthenticatedError("the token is too long")
        try:
            try:
                decoded = jwt.decode(token, await self._published(_FRESH_S), ALGORITHMS)
            except InvalidKeyIdError:
                decoded = jwt.decode(token, await self._published(_UNKNOWN_S), ALGORITHMS)
            self._claims.validate(decoded.claims)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise UnauthenticatedError(f"the token is not valid: {getattr(error, 'error', 'malformed')}") from None
        if str(decoded.header.get("typ", "JWT")).lower() not in _TYPES:
            raise UnauthenticatedError("the token is of another kind")
        return decoded.claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        roles: Any = claims
        for key in self._roles.split("."):
            roles = roles.get(key) if isinstance(roles, Mapping) else None
        named = (claims.get(claim) for claim in ("name", "preferred_username", "sub"))
        name = next(text for text in named if isinstance(text, str) and text)
        known = frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()
        scope, patient = claims.get("scope"), claims.get("patient")
        scopes = frozenset(scope.split()) if isinstance(scope, str) else frozenset()
        return Person(self._issuer, claims["sub"], name, known, scopes, patient if isinstance(patient, str) else "")

    async def _published(self, fresh_s: float) -> KeySet:
        """The keys, fetched when they are older than that; who finds them fresh waits for nobody."""
        if self._due(fresh_s):
            async with self._fetching:
                if self._due(fresh_s):
                    self._asked = self._clock()
                    await self._renew(self._asked)
        if self._clock() - self._fetched > _KEPT_S:
            raise UnavailableError("the identity provider cannot be reached")
        return self._keys

    def _due(self, fresh_s: float) -> bool:
        """Without any keys everybody asks: nobody can be answered before they are there."""
        now = self._clock()
        return not self._fetched or (now - self._fetched > fresh_s and now - self._asked > _UNKNOWN_S)

    async def _renew(self, now: float) -> None:
        try:
            discovered = await self._fetch(self._issuer.rstrip("/") + DISCOVERY)
            published = await self._fetch(check_url(discovered["jwks_uri"]))
            keys = [key for key in published["keys"] if key.get("kty") in _ASYMMETRIC and key.get("use") != "enc"]
            self._keys, self._fetched = KeySet.import_key_set(cast("Any", {"keys": keys})), now
            self._discovered = discovered
        except (aiohttp.ClientError, OSError, JoseError, KeyError, TypeError, ValueError):
            return  # what was published before is used, for a day


def check_url(url: str) -> str:
    """The address of a provider: https, or this machine. ValueError otherwise."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}):
        return url
    raise ValueError("an identity provider is reached by https, or on this machine")


async def _fetch(url: str) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session, session.get(url) as answer:
        document: Any = await answer.json(content_type=None)
        return cast("dict[str, Any]", document)
