"""Who the command speaks for: tokens of an OpenID Connect provider, in a private file, renewed when they end.

`LONGITUDE_TOKEN_FILE` names the file; a running stack names its own. Nothing here is verified: the services do that.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts import reviews
from joserfc.jwk import ECKey
from longitude.reasoning.v1.reasoning_service_pb2 import ReviewRequest

from client.errors import ClientError, UnreachableError

CLIENT_ID = "longitude-command"
# A provider that certifies keys of people says so.
KEY_TOKENS = "person_key_tokens_supported"
_SECONDS = 10.0
# Renewed while it still lasts for a call.
_LEFT_S = 120
_SIGN_IN = "sign in with `longitude login`"


def token_file(variables: Mapping[str, str]) -> Path:
    """Where the tokens are."""
    state = Path(variables.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return Path(variables.get("LONGITUDE_TOKEN_FILE") or state / "longitude" / "token.json")


def signed_in(variables: Mapping[str, str]) -> dict[str, Any]:
    """What was kept when somebody signed in; empty when nobody is."""
    try:
        kept: dict[str, Any] = json.loads(token_file(variables).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise ClientError(f"{token_file(variables)} cannot be read; {_SIGN_IN}") from None
    return kept


def bearer(variables: Mapping[str, str]) -> str:
    """The token that goes with a call, renewed where it ends; empty when nobody is signed in."""
    kept = signed_in(variables)
    if kept and kept["expires_at"] - time.time() < _LEFT_S:
        kept = _renewed(variables)
    return access(kept)


def access(kept: Mapping[str, Any]) -> str:
    """The access token; the identity token of a provider whose access tokens only it can read."""
    token = str(kept.get("access_token", ""))
    return token if token.count(".") == 2 else str(kept.get("id_token", ""))


def keep(variables: Mapping[str, str], tokens: Mapping[str, Any], issuer: str, client_id: str, key: ECKey) -> None:
    """Keep what a provider gave, and the session's key; the file is readable by its owner only."""
    expires_at = int(time.time()) + int(tokens.get("expires_in", 300))
    kept = dict(tokens) | {"issuer": issuer, "client_id": client_id, "expires_at": expires_at}
    kept["session_key"] = key.as_dict(private=True)
    file = token_file(variables)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
        json.dump(kept, written)
    fresh.replace(file)


def claims(token: str) -> dict[str, Any]:
    """What a token says, unverified; nothing where it is no JWT."""
    try:
        part = token.split(".")[1]
        said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return said


def discovered(issuer: str) -> dict[str, Any]:
    """What the provider says of itself; ClientError unless it is who it was asked as (OpenID Connect Discovery 4.3)."""
    document = answered(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ClientError(f"{issuer} calls itself {document.get('issuer')}")
    return document


def proven(ends: Mapping[str, Any], key: ECKey) -> dict[str, str]:
    """The header that shows a provider which certifies keys that we have this one; empty for any other."""
    return {"DPoP": reviews.proof(key, ends["token_endpoint"])} if ends.get(KEY_TOKENS) else {}


def session_key(kept: Mapping[str, Any]) -> ECKey:
    """The key of a sign-in, with which its person signs; a new one where it has none."""
    return ECKey.import_key(kept["session_key"]) if kept.get("session_key") else reviews.new_key()


def sign(variables: Mapping[str, str], request: ReviewRequest, assessment: bytes) -> None:
    """Put the signature of who is signed in under a review of these bytes.

    None where the provider certifies no keys: whether that is enough, the service says.
    """
    bearer(variables)
    kept = signed_in(variables)
    if kept.get("key_token") and kept.get("session_key"):
        reviews.sign(request, assessment, session_key(kept), kept["key_token"], claims(kept["key_token"]))


def answered(
    url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON that the provider answers, also with an error."""
    where = urllib.parse.urlsplit(url)
    if where.scheme != "https" and where.hostname not in {"127.0.0.1", "localhost"}:
        raise ClientError(f"{where.hostname} must be reached by https")
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    try:
        request = urllib.request.Request(url, data, dict(headers or {}))  # noqa: S310 - checked above
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - checked above
            text = answer.read()
    except urllib.error.HTTPError as error:
        text = error.read()
    except OSError as error:
        raise UnreachableError(f"{where.netloc} cannot be reached: {error}") from None
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError:
        raise ClientError(f"{where.netloc} answers something that is no JSON") from None
    return document


def _renewed(variables: Mapping[str, str]) -> dict[str, Any]:
    """One process at a time: a provider may take a refresh token once."""
    with token_file(variables).with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = signed_in(variables)
        if kept and kept["expires_at"] - time.time() >= _LEFT_S:
            return kept
        if not kept.get("refresh_token"):
            raise ClientError(f"your sign-in has ended; {_SIGN_IN}")
        issuer, client = kept["issuer"], kept["client_id"]
        form = {"grant_type": "refresh_token", "refresh_token": kept["refresh_token"], "client_id": client}
        ends, key = discovered(issuer), session_key(kept)
        tokens = answered(ends["token_endpoint"], form, proven(ends, key))
        if "access_token" not in tokens:
            raise ClientError(f"your sign-in was not renewed ({tokens.get('error')}); {_SIGN_IN}")
        keep(variables, kept | {"key_token": ""} | tokens, issuer, client, key)
        return signed_in(variables)
