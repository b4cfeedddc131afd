"""Vectors are not kept: memory makes them from its tables. Those of an older state must go.

A vector names its patient by a number of memory's tables; after a restore another patient may get that number.
"""

from contracts.servers import https
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ApiException

from backup.errors import BackupError

# Those of services/memory (owns.vectors).
COLLECTIONS = ("memory_notes", "memory_evidence")


def connect(url: str, api_key: str) -> QdrantClient:
    """A client for the server at `url`, by TLS (contracts.servers)."""
    tls, key = https("QDRANT") or True, api_key or None
    return QdrantClient(url=url, api_key=key, timeout=10, check_compatibility=False, verify=tls)


def clear(client: QdrantClient) -> None:
    """No collection of ours is left."""
    try:
        for name in COLLECTIONS:
            client.delete_collection(name)
    except (ApiException, QdrantException, OSError) as error:
        raise BackupError(f"Qdrant: {type(error).__name__}") from error
