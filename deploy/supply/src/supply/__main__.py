"""`python -m supply sbom|audit|pin|lock`: what the product is made of, and what is known against it."""

# ruff: noqa: T201 - a command prints what it has to say

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from supply import audit, bill, elsewhere, images, jars, places
from supply.licences import read_policy

_OUT = places.REPOSITORY / "var" / "sbom" / "longitude.cdx.json"


def main() -> int:
    """Do one command; 0 only if what was asked holds."""
    parser = argparse.ArgumentParser(prog="supply", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sbom").add_argument("--out", type=Path, default=_OUT)
    commands.add_parser("audit").add_argument("--advisories", type=Path, help="a folder or zip of OSV records")
    commands.add_parser("pin")
    commands.add_parser("lock")
    arguments = parser.parse_args()
    return _COMMANDS[arguments.command](arguments)


def _sbom(arguments: argparse.Namespace) -> int:
    parts, policy = bill.parts(), read_policy()
    out: Path = arguments.out
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(bill.write(parts) + "\n", encoding="utf-8")
    print(f"{len(parts)} parts in {out}")
    refused = bill.refused(parts, policy)
    for line in refused:
        print(f"licence not allowed: {line}", file=sys.stderr)
    return 1 if refused else 0


def _audit(arguments: argparse.Namespace) -> int:
    report = audit.offline(arguments.advisories) if arguments.advisories else audit.online()
    print("\n".join(report.lines()))
    return report.code


def _pin(_: argparse.Namespace) -> int:
    for name in images.pin():
        print(f"written: {name}")
    return 0


def _lock(_: argparse.Namespace) -> int:
    policy = read_policy()
    jars.lock(policy)
    elsewhere.record(policy)
    return 0


_COMMANDS = {"sbom": _sbom, "audit": _audit, "pin": _pin, "lock": _lock}

if __name__ == "__main__":
    sys.exit(main())
