"""What this service is told. The only place that reads the environment."""

from pathlib import Path
from typing import Annotated, Self

from contracts.publishers import PublisherKeyError, read_publishers
from pydantic import AfterValidator, FilePath, SecretStr, model_validator
from servicekit.settings import Endpoint, PostgresSettings, QdrantUrl, ServiceSettings


def _publishers(file: Path) -> Path:
    try:
        read_publishers(file.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read: {type(error).__name__}") from None
    except PublisherKeyError as error:
        raise ValueError(f"{error}; a key a line is written <name>+<id>+<base64>") from None
    return file


class Settings(PostgresSettings, ServiceSettings):
    """LONGITUDE_POSTGRES, LONGITUDE_TRITON, LONGITUDE_QDRANT (_API_KEY) or LONGITUDE_DATA_DIR, LONGITUDE_TOKENIZER,
    LONGITUDE_PUBLISHERS.
    """

    # gRPC of the Triton that serves `embedder`.
    triton: Endpoint
    # Where vectors are kept; without it, by the engine in this process, under data_dir. By TLS (contracts.servers).
    qdrant: QdrantUrl | None = None
    qdrant_api_key: SecretStr = SecretStr("")
    qdrant_authority: str = ""
    qdrant_plaintext: bool = False
    data_dir: Path | None = None
    # tokenizer.json of the reasoner, so that context budgets are exact; without it they are estimated, too high.
    tokenizer: FilePath | None = None
    # Public keys of those whose evidence may be imported as signed; without it, of what ships with the product alone.
    publishers: Annotated[FilePath, AfterValidator(_publishers)] | None = None

    @model_validator(mode="after")
    def _somewhere_for_vectors(self) -> Self:
        if self.qdrant is None and self.data_dir is None:
            raise ValueError("set LONGITUDE_QDRANT to https://host:port or edge:/folder")
        return self

    @property
    def vectors(self) -> str:
        """`https://host:port`, or `edge:/folder`."""
        return self.qdrant or f"edge:{self.data_dir}/qdrant"
