"""`longitude login`, `whoami`, `logout`: who you are to the services."""

from __future__ import annotations

import webbrowser
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from client import people, stack
from client.cli.session import Json, margin, print_json, run, screen
from client.errors import ClientError
from client.login import Provider

As = Annotated[str, typer.Option("--as", metavar="ROLE", help="A demo person of the local stack: physician, nurse ...")]
Device = Annotated[bool, typer.Option("--device", help="Sign in with a browser on another machine.")]


def login(person: As = "", device: Device = False) -> None:  # noqa: FBT002 - options of the command line
    """Sign in at the identity provider (LONGITUDE_ISSUER); the tokens are kept in a file of yours alone."""
    run(_login(person, device=device))


def whoami(as_json: Json = False) -> None:  # noqa: FBT002 - an option of the command line
    """Say who is signed in."""
    run(_whoami(as_json=as_json))


def logout() -> None:
    """Forget who is signed in."""
    run(_logout())


async def _login(person: str, *, device: bool) -> bool:
    variables = stack.find().variables
    provider = Provider(variables, person)
    tokens = provider.by_device(_show) if device else provider.by_browser(_open)
    people.keep(variables, tokens, provider.issuer, provider.client_id, provider.key)
    return await _whoami(as_json=False)


async def _whoami(*, as_json: bool) -> bool:
    kept = people.signed_in(stack.find().variables)
    if not kept:
        raise ClientError("nobody is signed in; `longitude login`")
    said = people.claims(people.access(kept))
    form: dict[str, Any] = {
        "name": said.get("name", said.get("sub")),
        "subject": said.get("sub"),
        "issuer": said.get("iss"),
        "roles": said.get("roles", []),
        "until": datetime.fromtimestamp(kept["expires_at"], UTC).isoformat(),
        "renewable": bool(kept.get("refresh_token")),
    }
    if as_json:
        print_json(form)
    else:
        screen().print(f"{form['name']} ({', '.join(form['roles'])}) at {form['issuer']}", markup=False)
    return True


async def _logout() -> bool:
    people.token_file(stack.find().variables).unlink(missing_ok=True)
    return True


def _show(text: str) -> None:
    margin().print(f"open {text}", markup=False)


def _open(url: str) -> None:
    _show(url)
    webbrowser.open(url)
