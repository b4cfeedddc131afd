"""How a publisher makes a key and signs a package of passages. Nothing of it needs a running stack."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from contracts.packages import PackageError, read, under
from contracts.publishers import PublisherKeyError, SigningKey

from client.cli.session import Json, print_json, screen

_LARGEST_KEY = 1_000


def key(
    publisher: Annotated[str, typer.Argument(help="The publisher's name: a-z, 0-9, '.', '_' and '-'.")],
    file: Annotated[Path, typer.Argument(help="Where the private key is written; never over a file.")],
    *,
    json: Json = False,
) -> None:
    """Make a signing key, and print the line by which others trust it (LONGITUDE_PUBLISHERS of memory)."""
    try:
        made = SigningKey.generate(publisher)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
            written.write(made.export() + "\n")
    except (OSError, PublisherKeyError) as error:
        raise typer.BadParameter(str(error)) from None
    if json:
        print_json({"publisher": publisher, "key": str(made.publisher)})
    else:
        screen().print(str(made.publisher), soft_wrap=True)


def sign(
    files: Annotated[list[Path], typer.Argument(help="Packages: passages as JSON lines; each is signed in its place.")],
    *,
    key: Annotated[Path, typer.Option(help="The private key of the publisher, as `longitude evidence key` made it.")],
    edition: Annotated[str, typer.Option(help="As the publisher names it; else the date.")] = "",
    date: Annotated[str, typer.Option(help="YYYY-MM-DD; else today.")] = "",
    json: Json = False,
) -> None:
    """Sign packages: the first line of each says who published it and proves it."""
    day = date or datetime.now(UTC).date().isoformat()
    try:
        with key.open(encoding="ascii") as opened:
            signer = SigningKey.parse(opened.read(_LARGEST_KEY))
        signed = [_signed(file.read_text(encoding="utf-8"), signer, edition or day, day) for file in files]
        for file, text in zip(files, signed, strict=True):
            file.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError, PackageError, PublisherKeyError) as error:
        raise typer.BadParameter(str(error)) from None
    if json:
        print_json({"publisher": signer.name, "edition": edition or day, "date": day, "files": list(map(str, files))})
    else:
        screen().print(f"{len(signed)} packages signed by {signer.name}, edition {edition or day}")


def _signed(text: str, signer: SigningKey, edition: str, date: str) -> str:
    return under(signer.sign(edition, date, read(text).passages), text)
