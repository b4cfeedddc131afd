import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servicekit import logs

# An escape sequence, a C1 control, the end of a line, a bell, marks of direction, a byte-order mark, half a pair.
ACTING = [
    "\x1b[2J",
    "\x7f",
    "\x9b2J",
    "\n{}",
    "\r",
    "\x07",
    "\u202e",
    "\u2066",
    "\u200f",
    "\u2028",
    "\ufeff",
    "\ud800",
    "\x00",
]


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
    yield
    root.handlers, root.level = handlers, level
    sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = hooks


def test_an_exception_is_logged_by_type_and_place_and_never_by_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("memory", "INFO")
    try:
        raise ValueError("PID|1||4711 EVERYWOMAN")
    except ValueError:
        logging.getLogger("test").exception("cannot store")
    line = capsys.readouterr().err
    record = json.loads(line)
    assert "EVERYWOMAN" not in line
    assert record["exc_info"].startswith("ValueError at ")
    assert (record["service"], record["level"], record["message"]) == ("memory", "ERROR", "cannot store")


@given(text=st.text(st.one_of(st.characters(), st.sampled_from("".join(ACTING)))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("way", ["message", "argument", "extra", "logger", "level", "thread"])
def test_a_line_of_the_log_is_one_line_of_plain_characters_by_whatever_way_a_text_came(
    capsys: pytest.CaptureFixture[str], way: str, text: str
) -> None:
    logs.configure("memory", "INFO")
    log = logging.getLogger("test." + text if way == "logger" else "test")
    {
        "message": lambda: log.error(text.replace("%", "%%")),
        "argument": lambda: log.error("no %s", text),
        "extra": lambda: log.error("no", extra={"event": text, "where": {text: [text]}}),
        "logger": lambda: log.error("no"),
        "level": lambda: log.error("no", stack_info=True, extra={"x": text.encode(errors="replace")}),
        "thread": lambda: log.error("no", extra={"name_of_thread": text}),
    }[way]()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].isascii()
    assert lines[0].isprintable()
    assert json.loads(lines[0])["level"] == "ERROR"


# A process of its own, because pytest has hooks of its own.
_LOST = """
import sys, threading, warnings
from servicekit import logs
logs.configure("memory", "INFO")
hostile = "EVERYWOMAN \\x1b[2J \\u202e"
class Fragile:
    def __del__(self): raise ValueError(hostile)
def fail(): raise ValueError(hostile)
{how}
"""


@pytest.mark.parametrize(
    ("how", "written"),
    [
        ("fail()", "ValueError at "),
        ("thread = threading.Thread(target=fail); thread.start(); thread.join()", "ValueError at "),
        ("Fragile()", "ValueError at "),
        ("warnings.warn(hostile)", "UserWarning at "),
    ],
)
def test_what_nobody_caught_and_what_python_warns_of_is_logged_by_type_and_place_and_never_by_text(
    how: str, written: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOST.replace("{how}", how)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr, "nothing was logged"
    for line in done.stderr.splitlines():
        assert written in line
        assert json.loads(line)["service"] == "memory"
    assert "EVERYWOMAN" not in done.stderr
    assert done.stderr.isascii()
