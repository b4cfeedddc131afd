"""What a backup is told: endpoints as services have them, and where its passphrase lies."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from servicekit.settings import (
    Endpoint,
    FromEnvironment,
    IdentitySettings,
    ObjectStoreSettings,
    PostgresSettings,
    QdrantUrl,
)


class PassphraseSettings(FromEnvironment):
    """LONGITUDE_BACKUP_PASSPHRASE_FILE."""

    backup_passphrase_file: Path


class Settings(PassphraseSettings, IdentitySettings, PostgresSettings, ObjectStoreSettings):
    """LONGITUDE_KAFKA, _POSTGRES, _OBJECTS, _QDRANT, _WITNESSES, _BACKUP_KEYS, _BACKUP_KEY_FILES.

    PostgreSQL's user is a superuser, or owns all that is there; Kafka's (contracts.kafka) may do everything.
    """

    kafka: Endpoint
    kafka_user: str = ""
    kafka_password: SecretStr = SecretStr("")
    # https://host:port of a Qdrant server, whose vectors a restore deletes; those in a folder go with the folder.
    qdrant: QdrantUrl | Literal[""] = ""
    qdrant_api_key: SecretStr = SecretStr("")
    # Submission prefixes of the log's witnesses, separated by spaces: a restore asks them how far the log was.
    witnesses: str = ""
    # A folder with keys, and which of its files they are.
    backup_keys: Path | None = None
    backup_key_files: str = "**/*"
