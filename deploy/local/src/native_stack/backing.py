"""The stack's part of a backup: what `python -m backup` must know of it, and servers without services to restore into.

Kafka is reached as its own certificate, which may do everything there, on the listener that is for it alone.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from witness.cosigning import STATE

from native_stack import authority, kafka, witness
from native_stack.control import StackError
from native_stack.part import inherited_environment
from native_stack.ports import HOST
from native_stack.stack import Stack

PASSPHRASE = "LONGITUDE_BACKUP_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
_SERVERS = ("kafka", "postgres", "objects")
# Who watches the log is not set back with it: what a witness keeps is put back only where nothing of it is left.
_WITNESS = Path("data") / witness.NAME
_KEYS = ("credentials.json", "certificates/*", "data/*/*.key", "data/*/*.key.pub", "data/issuer/*", "data/witness/*")
_MARK = ".restoring"


def backup(stack: Stack, folder: Path) -> None:
    """Back up the stack, which runs, into a new folder; StackError when it is not done."""
    _run(stack, "take", str(folder.resolve()))


def restore(stack: Stack, folder: Path, *, replace: bool = False, after_loss: bool = False) -> None:
    """Make the data of a stack, which does not run, those of a backup. `up` then starts it.

    StackError, with nothing changed, when the backup is not whole, or when data are there and `replace` is not given.
    """
    record, layout, mark = stack.record(), stack.layout, stack.layout.directory / _MARK
    if record is not None and record.supervisor.alive():
        raise StackError(f"a stack runs in {layout.directory}; `down` stops it")
    if _leaves_data(layout.directory) and not replace and not mark.exists():
        raise StackError(f"{layout.directory / 'data'} has data; --replace gives them up")
    with tempfile.TemporaryDirectory() as keys:
        # It checks the whole backup, too.
        _backup({}, "keys", str(folder.resolve()), keys)
        if not after_loss:
            _require_told(layout.data(witness.NAME) / STATE, folder)
        layout.make()
        mark.touch()
        _discard(layout.directory)
        _put(Path(keys), layout.directory)
    stack.up(parts=_SERVERS, owned=True)
    try:
        _run(stack, "restore", str(folder.resolve()))
    finally:
        stack.down()
    mark.unlink()


def _require_told(kept: Path, folder: Path) -> None:
    """StackError where the witness saw leaves of the log that the backup does not have."""
    log = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["log"]
    sizes = [head["size"] for head in json.loads(kept.read_text(encoding="utf-8")).values()] if kept.exists() else []
    if log is not None and (seen := max(sizes, default=0)) > log["size"]:
        raise StackError(
            f"the witness saw {seen} leaves of the audit log, and the backup has {log['size']}: what came between is "
            "lost, whoever verified it will see that, and the witness cosigns no more; --after-loss goes on"
        )


def settings(stack: Stack) -> dict[str, str]:
    """The LONGITUDE_* variables of `python -m backup` for a stack that runs; StackError when none does."""
    lines, record = stack.endpoints(), stack.record()
    assert record is not None
    return {
        "LONGITUDE_KAFKA": f"{HOST}:{record.ports['kafka_inside']}",
        "LONGITUDE_POSTGRES": lines["LONGITUDE_POSTGRES_POSTGRES"],
        **{name: lines[name] for name in lines if name.startswith("LONGITUDE_OBJECTS")},
        "LONGITUDE_WITNESSES": f"http://{HOST}:{record.ports[witness.NAME]}" if witness.NAME in record.parts else "",
        "LONGITUDE_BACKUP_KEYS": str(stack.layout.directory),
        "LONGITUDE_BACKUP_KEY_FILES": " ".join(_KEYS),
        **authority.settings(Path(lines["LONGITUDE_TLS_AUTHORITY"]).parent, kafka.NAME),
    }


def _run(stack: Stack, *words: str) -> None:
    _backup(settings(stack), *words)


def _backup(variables: dict[str, str], *words: str) -> None:
    if not (file := os.environ.get(PASSPHRASE)):
        raise StackError(f"{PASSPHRASE}: name a file with the passphrase, readable by you alone")
    environment = inherited_environment() | variables | {PASSPHRASE: str(Path(file).resolve())}
    done = subprocess.run([sys.executable, "-m", "backup", *words], env=environment, check=False)  # noqa: S603
    if done.returncode:
        raise StackError(f"the backup was not {'taken' if words[0] == 'take' else 'restored'}")


def _leaves_data(directory: Path) -> bool:
    return any(path.name != witness.NAME for path in (directory / "data").glob("*"))


def _discard(directory: Path) -> None:
    for path in (directory / "data").glob("*"):
        if path.name != witness.NAME:
            shutil.rmtree(path)


def _put(keys: Path, directory: Path) -> None:
    is_watched = (directory / _WITNESS).exists()
    for path in keys.rglob("*"):
        name = path.relative_to(keys)
        if path.is_file() and not (is_watched and name.is_relative_to(_WITNESS)):
            target = directory / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(path, target)
