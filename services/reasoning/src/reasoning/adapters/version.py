"""What shapes a brief beside the record: the code and data of the packages that write it, and what is set here."""

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

# Whose rules, rows, words, checks and messages are in a brief.
PACKAGES = ("consult", "contracts", "grounding", "harness", "knowledge", "longitude", "reasoning", "terminology")


def version(*settings: str) -> str:
    """SHA-256 of every file of these packages and of the settings: the same wherever the same is installed."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path, file in sorted(_files(files(package), package)):
            digest.update(f"{path}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    for each in settings:
        digest.update(hashlib.sha256(each.encode()).digest())
    return digest.hexdigest()


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    """Without what the interpreter makes of them."""
    for each in folder.iterdir():
        if each.is_dir():
            if each.name != "__pycache__":
                yield from _files(each, f"{path}/{each.name}")
        elif not each.name.endswith((".pyc", ".pyo")):
            yield f"{path}/{each.name}", each
