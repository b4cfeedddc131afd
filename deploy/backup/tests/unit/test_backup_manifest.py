import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from backup import manifest
from backup.errors import BackupError
from backup.manifest import File, Manifest, Partition
from backup.restoring import verify
from backup.sealing import Key
from backup.settings import PassphraseSettings

SALT = bytes(16)


@pytest.fixture
def settings(tmp_path: Path) -> PassphraseSettings:
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery")
    file.chmod(0o600)
    return PassphraseSettings(backup_passphrase_file=file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A backup of one file."""
    folder = tmp_path / "backup"
    (folder / "objects").mkdir(parents=True)
    (folder / "objects" / "ingestion-raw").write_bytes(b"bytes")
    file = File(name="objects/ingestion-raw", size=5, sha256=hashlib.sha256(b"bytes").hexdigest())
    written = Manifest(
        format=manifest.FORMAT,
        platform=manifest.platform(),
        moment="2026-03-01T02:00:00+00:00",
        postgres="PostgreSQL 18.6",
        salt=SALT.hex(),
        files=[file],
        tables={"memory.fact": 7},
        topics={},
        partitions=[Partition(topic="ingestion.message-received.v1", partition=0, start=0, end=7)],
        groups={},
        buckets={},
        log=None,
    )
    manifest.write(folder, written.sealed(Key(b"correct horse battery", SALT)))
    return folder


def test_a_whole_backup_is_one_without_any_server(folder: Path, settings: PassphraseSettings) -> None:
    assert verify(settings, folder)[0].tables == {"memory.fact": 7}


def test_a_manifest_is_for_its_owner_only(folder: Path) -> None:
    assert (folder / manifest.FILE).stat().st_mode & 0o777 == 0o600


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / manifest.FILE).read_text()
        assert old in text
        (folder / manifest.FILE).write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / manifest.FILE).unlink(), "no complete backup"),
        (lambda folder: (folder / manifest.FILE).write_text("{}"), "damaged, or of another version"),
        (lambda folder: (folder / "objects" / "ingestion-raw").unlink(), "objects/ingestion-raw: is missing"),
        (lambda folder: (folder / "objects" / "ingestion-raw").write_bytes(b"other"), "is damaged"),
        (lambda folder: (folder / "objects" / "ingestion-raw").write_bytes(b"byt"), "is damaged"),
        (lambda folder: (folder / "objects" / "more").write_bytes(b""), "objects/more: is not of this backup"),
        (replaced('"memory.fact": 7', '"memory.fact": 8'), "was altered, or the passphrase is another"),
        (replaced('"format": 1', '"format": 2'), "format 2; this program reads 1"),
        (replaced('"platform": "0', '"platform": "7'), "newer than"),
    ],
    ids=[
        "no manifest",
        "no fields",
        "a file less",
        "another file",
        "cut",
        "a file more",
        "counts",
        "format",
        "version",
    ],
)
def test_anything_else_is_refused_by_name(
    folder: Path, settings: PassphraseSettings, change: Callable[[Path], None], words: str
) -> None:
    change(folder)
    with pytest.raises(BackupError, match=words):
        verify(settings, folder)


def test_another_passphrase_opens_nothing(folder: Path, settings: PassphraseSettings) -> None:
    settings.backup_passphrase_file.write_text("wrong horse battery")
    with pytest.raises(BackupError, match="the passphrase is another"):
        verify(settings, folder)
