"""What is said where PostgreSQL's programs do not fit, before anything is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from backup import postgres
from backup.errors import BackupError


def test_a_program_older_than_the_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    server = SimpleNamespace(server_version=170_010)

    @contextmanager
    def connected(_: str) -> Iterator[Any]:
        yield SimpleNamespace(info=server)

    monkeypatch.setattr(postgres, "connected", connected)
    monkeypatch.setattr(postgres, "_program", lambda name: name)
    monkeypatch.setattr(postgres, "_version", lambda _: (17, 10))
    postgres.check("postgresql://")
    server.server_version = 180_001
    with pytest.raises(BackupError, match="pg_dump 17 does not read PostgreSQL 18: install"):
        postgres.check("postgresql://")


def test_a_program_that_does_not_run_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "pg_dump"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="pg_dump does not run"):
        postgres._program("pg_dump")
