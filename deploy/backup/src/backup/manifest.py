"""What a backup is made of, in `manifest.json`: written last, so that a backup without one is incomplete.

It has no patient data: names of files, topics, tables and buckets, sizes, digests and counts. Its own digest is keyed
by the passphrase, so that nobody else writes one.
"""

import hashlib
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backup.errors import BackupError
from backup.sealing import Key

FORMAT = 1
FILE = "manifest.json"
_PIECE = 1024 * 1024


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Closed):
    """One file as it lies on disk, by its path in the folder."""

    name: str
    size: int
    sha256: str


class Partition(_Closed):
    """Records from offset `start` to before `end`; of those at the end that belong to the time after, `left_out`."""

    topic: str
    partition: int
    start: int
    end: int
    left_out: int = 0


class Topic(_Closed):
    """As a broker is told of it."""

    partitions: int
    replicas: int
    settings: dict[str, str]


class Place(_Closed):
    """The next offset that a consumer group reads."""

    topic: str
    partition: int
    offset: int


class Bucket(_Closed):
    """Objects, and the bytes in them."""

    objects: int
    size: int


class Head(_Closed):
    """The newest published checkpoint of the audit log."""

    size: int
    note: str


class Manifest(_Closed):
    """All of it. `moment` is that of the snapshot of PostgreSQL, ISO 8601."""

    format: int
    platform: str
    moment: str
    postgres: str
    salt: str
    files: list[File]
    tables: dict[str, int]
    topics: dict[str, Topic]
    partitions: list[Partition]
    groups: dict[str, list[Place]]
    buckets: dict[str, Bucket]
    log: Head | None
    mac: str = ""

    def sealed(self, key: Key) -> "Manifest":
        """With the digest that only the passphrase gives."""
        return self.model_copy(update={"mac": key.mac(self._unsealed())})

    def require(self, key: Key) -> None:
        """BackupError where another passphrase sealed it, or somebody altered it."""
        if self.mac != key.mac(self._unsealed()):
            raise BackupError(f"{FILE}: was altered, or the passphrase is another backup's")

    def _unsealed(self) -> bytes:
        return self.model_dump_json(exclude={"mac"}).encode()


def platform() -> str:
    """The version of this program, which is that of the platform."""
    return version("longitude-backup")


def write(folder: Path, manifest: Manifest) -> None:
    """In one step, and on disk when it returns."""
    draft = folder / f".{FILE}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(manifest.model_dump_json(indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def read(folder: Path) -> Manifest:
    """BackupError where there is none, or of a version that this program does not know."""
    try:
        text = (folder / FILE).read_bytes()
    except OSError as error:
        raise BackupError(f"{folder}: no complete backup ({FILE}: {type(error).__name__})") from None
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError:
        raise BackupError(f"{folder / FILE}: is damaged, or of another version than format {FORMAT}") from None
    if manifest.format != FORMAT:
        raise BackupError(f"{folder / FILE}: format {manifest.format}; this program reads {FORMAT}")
    if _parts(manifest.platform) > _parts(platform()):
        raise BackupError(f"the backup is of version {manifest.platform}, newer than {platform()}: use that version")
    return manifest


def require_whole(folder: Path, manifest: Manifest) -> None:
    """Every file is there as it was written, and no other; BackupError names the first that is not."""
    wanted = {file.name: file for file in manifest.files}
    for name in _names(folder) - wanted.keys() - {FILE}:
        raise BackupError(f"{name}: is not of this backup")
    for name, file in wanted.items():
        path = folder / name
        if not path.is_file():
            raise BackupError(f"{name}: is missing")
        if path.stat().st_size != file.size or _sha256(path) != file.sha256:
            raise BackupError(f"{name}: is damaged")


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _parts(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]
