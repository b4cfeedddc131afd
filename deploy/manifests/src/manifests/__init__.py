"""Reads services/<name>/service.toml, and derives from all of them what deployments and pages say of services."""

from manifests.reading import REPOSITORY, ManifestError, Services, read_services
from manifests.service import Service
from manifests.wiring import Wiring, environment

__all__ = ["REPOSITORY", "ManifestError", "Service", "Services", "Wiring", "environment", "read_services"]
