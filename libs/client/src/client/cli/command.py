"""The `longitude` command: every door of the platform from a terminal.

Exit code 0 only if what was asked holds; 1 when it does not or cannot be told; 2 for a wrong command line.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from client.cli.advise import advise
from client.cli.ask import ask
from client.cli.assessment import assessment
from client.cli.audit import app as audit
from client.cli.check import check
from client.cli.concern import app as concern
from client.cli.concern import worklist
from client.cli.context import context
from client.cli.dead_letters import app as dead_letters
from client.cli.evidence import app as evidence
from client.cli.feed import feed
from client.cli.file import file
from client.cli.find import find
from client.cli.knowledge import app as knowledge
from client.cli.learn import app as learn
from client.cli.login import login, logout, whoami
from client.cli.mcp import mcp
from client.cli.opening import app as opening
from client.cli.rebuild import rebuild
from client.cli.replay import replay
from client.cli.review import review
from client.cli.send import send
from client.cli.session import complain
from client.cli.signature import verify_signature
from client.cli.timeline import timeline
from client.cli.trace import trace
from client.cli.visit import brief, note, summary

app = typer.Typer(
    name="longitude",
    help="Send a hospital's messages in; read the record; ask; check; sign; verify.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_COMMANDS = (
    send,
    timeline,
    find,
    context,
    ask,
    advise,
    brief,
    summary,
    note,
    check,
    assessment,
    review,
    worklist,
    verify_signature,
    replay,
    trace,
    feed,
    file,
    rebuild,
    login,
    whoami,
    logout,
    mcp,
)
for command in _COMMANDS:
    app.command()(command)
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(evidence, name="evidence")
app.add_typer(knowledge, name="knowledge")
app.add_typer(audit, name="audit")
app.add_typer(opening, name="open")
app.add_typer(concern, name="concern")
app.add_typer(learn, name="learn")


def main(arguments: Sequence[str] | None = None) -> None:
    """Console script. Libraries that log do so into nothing: a user is told in one line, by us.

    So is what is wrong with the command line: a shell puts the names of files there, which others gave them.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        code = app(arguments, standalone_mode=False)
    except TyperException as error:
        # Empty where it is the help that was printed.
        if text := error.format_message():
            complain(text)
        code = error.exit_code
    except (typer.Abort, EOFError, KeyboardInterrupt):
        code = 130
    sys.exit(code or 0)
