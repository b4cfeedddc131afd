"""Kafka's jars: those of deploy/local/kafka-jars.json and no other, byte for byte."""

import hashlib
import json
from pathlib import Path

from native_stack import layout as places
from native_stack.part import PartError

LOCK = places.REPOSITORY / "deploy" / "local" / "kafka-jars.json"


def pinned(lock: Path = LOCK) -> dict[str, str]:
    """SHA-256 of each jar by its file name."""
    return {jar["file"]: jar["sha256"] for jar in json.loads(lock.read_text())}


def differences(folder: Path, wanted: dict[str, str]) -> list[str]:
    """What is not as it was pinned: jars that are missing, that nobody named, or whose bytes are others."""
    present = {path.name: _digest(path) for path in folder.iterdir()} if folder.is_dir() else {}
    absent = [f"{name} is missing" for name in wanted.keys() - present.keys()]
    unknown = [f"{name} is not pinned" for name in present.keys() - wanted.keys()]
    altered = [f"{name} has other bytes" for name in wanted.keys() & present.keys() if wanted[name] != present[name]]
    return sorted(absent + unknown + altered)


def require(folder: Path) -> None:
    """PartError names each difference."""
    found = differences(folder, pinned())
    if found:
        raise PartError(f"{folder} is not what {LOCK.name} pins, so it is not run: {'; '.join(found)}")


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
