"""`python -m native_stack up|down|status|start|stop|restart|kill|backup|restore|certificates`: the local stack."""

# ruff: noqa: T201 - a command prints what it has to say

import argparse
import sys
from pathlib import Path

from manifests import ManifestError, read_services
from manifests.grants import COMMAND

from native_stack import authority, backing, catalogue
from native_stack.control import StackError
from native_stack.layout import SHARED
from native_stack.logs import tail
from native_stack.progress import Progress, table
from native_stack.stack import Stack


def main() -> int:
    """Do one command; 0 only if what was asked holds."""
    try:
        arguments = _parser().parse_args()
        return _COMMANDS[arguments.command](Stack(arguments.dir), arguments)
    except (ManifestError, StackError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _up(stack: Stack, arguments: argparse.Namespace) -> int:
    record = stack.record()
    if record is not None and record.supervisor.alive():
        print(f"already up in {stack.layout.directory}")
        return _status(stack, arguments)
    left = stack.clean_up()
    if left:
        print(f"ended {left} processes that a killed stack had left behind")
    parts = [name for name in arguments.only or _known() if name not in arguments.without]
    stack.up(parts=parts, free_ports=arguments.free_ports, models=arguments.models, progress=Progress())
    print(f"endpoints: {stack.layout.environment}   logs: {stack.layout.directory / 'logs'}")
    return 0


def _down(stack: Stack, _: argparse.Namespace) -> int:
    print("stopped" if stack.down() else "nothing ran")
    return 0


def _status(stack: Stack, _: argparse.Namespace) -> int:
    record = stack.record()
    if record is None or not record.supervisor.alive():
        print(f"no stack is up in {stack.layout.directory}")
        left = stack.left_behind()
        if left:
            print(f"but {len(left)} of its processes outlive their killed supervisor; `down` ends them")
        return 1
    print(table(record))
    dead = [name for name, part in record.parts.items() if part.state == "died"]
    for name in dead:
        print(f"{name} died; the end of its log:\n{tail(stack.layout.log(name))}")
    return 0 if all(part.state == "ready" for part in record.parts.values()) else 1


def _act(stack: Stack, arguments: argparse.Namespace) -> int:
    getattr(stack, arguments.command)(arguments.part)
    return 0


def _certificates(stack: Stack, _: argparse.Namespace) -> int:
    """Those of every part in the folder, without a stack: for containers, of which Qdrant is one."""
    authority.issue(stack.layout.directory, (*_known(), "qdrant", COMMAND))
    return 0


def _backup(stack: Stack, arguments: argparse.Namespace) -> int:
    backing.backup(stack, arguments.folder)
    return 0


def _restore(stack: Stack, arguments: argparse.Namespace) -> int:
    backing.restore(stack, arguments.folder, replace=arguments.replace, after_loss=arguments.after_loss)
    print("restored; `make up` starts it")
    return 0


_COMMANDS = {"up": _up, "down": _down, "status": _status, "certificates": _certificates}
_COMMANDS |= {"backup": _backup, "restore": _restore}
_COMMANDS |= dict.fromkeys(("start", "stop", "restart", "kill"), _act)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="native_stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in _COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("--dir", type=Path, default=SHARED, help="the stack's folder (default: var)")
        if name == "up":
            _add_up_options(command)
        elif name in {"backup", "restore"}:
            _add_backup_options(command, name)
        elif _COMMANDS[name] is _act:
            command.add_argument("part", choices=_known())
    return parser


def _add_up_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--only", type=_parts, help="start these parts only, separated by commas")
    command.add_argument("--without", type=_parts, default=[], help="leave these parts out")
    command.add_argument("--models", type=_names, help="the Triton models to load (default: all)")
    command.add_argument("--free-ports", action="store_true", help="use none of the field's default ports")


def _add_backup_options(command: argparse.ArgumentParser, name: str) -> None:
    command.add_argument("folder", type=Path, help="the backup")
    if name == "restore":
        command.add_argument("--replace", action="store_true", help="give up the data that are there")
        command.add_argument("--after-loss", action="store_true", help="give up leaves that a witness saw")


def _known() -> tuple[str, ...]:
    return catalogue.parts(read_services())


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _parts(text: str) -> list[str]:
    names = _names(text)
    unknown = set(names) - set(_known())
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; parts: {', '.join(_known())}")
    return names


if __name__ == "__main__":
    sys.exit(main())
