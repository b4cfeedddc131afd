"""What this service and its trainer are told. The only place that reads the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from servicekit.settings import ObjectStoreSettings, PostgresSettings, ServiceSettings

Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class Settings(PostgresSettings, ObjectStoreSettings, ServiceSettings):
    """What is kept and for how long, and who trains."""

    # Key of the reviewers' pseudonyms; made on first start where there is none.
    pseudonym_key_file: Path
    # Buckets that this service alone writes.
    episodes_bucket: Bucket = "learning-episodes"
    versions_bucket: Bucket = "learning-versions"
    # Episodes and reviews are deleted after so many days.
    retention_days: Annotated[float, Field(gt=0, le=36_500)] = 365.0
    # `local`: this process starts the trainer when a job is queued; `none`: something else does (a Kubernetes Job).
    trainer: Literal["local", "none"] = "local"
    # Where trainers keep what they resume from, a folder for each job.
    work: Path = Path("jobs")
    # A trainer that says nothing for so long has died, and another takes its job.
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    # Set by torchrun: of all processes that run one job, the first speaks.
    rank: Annotated[int, Field(ge=0, validation_alias="RANK")] = 0
    run_id: Annotated[str, Field(validation_alias="TORCHELASTIC_RUN_ID")] = ""

    @property
    def retention(self) -> timedelta:
        """How long episodes and reviews are kept."""
        return timedelta(days=self.retention_days)

    @property
    def lease(self) -> timedelta:
        """How long a trainer may be silent."""
        return timedelta(seconds=self.lease_seconds)
