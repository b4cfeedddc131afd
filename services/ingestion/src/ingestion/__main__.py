"""Starts the ingestion process."""

from servicekit import main

from ingestion.app import app
from ingestion.settings import Settings

if __name__ == "__main__":
    main("ingestion", Settings, app)
