"""What ingestion is told by its environment (`LONGITUDE_<FIELD>`): addresses, and bounds of what strangers send."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from servicekit.settings import Endpoint, ObjectStoreSettings, ServiceSettings

from ingestion.domain import feed_file
from ingestion.domain.acknowledgement import Policy
from ingestion.domain.reading import Feed

_MIB = 1024 * 1024


def _readable(path: str) -> str:
    if path:
        _read(path)
    return path


def _read(path: str) -> Feed:
    try:
        return feed_file.parse(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({type(error).__name__})") from None
    except feed_file.FeedFileError as error:
        raise ValueError(str(error)) from None


Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Settings(ServiceSettings, ObjectStoreSettings):
    """Times in seconds, sizes in bytes."""

    mllp_listen: Endpoint
    dicom_listen: Endpoint

    # `one` answer for each message, or the whole `matrix` of MSH-15 and MSH-16 (see README).
    acknowledgements: Policy = Policy.ONE
    # The feed file (see README); empty: no facility is known.
    feeds: Annotated[str, AfterValidator(_readable)] = ""

    mllp_frame_bytes: Annotated[int, Field(ge=1024, le=256 * _MIB)] = 16 * _MIB
    mllp_gap_seconds: Seconds = 10.0
    mllp_frame_seconds: Seconds = 300.0
    mllp_idle_seconds: Seconds = 3600.0
    mllp_answer_seconds: Seconds = 30.0
    mllp_connections: Annotated[int, Field(ge=1, le=10_000)] = 256
    # Connections of one peer; who has been silent for so long makes room when others wait.
    mllp_peer_connections: Annotated[int, Field(ge=1, le=10_000)] = 128
    mllp_crowded_idle_seconds: Seconds = 5.0
    mllp_pipelined: Annotated[int, Field(ge=1, le=10_000)] = 64
    # Of frames that wait for their answer, and as much again of frames that are not whole yet.
    mllp_in_flight_bytes: Annotated[int, Field(ge=_MIB)] = 128 * _MIB
    mllp_peer_in_flight_bytes: Annotated[int, Field(ge=_MIB)] = 64 * _MIB

    # Longer messages are read in a process of their own, with these bounds.
    reading_here_bytes: Annotated[int, Field(ge=0, le=16 * _MIB)] = 64 * 1024
    reading_memory_bytes: Annotated[int, Field(ge=64 * _MIB)] = 512 * _MIB
    reading_cpu_seconds: Annotated[int, Field(ge=1, le=3600)] = 20
    reading_wall_seconds: Annotated[int, Field(ge=1, le=3600)] = 120
    reading_answer_bytes: Annotated[int, Field(ge=_MIB)] = 64 * _MIB
    reading_processes: Annotated[int, Field(ge=1, le=64)] = 2

    # PEM files. A certificate turns TLS on; a client authority makes every sender show a certificate of it.
    mllp_tls_certificate: str = ""
    mllp_tls_key: str = ""
    mllp_tls_client_authority: str = ""

    dicom_instance_bytes: Annotated[int, Field(ge=_MIB, le=2048 * _MIB)] = 256 * _MIB
    # Of a deflated data set, and of what stands before the pixels.
    dicom_inflated_bytes: Annotated[int, Field(ge=_MIB, le=2048 * _MIB)] = 256 * _MIB
    dicom_header_bytes: Annotated[int, Field(ge=64 * 1024)] = 16 * _MIB
    dicom_associations: Annotated[int, Field(ge=1, le=1_000)] = 10
    dicom_peer_associations: Annotated[int, Field(ge=1, le=1_000)] = 8
    dicom_crowded_idle_seconds: Seconds = 2.0
    # Of instances that are being received or stored.
    dicom_in_flight_bytes: Annotated[int, Field(ge=_MIB)] = 512 * _MIB
    dicom_peer_in_flight_bytes: Annotated[int, Field(ge=_MIB)] = 384 * _MIB
    dicom_network_seconds: Seconds = 30.0
    dicom_handling_seconds: Seconds = 60.0

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Settings":
        if bool(self.mllp_tls_certificate) != bool(self.mllp_tls_key):
            raise ValueError("LONGITUDE_MLLP_TLS_CERTIFICATE and LONGITUDE_MLLP_TLS_KEY go together")
        if self.mllp_tls_client_authority and not self.mllp_tls_certificate:
            raise ValueError("LONGITUDE_MLLP_TLS_CLIENT_AUTHORITY needs LONGITUDE_MLLP_TLS_CERTIFICATE")
        return self

    def feed(self) -> Feed:
        """What the feed file says."""
        return _read(self.feeds) if self.feeds else Feed()
