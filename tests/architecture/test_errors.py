"""One family of errors: what an outside library raises is known in one module for each library, and nowhere else."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a process of ours lives from. The command line and the tools around the engine have users, not callers.
SOURCES = sorted(
    path
    for package in (*ROOT.glob("services/*"), ROOT / "libs/eventbus", ROOT / "libs/servicekit")
    for path in (package / "src").rglob("*.py")
)
TRANSLATED_IN = {
    r"psycopg\.(\w*Error|errors)|from psycopg(_pool)?(\.errors)? import [^\n]*(Error|Timeout)": {"postgres.py"},
    r"aiokafka\.errors": {"kafka.py"},
    r"minio\.error": {"objects.py"},
    r"InferenceServerException": {"triton.py"},
    r"qdrant_client\.\S*exceptions": {"qdrant_server.py"},
    r"AioRpcError": {"triton.py", "grpc.py"},
}


@pytest.mark.parametrize("pattern", TRANSLATED_IN)
def test_the_errors_of_an_outside_library_are_translated_in_one_place(pattern: str) -> None:
    users = {path for path in SOURCES if re.search(pattern, path.read_text(encoding="utf-8"))}
    assert users, "the pattern finds nothing: it cannot fail"
    assert {path.name for path in users} <= TRANSLATED_IN[pattern], sorted(map(str, users))
    assert len({path.name for path in users}) == len(users)


def test_waiting_for_what_is_away_is_written_once() -> None:
    loops = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if re.search(
            r"while True:(?:\n(?: {8}.*+)?+)*?\n +except [^\n]*UnavailableError", path.read_text(encoding="utf-8")
        )
    ]
    assert loops == ["libs/eventbus/src/eventbus/retry.py"]
