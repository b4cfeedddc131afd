"""Settings of the auditing service."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from servicekit.settings import ObjectStoreSettings, PostgresSettings, ServiceSettings


class Settings(PostgresSettings, ObjectStoreSettings, ServiceSettings):
    """What auditing is told, beyond what every service is."""

    # Name of the log: first line of its checkpoints and name of its key. No spaces, no '+'.
    log_origin: Annotated[str, Field(pattern=r"^[^\s+]{1,200}$")] = "longitude.local/audit"
    # Bucket of the tiles, which this service alone writes.
    log_bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] = "auditing-log"
    # Ed25519 key that signs checkpoints; made on first start where there is none.
    signing_key_file: Path
    # Key of the patients' pseudonyms in leaves; made on first start where there is none.
    pseudonym_key_file: Path
    # Submission prefixes of witnesses (C2SP tlog-witness), separated by spaces; empty: nobody cosigns.
    witnesses: Annotated[str, Field(pattern=r"^(https?://\S+( https?://\S+)*)?$")] = ""
    # A checkpoint is published this long after a leaf at the latest, in seconds ...
    checkpoint_seconds: Annotated[float, Field(gt=0, le=3600)] = 2.0
    # ... and as soon as this many leaves are not covered by one.
    checkpoint_leaves: Annotated[int, Field(gt=0)] = 10_000
