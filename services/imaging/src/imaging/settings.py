"""Settings of the imaging service."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from servicekit.settings import Endpoint, ObjectStoreSettings, PostgresSettings, ServiceSettings


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
