"""A small OpenID Connect provider for the people of one local stack: `python -m native_stack.provider PORT FOLDER`.

It is for development alone, and can be for nothing else: it listens on loopback, answers to that name only, sends codes
to loopback only, and asks for the password of the stack, which is in the stack's private files. Authorization code with
PKCE (RFC 6749, 7636, 8252), device code (RFC 8628), refresh; who shows that they have a key (in the form of RFC 9449)
gets the issuer's word for it, and signs with it. Keys rotate on SIGHUP, and at a start that finds the newest a week
old.
"""

import base64
import hashlib
import hmac
import html
import os
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from contracts import reviews

from native_stack.issuer import VARIABLE
from native_stack.people import CLIENT, PEOPLE, DemoPerson, SigningKeys, Tokens
from native_stack.ports import HOST

_CODE_S, _DEVICE_S, _INTERVAL_S = 60, 600, 2
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# The public key of a session, where one was shown.
Key = dict[str, Any] | None
# In our own metadata: this issuer certifies keys.
KEY_TOKENS = "person_key_tokens_supported"
# Letters that nobody mistakes (RFC 8628 section 6.1).
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(slots=True)
class Grant:
    """What was asked for and, once somebody said who they are, by whom."""

    expires: float
    asked: dict[str, str] = field(default_factory=dict)
    person: DemoPerson | None = None


class RefusedError(Exception):
    """The text is an error code of OAuth 2.0."""


class Provider:
    """One issuer; codes that were not redeemed are lost with the process."""

    def __init__(self, issuer: str, keys: SigningKeys, password: str) -> None:
        self._issuer, self._keys, self._tokens, self._password = issuer, keys, Tokens(keys, issuer), password
        self._codes: dict[str, Grant] = {}
        self._devices: dict[str, Grant] = {}
        self._proofs: dict[str, float] = {}

    def app(self) -> web.Application:
        """Its pages."""
        app = web.Application(middlewares=[self._guarded])
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_get("/authorize", self._asked_for_code)
        app.router.add_post("/authorize", self._code)
        app.router.add_post("/token", self._token)
        app.router.add_post("/device_authorization", self._device)
        app.router.add_get("/device", self._asked_for_device)
        app.router.add_post("/device", self._approved)
        return app

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Only under its own name, so that no page of the network reaches it; errors in the form of OAuth 2.0."""
        if request.host != urlsplit(self._issuer).netloc:
            raise web.HTTPMisdirectedRequest
        try:
            return await handler(request)
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=400)

    async def _discovery(self, _: web.Request) -> web.Response:
        ends = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "device_authorization_endpoint": "device_authorization",
            "jwks_uri": "jwks",
        }
        document: dict[str, Any] = {"issuer": self._issuer, **{k: f"{self._issuer}/{v}" for k, v in ends.items()}}
        document |= {
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", _DEVICE_GRANT],
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
            KEY_TOKENS: True,
        }
        return web.json_response(document)

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response(self._keys.published())

    async def _asked_for_code(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        _check_asked(asked)
        return _page("authorize", asked, asked.get("login_hint", ""))

    async def _code(self, request: web.Request) -> web.Response:
        form = await _form(request)
        _check_asked(form)
        person, code = self._who(form), secrets.token_urlsafe(32)
        self._codes[code] = Grant(time.time() + _CODE_S, form, person)
        back = {"code": code, "iss": self._issuer} | ({"state": form["state"]} if "state" in form else {})
        raise web.HTTPSeeOther(f"{form['redirect_uri']}?{urlencode(back)}")

    async def _device(self, request: web.Request) -> web.Response:
        if (await _form(request)).get("client_id") != CLIENT:
            raise RefusedError("invalid_client")
        device, letters = secrets.token_urlsafe(32), "".join(secrets.choice(_LETTERS) for _ in range(8))
        user = f"{letters[:4]}-{letters[4:]}"
        self._devices[device] = Grant(time.time() + _DEVICE_S, {"user_code": user})
        page = f"{self._issuer}/device"
        answer = {"device_code": device, "user_code": user, "verification_uri": page, "expires_in": _DEVICE_S}
        complete = f"{page}?user_code={user}"
        return web.json_response(answer | {"verification_uri_complete": complete, "interval": _INTERVAL_S})

    async def _asked_for_device(self, request: web.Request) -> web.Response:
        return _page("device", {"user_code": request.query.get("user_code", "")}, "")

    async def _approved(self, request: web.Request) -> web.Response:
        form = await _form(request)
        person, now = self._who(form), time.time()
        for grant in self._devices.values():
            if grant.asked["user_code"] == form.get("user_code", "").upper() and now < grant.expires:
                grant.person = person
                return web.Response(text="You are signed in; go back to the terminal.\n")
        raise RefusedError("invalid_grant")

    async def _token(self, request: web.Request) -> web.Response:
        form = await _form(request)
        if form.get("client_id") != CLIENT:
            raise RefusedError("invalid_client")
        kinds = {"authorization_code": self._by_code, "refresh_token": self._by_refresh, _DEVICE_GRANT: self._by_device}
        if form.get("grant_type") not in kinds:
            raise RefusedError("unsupported_grant_type")
        key = self._key(request.headers.get("DPoP", ""))
        return web.json_response(kinds[form["grant_type"]](form, key), headers={"Cache-Control": "no-store"})

    def _key(self, shown: str) -> dict[str, Any] | None:
        """The public key of which the caller proves that it has it, if any; a proof is good once."""
        if not shown:
            return None
        try:
            key, number = reviews.proven(shown, f"{self._issuer}/token")
        except ValueError:
            raise RefusedError("invalid_dpop_proof") from None
        now = time.time()
        self._proofs = {known: until for known, until in self._proofs.items() if until > now}
        if number in self._proofs:
            raise RefusedError("invalid_dpop_proof")
        self._proofs[number] = now + 2 * reviews.SKEW_S
        return key

    def _by_code(self, form: dict[str, str], key: Key) -> dict[str, Any]:
        """Once: a code that was shown to anybody is worth nothing any more."""
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.person is None or grant.expires < time.time():
            raise RefusedError("invalid_grant")
        if grant.asked["redirect_uri"] != form.get("redirect_uri"):
            raise RefusedError("invalid_grant")
        if not hmac.compare_digest(challenge(form.get("code_verifier", "")), grant.asked["code_challenge"]):
            raise RefusedError("invalid_grant")
        return self._tokens.of(grant.person, grant.asked.get("nonce", ""), key)

    def _by_refresh(self, form: dict[str, str], key: Key) -> dict[str, Any]:
        try:
            return self._tokens.renewed(form.get("refresh_token", ""), key)
        except ValueError:
            raise RefusedError("invalid_grant") from None

    def _by_device(self, form: dict[str, str], key: Key) -> dict[str, Any]:
        grant = self._devices.get(form.get("device_code", ""))
        if grant is None or grant.expires < time.time():
            raise RefusedError("expired_token")
        if grant.person is None:
            raise RefusedError("authorization_pending")
        del self._devices[form["device_code"]]
        return self._tokens.of(grant.person, key=key)

    def _who(self, form: dict[str, str]) -> DemoPerson:
        if not hmac.compare_digest(form.get("password", "").encode(), self._password.encode()):
            raise RefusedError("access_denied")
        if form.get("person") not in PEOPLE:
            raise RefusedError("access_denied")
        return PEOPLE[form["person"]]


def challenge(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def _form(request: web.Request) -> dict[str, str]:
    return {key: value for key, value in (await request.post()).items() if isinstance(value, str)}


def _check_asked(asked: dict[str, str]) -> None:
    """Before anything is sent anywhere: the command, a place on this machine, and PKCE."""
    back = urlsplit(asked.get("redirect_uri", ""))
    here = (back.scheme, back.hostname, back.query, back.fragment) == ("http", HOST, "", "")
    if asked.get("client_id") != CLIENT or not here:
        raise RefusedError("invalid_request")
    if asked.get("response_type") != "code":
        raise RefusedError("unsupported_response_type")
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        raise RefusedError("invalid_request")


def _page(action: str, asked: dict[str, str], chosen: str) -> web.Response:
    """Who are you? What was asked goes along in hidden fields."""
    hidden = "".join(_field("hidden", name, value) for name, value in asked.items())
    people = "".join(_choice(person, chosen) for person in PEOPLE.values())
    secret = f"<label>The stack's LONGITUDE_LOGIN_PASSWORD: {_field('password', 'password', '')}</label>"
    form = f'<form method="post" action="/{action}">{hidden}{people}{secret} <button>Sign in</button></form>'
    text = f"<!doctype html><title>Longitude, local</title><h1>Demo people of this stack</h1>{form}"
    headers = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _field(kind: str, name: str, value: str) -> str:
    return f'<input type="{kind}" name="{html.escape(name)}" value="{html.escape(value)}">'


def _choice(person: DemoPerson, chosen: str) -> str:
    checked = " checked" if person.subject == chosen else ""
    field = f'<input type="radio" name="person" value="{person.subject}" required{checked}>'
    return f"<label>{field} {person.name}, {', '.join(person.roles)}</label><br>"


def main() -> None:
    """Serve on loopback until told to end."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    signing = SigningKeys(folder / "keys.json")
    signal.signal(signal.SIGHUP, lambda *_: signing.rotate())
    provider = Provider(f"http://{HOST}:{port}", signing, os.environ[VARIABLE])
    web.run_app(provider.app(), host=HOST, port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
