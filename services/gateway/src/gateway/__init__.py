"""The doors of the platform over HTTP."""
