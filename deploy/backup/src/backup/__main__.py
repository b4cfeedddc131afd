"""`python -m backup take|verify|restore|keys`: endpoints and the passphrase's file stand in LONGITUDE_*."""

# ruff: noqa: T201 - a command prints what it has to say

import argparse
import sys
from pathlib import Path

from servicekit.settings import load

from backup import restoring, taking
from backup.errors import BackupError
from backup.manifest import Manifest
from backup.settings import PassphraseSettings, Settings


def main() -> int:
    """Do one command; 0 only if what was asked holds."""
    arguments = _parser().parse_args()
    try:
        _COMMANDS[arguments.command](arguments)
    except BackupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _take(arguments: argparse.Namespace) -> None:
    print(f"taken: {_told(taking.take(load(Settings), arguments.folder, _say))}")


def _verify(arguments: argparse.Namespace) -> None:
    print(f"whole: {_told(restoring.verify(load(PassphraseSettings), arguments.folder)[0])}")


def _restore(arguments: argparse.Namespace) -> None:
    options = {"replace": arguments.replace, "after_loss": arguments.after_loss}
    print(f"restored: {_told(restoring.restore(load(Settings), arguments.folder, _say, **options))}")


def _keys(arguments: argparse.Namespace) -> None:
    restoring.unpack_keys(load(PassphraseSettings), arguments.folder, arguments.into)


def _told(manifest: Manifest) -> str:
    leaves = f", {manifest.log.size} leaves of the log" if manifest.log else ""
    return f"{manifest.moment}, {sum(file.size for file in manifest.files):,} bytes{leaves}"


def _say(text: str) -> None:
    print(text, flush=True)


_COMMANDS = {"take": _take, "verify": _verify, "restore": _restore, "keys": _keys}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="backup", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in _COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path, help="the backup")
        if name == "keys":
            command.add_argument("into", type=Path, help="where keys, certificates and passwords are written")
        if name == "restore":
            command.add_argument("--replace", action="store_true", help="give up what is there")
            command.add_argument("--after-loss", action="store_true", help="give up leaves that a witness saw")
    return parser


if __name__ == "__main__":
    sys.exit(main())
