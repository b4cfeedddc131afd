"""The four who look, at real services: what each is shown, and what the log has of it."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from client.api import AuditingClient
from client.stack import Stack
from demo import access, page
from native_stack import Stack as Servers
from rich.console import Console
from testkit import Backends

PARTS = ("kafka", "postgres", "objects", "ingestion", "memory", "auditing")


@pytest.fixture(scope="module")
def variables(backends: Backends, new_stack: Callable[..., Servers], triton: Callable[..., str]) -> Mapping[str, str]:
    lines = new_stack(PARTS, (), {"triton": triton("embedder")}).endpoints()
    return backends.issuer | lines


async def test_who_looked_is_shown_refused_counted_and_logged(
    variables: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stack, spoken = Stack(variables, tmp_path), list[str]()
    # The second run finds what the first one left: the patient, ended openings, older looks.
    for _run in range(2):
        async with AuditingClient.connect(stack.endpoint("auditing")) as auditing:
            seen = await access.look(stack, auditing, spoken.append)
        assert seen is not None
        assert "researcher" in seen.refused
        assert (seen.closed.left_out, seen.widened.left_out, seen.broken.left_out) == (1, 0, 0)
        assert seen.opened == ["Major depressive disorder, single episode, moderate"]
        assert seen.broken.banner.startswith("BREAK-GLASS")
        assert (seen.reviewed.by.subject, seen.reviewed.reviewed_by.subject) == ("physician", "auditor")
        assert "physician" in seen.own_review
        asked = [(look["subject"], look["rpc"], look["outcome"], look["left_out"]) for look in seen.looks]
        assert asked == [
            ("researcher", "GetTimeline", "refused", 0),
            ("nurse", "GetTimeline", "shown", 1),
            ("nurse", "OpenRecord", "shown", 0),
            ("nurse", "GetTimeline", "shown", 0),
            ("physician", "OpenRecord", "shown", 0),
            ("physician", "GetTimeline", "shown", 0),
        ]
        drawn = io.StringIO()
        Console(file=drawn, width=110).print(page.access(seen))
        for words in ("Prof. Elena Rossi", "is refused", "1 closed", access.REASON, "BREAK-GLASS", "6 looks"):
            assert words in drawn.getvalue()
    assert spoken[-1].startswith("6 looks")


async def test_a_stack_without_demo_people_is_told_so(variables: Mapping[str, str], tmp_path: Path) -> None:
    spoken = list[str]()
    without = {name: value for name, value in variables.items() if name != access.PASSWORD}
    stack = Stack(without, tmp_path)
    async with AuditingClient.connect(stack.endpoint("auditing")) as auditing:
        assert await access.look(stack, auditing, spoken.append) is None
    assert spoken == ["no demo people can sign in here"]
