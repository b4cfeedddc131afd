"""Starts the process."""

from servicekit import main

from learning.app import app
from learning.settings import Settings

if __name__ == "__main__":
    main("learning", Settings, app)
