"""What this service is told. The only place that reads the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, FilePath, PostgresDsn
from servicekit.settings import Endpoint, ServiceSettings


def _qdrant(text: str) -> str:
    scheme, separator, place = text.partition(":")
    if separator and place and scheme in ("http", "https"):
        return text
    if separator and scheme == "edge" and Path(place).is_absolute():
        return text
    raise ValueError("must be http://host:port of a Qdrant server, or edge:/folder for the engine in this process")


class Settings(ServiceSettings):
    """LONGITUDE_POSTGRES, LONGITUDE_TRITON, LONGITUDE_QDRANT, LONGITUDE_TOKENIZER."""

    postgres: PostgresDsn
    # gRPC of the Triton that serves `embedder`.
    triton: Endpoint
    qdrant: Annotated[str, AfterValidator(_qdrant)]
    # tokenizer.json of the reasoner, so that context budgets are exact; without it they are estimated, too high.
    tokenizer: FilePath | None = None
