"""The demo people of a local stack, and the tokens that its issuer gives them."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts import reviews
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from native_stack.part import write_private

AUDIENCE = "longitude"
CLIENT = "longitude-command"
# What renews must not outlive the key that signed it.
ACCESS_S, REFRESH_S = 3600, 7 * 86_400
# A key signs for a week; what it signed stays verifiable for as long again.
_KEY_S = 7 * 86_400
_ALGORITHM, _REFRESH = "ES256", "rt+jwt"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who is not real."""

    subject: str
    name: str
    roles: tuple[str, ...]


# One for each role, a second physician for what takes two, and who works at this machine: a physician who is also all
# that one person needs to try it all.
PEOPLE = {
    person.subject: person
    for person in (
        DemoPerson("physician", "Dr. Ada Lindqvist", ("physician",)),
        DemoPerson("consultant", "Dr. Ben Okoye", ("physician",)),
        DemoPerson("nurse", "Jonas Meier", ("nurse",)),
        DemoPerson("auditor", "Ruth Okafor", ("auditor",)),
        DemoPerson("engineer", "Mei Tanaka", ("engineer",)),
        DemoPerson("researcher", "Prof. Elena Rossi", ("researcher",)),
        DemoPerson("developer", "Dr. Sam Keller", ("physician", "auditor", "engineer", "researcher", "developer")),
    )
}
DEVELOPER = "developer"


class SigningKeys:
    """The issuer's keys in one private file: the newest signs, those of the week before still verify."""

    def __init__(self, file: Path) -> None:
        """Made where there is none; a new one when the newest is a week old."""
        self._file = file
        self._keys = self._read()
        if not self._keys or _born(self._keys[-1]) < time.time() - _KEY_S:
            self.rotate()

    def rotate(self) -> None:
        """A new key signs from now on."""
        kept = [key for key in self._keys if _born(key) > time.time() - 2 * _KEY_S]
        kid = f"{int(time.time())}-{secrets.token_hex(4)}"
        self._keys = [*kept, ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": _ALGORITHM})]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_private(self._file, json.dumps(KeySet(list(self._keys)).as_dict(private=True)))

    def published(self) -> dict[str, Any]:
        """The public halves, as a JWKS document."""
        return {"keys": [key.as_dict(private=False) for key in self._keys]}

    def sign(self, claims: Mapping[str, Any], kind: str) -> str:
        """A JWT of these claims with the newest key; `kind` is its `typ`."""
        newest = self._keys[-1]
        return jwt.encode({"alg": _ALGORITHM, "kid": newest.kid, "typ": kind}, dict(claims), newest, [_ALGORITHM])

    def read(self, token: str, kind: str) -> dict[str, Any]:
        """The claims of a token of ours that has not expired. ValueError for any other."""
        try:
            decoded = jwt.decode(token, KeySet(list(self._keys)), [_ALGORITHM])
            jwt.JWTClaimsRegistry(exp={"essential": True}).validate(decoded.claims)
        except JoseError:
            raise ValueError("the token is not ours, or has expired") from None
        if decoded.header["typ"] != kind:
            raise ValueError("the token is of another kind")
        return decoded.claims

    def _read(self) -> list[ECKey]:
        if not self._file.exists():
            return []
        return [ECKey.import_key(key) for key in json.loads(self._file.read_text())["keys"]]


class Tokens:
    """What the issuer at `url` gives to people."""

    def __init__(self, keys: SigningKeys, url: str) -> None:
        self._keys, self._url = keys, url

    def of(self, person: DemoPerson, nonce: str = "", key: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """An answer of the token endpoint (RFC 6749 section 5.1): access, identity and refresh.

        With the public `key` (JWK) that the person's session has, also our word for it, as long as the access.
        """
        now = int(time.time())
        about = {"iss": self._url, "sub": person.subject, "iat": now, "jti": secrets.token_hex(16)}
        who = {"name": person.name, "roles": list(person.roles)}
        access = about | who | {"aud": AUDIENCE, "client_id": CLIENT, "exp": now + ACCESS_S}
        identity = about | who | {"aud": CLIENT, "exp": now + ACCESS_S} | ({"nonce": nonce} if nonce else {})
        refresh = about | {"aud": self._url, "exp": now + REFRESH_S}
        word = about | who | {"aud": reviews.AUDIENCE, "exp": now + ACCESS_S, "cnf": {"jwk": key}}
        return {
            **({"key_token": self._keys.sign(word, reviews.KEY)} if key else {}),
            "access_token": self._keys.sign(access, "at+jwt"),
            "id_token": self._keys.sign(identity, "JWT"),
            "refresh_token": self._keys.sign(refresh, _REFRESH),
            "token_type": "Bearer",
            "expires_in": ACCESS_S,
        }

    def renewed(self, refresh_token: str, key: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """New ones for the person of a refresh token of ours. ValueError for any other token."""
        claims = self._keys.read(refresh_token, _REFRESH)
        if claims["iss"] != self._url or claims["sub"] not in PEOPLE:
            raise ValueError("the token is of another issuer")
        return self.of(PEOPLE[claims["sub"]], key=key)


def sign_in(file: Path, tokens: Tokens, issuer: str) -> None:
    """Put the tokens of who works at this machine where the command finds them."""
    key = reviews.new_key()
    given = tokens.of(PEOPLE[DEVELOPER], key=reviews.public(key))
    kept = given | {"issuer": issuer, "client_id": CLIENT, "expires_at": int(time.time()) + given["expires_in"]}
    kept["session_key"] = key.as_dict(private=True)
    write_private(file, json.dumps(kept))


def _born(key: ECKey) -> int:
    return int(str(key.kid).partition("-")[0])
