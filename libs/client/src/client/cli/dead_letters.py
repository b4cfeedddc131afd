"""`longitude dead-letters`: what consumers gave up on, why, and another try."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from contracts.topics import TOPICS
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from client import dead_letters, forms, kafka, stack
from client.cli.page import BAD, QUIET, row, styled, table
from client.cli.session import Json, print_json, run, screen
from client.dead_letters import DeadLetter
from client.errors import ClientError, NotThereError

app = typer.Typer(help="Events that a consumer gave up on.", no_args_is_help=True)

Place = Annotated[str, typer.Argument(metavar="PLACE", help="topic/partition/offset, as `list` shows it, or event id.")]


class Policy(StrEnum):
    """Which dead letters are replayed."""

    ONCE = "once"
    AGAIN = "again"


@app.command(name="list")
def list_(*, json: Json = False) -> None:
    """List dead letters with the reason and the event; never their payload."""
    run(_list(as_json=json))


async def _list(*, as_json: bool) -> bool:
    async with kafka.connect(stack.find().endpoint("kafka")) as reader:
        letters = await dead_letters.find(reader)
    if as_json:
        print_json([_form(letter) for letter in letters])
        return True
    console = screen()
    page = table(f"{len(letters)} dead letters", "place", "reason", "error", ">attempts", ">replays", "at", "event")
    for letter in letters:
        form = _form(letter)
        row(
            page,
            form["place"],
            styled(form["reason"], BAD),
            form["error"],
            form["attempts"],
            str(form["replays"]),
            styled(form["at"], QUIET),
            form["event_id"],
        )
    console.print(page)
    return True


@app.command()
def show(
    place: Place,
    *,
    payload: Annotated[bool, typer.Option("--payload", help="Also the payload: it is about a patient.")] = False,
    json: Json = False,
) -> None:
    """Show one dead letter."""
    run(_show(place, payload=payload, as_json=json))


async def _show(place: str, *, payload: bool, as_json: bool) -> bool:
    async with kafka.connect(stack.find().endpoint("kafka")) as reader:
        letter = _only(await dead_letters.find(reader), place)
    form = _form(letter) | ({"payload": _payload(letter)} if payload else {})
    if as_json:
        print_json(form)
        return True
    page = table(letter.place, "", "")
    for name, value in form.items():
        text = value if isinstance(value, str) else json_text.dumps(value, ensure_ascii=False, indent=1)
        row(page, styled(name, QUIET), text)
    screen().print(page)
    return True


@app.command()
def replay(
    places: Annotated[list[str], typer.Argument(metavar="PLACE...", help="Places or event ids; `all` for every one.")],
    *,
    policy: Annotated[
        Policy, typer.Option(help="once: leave out those replayed before; again: take them too.")
    ] = Policy.ONCE,
    count: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """Put events back into their topics for another try. The replay itself is recorded in the audit log."""
    run(_replay(places, policy, count, as_json=json))


async def _replay(places: Sequence[str], policy: Policy, count: int, *, as_json: bool) -> bool:
    bootstrap = stack.find().endpoint("kafka")
    async with kafka.connect(bootstrap) as reader:
        found = await dead_letters.find(reader)
    wanted = found if list(places) == ["all"] else [_only(found, place) for place in places]
    chosen = [letter for letter in wanted if policy is Policy.AGAIN or not letter.replays][:count]
    if not chosen:
        raise ClientError("nothing to replay: none is there, or all were replayed before (--policy again)")
    replays = [
        {
            "place": letter.place,
            "topic": letter.origin,
            "replay_id": await dead_letters.replay(bootstrap, letter, policy),
        }
        for letter in chosen
    ]
    if as_json:
        print_json(replays)
        return True
    page = table(f"{len(replays)} replayed", "place", "into", "replay (audit prove)")
    for done in replays:
        row(page, done["place"], done["topic"], done["replay_id"])
    screen().print(page)
    return True


def _only(letters: Sequence[DeadLetter], place: str) -> DeadLetter:
    matching = [letter for letter in letters if place in (letter.place, letter.header("event_id"))]
    if not matching:
        raise NotThereError(f"{place}: no such dead letter")
    return matching[-1]


def _form(letter: DeadLetter) -> forms.Form:
    record = letter.record
    return {
        "place": letter.place,
        "consumer": letter.header("consumer"),
        "reason": letter.header("reason"),
        "error": letter.header("error"),
        "text": letter.header("text"),
        "attempts": letter.header("attempts"),
        "replays": letter.replays,
        "event_id": letter.header("event_id"),
        "event_type": record.headers.get("ce_type", ""),
        "from": f"{letter.origin}/{letter.header('partition')}/{letter.header('offset')}",
        "at": datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(timespec="seconds"),
        "bytes": len(record.value),
    }


def _payload(letter: DeadLetter) -> forms.Form | str:
    """The event as JSON; hexadecimal when it cannot be read, which may be why it is here."""
    kinds = {topic.name: topic.payload for topic in TOPICS}
    try:
        return json_format.MessageToDict(kinds[letter.origin].FromString(letter.record.value))
    except (KeyError, DecodeError):
        return letter.record.value.hex()
