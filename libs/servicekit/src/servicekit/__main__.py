"""`python -m servicekit migrate NAME ROLE`: bring the tables of a service up to date, as their owner, before it starts.

LONGITUDE_POSTGRES_OWNER is where, and who owns them; it is in no environment of a process that serves.
"""

import os
import sys
from collections.abc import Sequence

from contracts.servers import database

from servicekit.migrations import migrate

_OWNER = "LONGITUDE_POSTGRES_OWNER"


def main(arguments: Sequence[str]) -> int:
    """Exit code: 78 where it is not said what to migrate, for which role, or as whom; a failure is raised."""
    match arguments:
        case "migrate", name, role if dsn := os.environ.get(_OWNER):
            for applied in migrate(database(dsn), name, name, role):
                sys.stdout.write(f"{applied}\n")
            return 0
        case _:
            sys.stderr.write(f"python -m servicekit migrate NAME ROLE, with {_OWNER}\n")
            return 78


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
