"""Versions on disk: numbered folders of one model in Triton's model repository.

Numbers only go up, and the newest is the live one: that is what Triton serves after a restart, and to whoever asks for
no version. A folder appears whole or not at all.

    reasoner/config.pbtxt      the contract of every version
    reasoner/1/model.py        comes with the code
    reasoner/1/version.json    which weights; of later versions also their SHA-256, and when it was published
    reasoner/2/model.py        a link to 1/model.py: all versions are served by the same code
    reasoner/2/version.json
"""

import compileall
import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from engine.folder import ModelCorruptError, ModelFolder, open_folder, verify

FILE = "version.json"


class RepositoryError(Exception):
    """The model repository cannot be used; the text says what is missing and what to do."""


@dataclass(frozen=True)
class Version:
    """`weights` is a folder under the models folder, or an absolute path. Version 1 has no digest and no date."""

    number: int
    weights: str
    sha256: str = ""
    published_at: datetime | None = None


def versions(model: Path) -> list[Version]:
    """All versions in the model's folder of a repository, the live one last."""
    if not (model / "config.pbtxt").exists():
        raise RepositoryError(f"no model in {model}: name the model repository that Triton serves")
    folders = [folder for folder in model.iterdir() if folder.name.isdecimal()]
    return sorted((_read(folder) for folder in folders), key=lambda version: version.number)


def needed(all_versions: list[Version], keep: timedelta, now: datetime) -> list[int]:
    """Numbers that must be loaded: the newest, and those whose successor is younger than `keep`."""
    kept = [old.number for old, new in pairwise(all_versions) if new.published_at and new.published_at > now - keep]
    return [*kept, all_versions[-1].number]


def add(model: Path, weights: str, sha256: str, now: datetime) -> Version:
    """Writes the next version; raises RepositoryError when another was written at the same time."""
    version = Version(versions(model)[-1].number + 1, weights, sha256, now)
    with tempfile.TemporaryDirectory(dir=model, prefix=".publishing-") as scratch:
        folder = Path(scratch) / str(version.number)
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "model.py").symlink_to("../1/model.py")
        (folder / FILE).write_text(document(version), encoding="utf-8")
        try:
            folder.rename(model / folder.name)
        except OSError as error:
            raise RepositoryError(
                f"version {folder.name} was published by somebody else just now; look again"
            ) from error
    # Python would write its bytecode there at the first load, and Triton takes a folder that changed for a new version.
    compileall.compile_dir(model / folder.name, quiet=1)
    return version


def document(version: Version) -> str:
    """What `version.json` says."""
    said = {"weights": version.weights, "sha256": version.sha256}
    published = {"published_at": version.published_at.isoformat()} if version.published_at else {}
    return json.dumps(said | published, indent=2) + "\n"


def remove(model: Path, version: Version) -> None:
    """Takes a version back that did not load."""
    shutil.rmtree(model / str(version.number))


def served_folder(version: Path, models: Path) -> ModelFolder:
    """The weights that a version's folder names, every file hashed again. Raises ModelCorruptError for other ones."""
    asked = _read(version)
    folder = open_folder(models / asked.weights)
    verify(folder)
    if asked.sha256 not in ("", folder.sha256):
        raise ModelCorruptError(f"{asked.sha256[:12]} was published, {folder.path} holds {folder.sha256[:12]}")
    return folder


def _read(folder: Path) -> Version:
    try:
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        published_at = datetime.fromisoformat(values["published_at"]) if "published_at" in values else None
        return Version(int(folder.name), values["weights"], values.get("sha256", ""), published_at)
    except (OSError, ValueError, KeyError) as error:
        raise RepositoryError(f"{folder / FILE} does not say which weights are served: restore it") from error
