"""`longitude mcp`: the record to a model, over the Model Context Protocol on standard input and output.

The protocol is in the package `mcp`, which `longitude-client[mcp]` brings.
"""

from __future__ import annotations

import typer

from client.cli.session import complain


def mcp() -> None:
    """Serve reading tools to a model (timeline, find, ask, check, brief, advise) as the person who is signed in."""
    try:
        from client.tools import server  # noqa: PLC0415 - the package need not be there, and it takes time to read
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mcp":
            raise
        complain("the package `mcp` is missing: install longitude-client[mcp]")
        raise typer.Exit(1) from None
    server().run("stdio")
