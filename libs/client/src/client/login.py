"""Signing in at an OpenID Connect provider, by a browser on this machine (RFC 8252, PKCE) or another one (RFC 8628)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from contracts import reviews

from client.errors import ClientError
from client.people import CLIENT_ID, answered, claims, discovered, proven

SCOPE = "openid profile offline_access"
_WAIT_S = 300.0
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

# Gets the address that a person has to open.
Show = Callable[[str], None]


class Provider:
    """A provider as the variables name it; at that of a local stack, its password answers for the demo `person`."""

    def __init__(self, variables: Mapping[str, str], person: str = "") -> None:
        self.issuer = variables.get("LONGITUDE_ISSUER", "")
        if not self.issuer:
            raise ClientError("LONGITUDE_ISSUER is not set: who says who you are?")
        self.client_id = variables.get("LONGITUDE_CLIENT_ID") or CLIENT_ID
        self._ends = discovered(self.issuer)
        # Of the session that begins: with it, its person signs.
        self.key = reviews.new_key()
        password = variables.get("LONGITUDE_LOGIN_PASSWORD", "")
        self._answers = {"person": person, "password": password} if person else {}

    def by_browser(self, show: Show) -> dict[str, Any]:
        """Authorization code with PKCE; the code comes to a port of this machine that is open meanwhile."""
        with _Landing(("127.0.0.1", 0), _Page) as landing:
            back = f"http://127.0.0.1:{landing.server_address[1]}/"
            verifier, state, nonce = (secrets.token_urlsafe(48) for _ in range(3))
            asked = self._asked(back, verifier) | {"state": state, "nonce": nonce}
            query = urllib.parse.urlencode(asked)
            if self._answers:
                arrived = _answered_here(self._ends["authorization_endpoint"], asked | self._answers)
            else:
                show(f"{self._ends['authorization_endpoint']}?{query}")
                arrived = landing.wait()
        code = self._code(arrived, state)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        tokens = _given(self._tokens(form | {"client_id": self.client_id}))
        self._check_identity(tokens, nonce)
        return tokens

    def by_device(self, show: Show) -> dict[str, Any]:
        """Device code: a person opens an address anywhere, and this process asks until they are done."""
        form = {"client_id": self.client_id, "scope": SCOPE}
        begun = answered(self._ends["device_authorization_endpoint"], form)
        if "device_code" not in begun:
            raise ClientError(f"{self.issuer} begins no sign-in: {begun.get('error')}")
        show(f"{begun['verification_uri']} and enter {begun['user_code']}")
        if self._answers:
            _post(begun["verification_uri"], {"user_code": begun["user_code"], **self._answers})
        asked = {"grant_type": _DEVICE, "device_code": begun["device_code"], "client_id": self.client_id}
        interval, until = float(begun.get("interval", 5)), time.monotonic() + float(begun["expires_in"])
        while time.monotonic() < until:
            tokens = self._tokens(asked)
            if tokens.get("error") not in {"authorization_pending", "slow_down"}:
                return _given(tokens)
            interval += 5.0 if tokens["error"] == "slow_down" else 0.0
            time.sleep(interval)
        raise ClientError("nobody signed in in time")

    def _tokens(self, form: Mapping[str, str]) -> dict[str, Any]:
        return answered(self._ends["token_endpoint"], form, proven(self._ends, self.key))

    def _asked(self, back: str, verifier: str) -> dict[str, str]:
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
        return {"response_type": "code", "client_id": self.client_id, "redirect_uri": back, "scope": SCOPE, **pkce}

    def _code(self, arrived: Mapping[str, str], state: str) -> str:
        """ClientError unless it is the answer to our question (RFC 6749 section 10.12, RFC 9207)."""
        if not hmac.compare_digest(arrived.get("state", "").encode(), state.encode()):
            raise ClientError("an answer came that we had not asked for")
        if arrived.get("iss", self.issuer) != self.issuer:
            raise ClientError("the answer is of another provider")
        if not arrived.get("code"):
            raise ClientError(f"you were not signed in: {arrived.get('error', 'no reason given')}")
        return arrived["code"]

    def _check_identity(self, tokens: Mapping[str, Any], nonce: str) -> None:
        """The identity token is for us and for this sign-in; it came from the provider itself (OIDC Core 3.1.3.7)."""
        said = claims(str(tokens.get("id_token", "")))
        audience = said.get("aud")
        ours = self.client_id in (audience if isinstance(audience, list) else [audience])
        if not ours or (said.get("nonce"), said.get("iss")) != (nonce, self.issuer):
            raise ClientError("the identity token is not the answer to this sign-in")


class _Landing(HTTPServer):
    arrived: dict[str, str] | None = None

    def wait(self) -> dict[str, str]:
        until = time.monotonic() + _WAIT_S
        while self.arrived is None:
            self.timeout = until - time.monotonic()
            if self.timeout <= 0:
                raise ClientError("nobody signed in in time")
            self.handle_request()
        return self.arrived


class _Page(BaseHTTPRequestHandler):
    server: _Landing
    timeout = 5

    def do_GET(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        if parts.path == "/" and parts.query:
            self.server.arrived = dict(urllib.parse.parse_qsl(parts.query))
        self.send_response(200 if parts.path == "/" else 404)
        self.end_headers()
        self.wfile.write(b"You may close this page and go back to the terminal.\n")

    def log_message(self, *_: object) -> None:
        """Codes are for nobody's log."""


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _answered_here(url: str, form: Mapping[str, str]) -> dict[str, str]:
    """The code of a local stack's issuer, whose page this process fills in."""
    place = _post(url, form)
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(place).query))


def _post(url: str, form: Mapping[str, str]) -> str:
    """Where the page leads, if anywhere. ClientError when it refuses."""
    data = urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.build_opener(_Stays).open(url, data, timeout=10):
            return ""
    except urllib.error.HTTPError as error:
        place = error.headers.get("Location", "")
        if not place:
            raise ClientError("the stack's issuer does not know this person or password") from None
        return place


def _given(tokens: dict[str, Any]) -> dict[str, Any]:
    if "access_token" not in tokens:
        raise ClientError(f"you were not signed in: {tokens.get('error', 'no reason given')}")
    return tokens
