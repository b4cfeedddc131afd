import asyncio
import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from contracts.errors import UnauthenticatedError, UnavailableError
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from servicekit.principal import Person
from servicekit.settings import IdentitySettings
from servicekit.tokens import SKEW_S, Verifier

ISSUER, AUDIENCE = "https://people.example.org/realm", "longitude"
KEY = ECKey.generate_key("P-256", {"kid": "now"})
NEXT = ECKey.generate_key("P-256", {"kid": "next"})
CLAIMS = {"iss": ISSUER, "sub": "4711", "aud": AUDIENCE, "name": "Ada", "roles": ["physician"]}


class Published:
    """What a provider publishes, and how often it was asked."""

    def __init__(self, *keys: Any) -> None:
        self.keys, self.asked, self.away = list(keys), 0, False

    async def fetch(self, url: str) -> dict[str, Any]:
        if self.away:
            raise OSError("away")
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        assert url == f"{ISSUER}/keys"
        self.asked += 1
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def verifier(published: Published, clock: Clock | None = None, roles: str = "roles") -> Verifier:
    return Verifier(ISSUER, AUDIENCE, roles, published.fetch, clock or Clock())


def signed(key: Any = KEY, alg: str = "ES256", header: Mapping[str, Any] = {}, **claims: Any) -> str:
    made = CLAIMS | {"exp": int(time.time()) + 300} | claims
    return jwt.encode(
        {"alg": alg, "kid": key.kid, **header}, {k: v for k, v in made.items() if v is not None}, key, [alg]
    )


def packed(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def refused(token: str, by: Verifier | None = None) -> None:
    with pytest.raises(UnauthenticatedError):
        asyncio.run((by or verifier(Published(KEY))).person(token))


async def test_a_token_of_the_provider_says_who_it_is() -> None:
    person = await verifier(Published(KEY)).person(signed())
    assert person == Person(ISSUER, "4711", "Ada", frozenset({"physician"}))


async def test_roles_are_read_where_the_provider_has_them() -> None:
    token = signed(realm_access={"roles": ["nurse", 7]}, name=None, preferred_username="jm")
    person = await verifier(Published(KEY), roles="realm_access.roles").person(token)
    assert (person.name, *person.roles) == ("jm", "nurse")
    assert (await verifier(Published(KEY), roles="groups.x").person(token)).roles == set()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://people.example.org/other"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["a", "b"]},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"exp": None},
        {"exp": "tomorrow"},
    ],
    ids=str,
)
def test_a_token_that_is_not_ours_is_refused(claims: dict[str, Any]) -> None:
    refused(signed(**claims))


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -SKEW_S - 1), ("nbf", SKEW_S + 30), ("iat", SKEW_S + 30)])
def test_a_token_that_is_not_of_now_is_refused(claim: str, seconds: int) -> None:
    claims: dict[str, Any] = {claim: int(time.time()) + seconds}
    refused(signed(**claims))


async def test_clocks_may_differ_by_a_minute() -> None:
    now = int(time.time())
    for claims in ({"exp": now - SKEW_S + 10}, {"nbf": now + SKEW_S - 10}, {"aud": ["another", AUDIENCE]}):
        assert (await verifier(Published(KEY)).person(signed(**claims))).subject == "4711"


@pytest.mark.parametrize("kind", ["rt+jwt", "logout+jwt", "dpop+jwt"])
def test_a_token_of_another_kind_is_refused(kind: str) -> None:
    refused(signed(header={"typ": kind}))


def test_nobody_signs_with_what_is_public() -> None:
    """The classical confusions: no algorithm, a public key taken for a shared secret, a key that the token brings."""
    body = packed(json.dumps(CLAIMS | {"exp": int(time.time()) + 300}).encode())
    for alg in ("none", "None", "NONE", ""):
        refused(f"{packed(json.dumps({'alg': alg, 'kid': 'now'}).encode())}.{body}.")
    public = KEY.public_key
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), json.dumps(KEY.as_dict(private=False)).encode()):
        for alg in ("HS256", "HS384", "HS512"):
            text = f"{packed(json.dumps({'alg': alg, 'kid': 'now'}).encode())}.{body}"
            refused(f"{text}.{packed(hmac.digest(secret, text.encode(), alg.replace('HS', 'sha')))}")
    mallory = ECKey.generate_key("P-256", {"kid": "now"})
    refused(signed(mallory, header={"jwk": mallory.as_dict(private=False)}))
    refused(signed(mallory, header={"jku": "https://mallory.example.org/keys"}))


def test_a_symmetric_key_among_the_published_ones_verifies_nothing() -> None:
    shared = OctKey.generate_key(256, {"kid": "shared"})
    published = Published(KEY)

    async def fetch(url: str) -> dict[str, Any]:
        document = await published.fetch(url)
        return document | ({"keys": [*document["keys"], shared.as_dict(private=True)]} if "keys" in document else {})

    refused(signed(shared, "HS256"), Verifier(ISSUER, AUDIENCE, "roles", fetch))


KEYS: dict[str, Callable[[str], Any]] = {
    "ES256": lambda kid: ECKey.generate_key("P-256", {"kid": kid}),
    "ES384": lambda kid: ECKey.generate_key("P-384", {"kid": kid}),
    "EdDSA": lambda kid: OKPKey.generate_key("Ed25519", {"kid": kid}),
    "RS256": lambda kid: RSAKey.generate_key(2048, {"kid": kid}),
    "HS256": lambda kid: OctKey.generate_key(256, {"kid": kid}),
}


@settings(max_examples=25, deadline=None)
@given(alg=st.sampled_from(sorted(KEYS)), kid=st.sampled_from(["now", "next", ""]))
def test_a_token_of_any_other_key_never_passes(alg: str, kid: str) -> None:
    refused(signed(KEYS[alg](kid), alg), verifier(Published(KEY, NEXT)))


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10_000), put=st.characters(min_codepoint=33, max_codepoint=126))
def test_a_token_that_was_touched_never_passes(place: int, put: str) -> None:
    token = signed()
    place %= len(token)
    # The last letter of a part has bits that nobody reads.
    assume(token[place] not in {".", put} and token[place + 1 : place + 2] not in {".", ""})
    refused(token[:place] + put + token[place + 1 :])


@given(st.text(max_size=200))
def test_what_is_no_token_is_refused(text: str) -> None:
    refused(text)


def test_a_token_as_long_as_a_book_or_as_deep_as_a_well_is_refused() -> None:
    refused(signed(name="x" * 20_000))
    well = packed(b"[" * 8_000)
    refused(f"{well}.{well}.{well}"[:16_000])
    refused(f"{packed(b'[' * 11_000)}..")


async def test_a_new_key_is_fetched_when_a_token_names_it_and_not_oftener_than_that() -> None:
    published, clock = Published(KEY), Clock()
    by = verifier(published, clock)
    await by.person(signed())
    published.keys = [KEY, NEXT]
    with pytest.raises(UnauthenticatedError):
        await by.person(signed(NEXT))
    clock.now += 11
    assert (await by.person(signed(NEXT))).subject == "4711"
    asked = published.asked
    for _ in range(20):
        with pytest.raises(UnauthenticatedError):
            await by.person(signed(ECKey.generate_key("P-256", {"kid": "mallory"})))
    assert published.asked == asked


async def test_a_key_that_was_withdrawn_verifies_nothing_an_hour_later() -> None:
    published, clock = Published(KEY, NEXT), Clock()
    by = verifier(published, clock)
    late = int(clock.now) + 8000
    token = signed(exp=late)
    await by.person(token)
    published.keys = [NEXT]
    clock.now += 3700
    with pytest.raises(UnauthenticatedError):
        await by.person(token)
    assert (await by.person(signed(NEXT, exp=late))).subject == "4711"


async def test_while_the_provider_is_away_its_keys_hold_for_a_day() -> None:
    published, clock = Published(KEY), Clock()
    by = verifier(published, clock)
    token = signed(exp=int(clock.now) + 200_000)
    await by.person(token)
    published.away = True
    clock.now += 80_000
    assert (await by.person(token)).subject == "4711"
    clock.now += 10_000
    with pytest.raises(UnavailableError):
        await by.person(token)


async def test_an_expired_token_is_refused_although_it_was_known_a_moment_ago() -> None:
    clock = Clock()
    by = verifier(Published(KEY), clock)
    token = signed(exp=int(clock.now) + 30)
    await by.person(token)
    clock.now += 30 + SKEW_S + 1
    with pytest.raises(UnauthenticatedError):
        await by.person(token)


@pytest.mark.parametrize("url", ["http://people.example.org", "ftp://127.0.0.1", "people"])
def test_a_provider_that_anybody_could_be_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGITUDE_ISSUER", url)
    with pytest.raises(ValueError, match="https"):
        IdentitySettings()
