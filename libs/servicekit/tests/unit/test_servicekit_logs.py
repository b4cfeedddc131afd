import json
import logging
from collections.abc import Iterator

import pytest
from servicekit import logs


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


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
