"""Starts the process."""

from servicekit import main

from reasoning.app import app
from reasoning.settings import Settings

if __name__ == "__main__":
    main("reasoning", Settings, app)
