"""Start the auditing service."""

from servicekit import main

from auditing.app import app
from auditing.settings import Settings

if __name__ == "__main__":
    main("auditing", Settings, app)
