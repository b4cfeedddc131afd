"""`python -m tests.attack`: every attack against the stack of this folder; exit 0 only if all are held off."""

import asyncio
import sys
import tempfile
from pathlib import Path

from native_stack import Stack

from tests.attack.attacks import ATTACKS


def main() -> int:
    """A line for each attack."""
    lines, reached = Stack(Path("var")).endpoints(), 0
    for attack in ATTACKS:
        with tempfile.TemporaryDirectory() as folder:
            name = attack.__name__.replace("_", " ")
            try:
                asyncio.run(attack(lines, Path(folder)))
            except AssertionError as error:
                reached += 1
                print(f"REACHED   {name}: {error}")
            else:
                print(f"held off  {name}")
    return 1 if reached else 0


if __name__ == "__main__":
    sys.exit(main())
