"""Starts the imaging service."""

from servicekit import main

from imaging.app import app
from imaging.settings import Settings

if __name__ == "__main__":
    main("imaging", Settings, app)
