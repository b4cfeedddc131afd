"""What a witness is told, by the environment. Values are never repeated: one of them is a secret's place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from witness.cosigning import Witness

_LISTEN, _NAME = "LONGITUDE_HTTP_LISTEN", "LONGITUDE_WITNESS_NAME"
_KEY, _STATE, _LOG_KEYS = "LONGITUDE_WITNESS_KEY_FILE", "LONGITUDE_WITNESS_STATE", "LONGITUDE_LOG_KEYS"


class SettingsError(Exception):
    """A line for each variable that is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where it listens, and the witness with its key."""

    host: str
    port: int
    witness: Witness

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """SettingsError where they name no witness."""
        if missing := [name for name in (_LISTEN, _NAME, _KEY, _STATE, _LOG_KEYS) if not variables.get(name)]:
            raise SettingsError("\n".join(f"{name}: set it; it has no default" for name in missing))
        host, _, port = variables[_LISTEN].rpartition(":")
        if not (host and port.isdecimal() and int(port) <= 65535):
            raise SettingsError(f"{_LISTEN}: must be host:port, such as 127.0.0.1:9081")
        if not re.fullmatch(r"[^\s+]{1,200}", variables[_NAME]):
            raise SettingsError(f"{_NAME}: must be a name without spaces and '+', such as hospital.example.org/witness")
        if not Path(variables[_STATE]).is_dir():
            raise SettingsError(f"{_STATE}: must be a folder that outlives the process")
        try:
            private = bytes.fromhex(Path(variables[_KEY]).read_text(encoding="ascii"))
            witness = Witness(variables[_NAME], private, Path(variables[_STATE]), Path(variables[_LOG_KEYS]))
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{_KEY}: must be a file with 32 random bytes in hex ({type(error).__name__})"
            ) from None
        return cls(host, int(port), witness)
