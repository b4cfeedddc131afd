"""Start the gateway."""

from servicekit import main

from gateway.app import app
from gateway.settings import Settings

if __name__ == "__main__":
    main("gateway", Settings, app)
