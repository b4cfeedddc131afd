"""Starts the process."""

from servicekit import main

from memory.app import app
from memory.settings import Settings

if __name__ == "__main__":
    main("memory", Settings, app)
