"""`python -m witness`: serves until it is told to end; exit code 78 (EX_CONFIG) where settings are missing or wrong."""

import os
import sys

from aiohttp import web

from witness.app import app
from witness.settings import Settings, SettingsError

EX_CONFIG = 78


def main() -> None:
    """Serve."""
    try:
        settings = Settings.of(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before anything else is there
        raise SystemExit(EX_CONFIG) from None
    # What who verifies asks for (LONGITUDE_WITNESS_KEYS).
    print(f"key: {settings.witness.key}", file=sys.stderr, flush=True)  # noqa: T201 - a line at the start is all it says
    web.run_app(app(settings.witness), host=settings.host, port=settings.port, print=None, access_log=None)


main()
