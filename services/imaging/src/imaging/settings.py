"""Settings of the imaging service."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from servicekit.bounded import Bounds
from servicekit.settings import Endpoint, ObjectStoreSettings, PostgresSettings, ServiceSettings

_MIB = 1024 * 1024


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("must be a time zone of the IANA database, such as Europe/Berlin") from None
    return name


class Settings(ServiceSettings, PostgresSettings, ObjectStoreSettings):
    """What imaging is told, beyond what every service is."""

    # host:port of Triton's gRPC.
    triton: Endpoint
    # A field read from a page with less confidence than this is reported and becomes no fact.
    least_confidence: Annotated[float, Field(ge=0, le=1)] = 0.80
    # Where the clocks run that stamp the scanned pages: their times carry no offset.
    page_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    # Larger instances and documents are answered with a problem and not fetched, in bytes.
    largest_object: Annotated[int, Field(gt=0)] = 128 * 1024 * 1024
    # Larger PDF, RTF, CDA and HTML files are not read.
    largest_file_bytes: Annotated[int, Field(gt=0)] = 32 * _MIB
    # Of the process that decodes one file, beside what the decoders themselves take.
    decoding_memory_bytes: Annotated[int, Field(ge=64 * _MIB)] = 1024 * _MIB
    decoding_cpu_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    decoding_wall_seconds: Annotated[int, Field(ge=1, le=3600)] = 180
    decoding_answer_bytes: Annotated[int, Field(ge=_MIB)] = 256 * _MIB
    # Files that are decoded at the same time.
    decoding_processes: Annotated[int, Field(ge=1, le=64)] = 2

    @property
    def decoding(self) -> Bounds:
        """The bounds of one file's decoding."""
        return Bounds(
            self.decoding_memory_bytes,
            self.decoding_cpu_seconds,
            self.decoding_wall_seconds,
            self.decoding_answer_bytes,
        )
