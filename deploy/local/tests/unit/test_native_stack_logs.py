"""The end of a server's log is shown to a person, and nothing in it acts on the terminal."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_stack.logs import tail


@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_whatever_a_server_quoted_is_shown_and_does_nothing(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("log") / "part.log"
    log.write_bytes(b"\x1b[2J\x9b " + text.encode() + "\u202e\n".encode())
    shown = tail(log)
    assert all(line.replace("\t", "").isprintable() for line in shown.split("\n"))


def test_an_escape_and_a_mark_of_direction_are_shown_by_their_numbers(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("FATAL: no \x1b[2J row \u202e of Müller\tat 4\n", encoding="utf-8")
    assert tail(log) == "    FATAL: no \\x1b[2J row \\u202e of Müller\tat 4"
