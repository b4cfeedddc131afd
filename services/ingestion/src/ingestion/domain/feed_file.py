"""The feed file: what an operator knows about senders and their messages do not say, by sending facility (MSH-4.1).

TOML, a table for each facility; `"*"` is for all that have none, and gives what a facility's own table leaves out. The
schema is closed: an error names file, table and key.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ingestion.domain.feed import FeedRules
from ingestion.domain.local_codes import SYSTEMS, StandardCode, knows
from ingestion.domain.protocol import table
from ingestion.domain.reading import Feed

EVERY_OTHER = "*"
# HL7 table 0004, patient class.
_PATIENT_CLASSES = frozenset("EIOPRBCNU")


class FeedFileError(Exception):
    """The file cannot be used; the text has a line `file: table.key: reason` for each thing that is wrong."""


def _zone(name: str) -> ZoneInfo:
    if name not in available_timezones():
        raise ValueError("must be a time zone of the tz database, such as Europe/Vienna")
    return ZoneInfo(name)


def _record_type(name: str) -> str:
    if name not in table("identifier_types"):
        raise ValueError("must be an identifier type of HL7 table 0203, such as MR")
    return name


def _patient_class(code: str) -> str:
    if code not in _PATIENT_CLASSES:
        raise ValueError(f"must be a patient class of HL7 table 0004: {', '.join(sorted(_PATIENT_CLASSES))}")
    return code


def _standard_code(text: str) -> StandardCode:
    system, _, code = text.partition(" ")
    standard = StandardCode(system, code.strip())
    if system not in SYSTEMS:
        raise ValueError(f"must be a system and a code of it, with a blank between; systems are {', '.join(SYSTEMS)}")
    if not knows(standard):
        raise ValueError("is no code that the terminology knows")
    return standard


Text = Annotated[str, Field(min_length=1, max_length=199)]


class _Table(BaseModel):
    """The keys of one table; what is left out is None."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: Annotated[str, AfterValidator(_zone)] | None = None
    authority: Text | None = None
    record_types: frozenset[Annotated[str, AfterValidator(_record_type)]] | None = None
    placeholders: frozenset[Text] | None = None
    patient_classes: dict[Text, Annotated[str, AfterValidator(_patient_class)]] | None = None
    local_codes: dict[Text, Annotated[str, AfterValidator(_standard_code)]] | None = None
    numbers_restart: bool | None = None


_SCHEMA = TypeAdapter(dict[Text, _Table])


def parse(text: str, name: str) -> Feed:
    """The rules of every facility; FeedFileError when anything is wrong. `name`: of the file, for errors."""
    try:
        tables = _SCHEMA.validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise FeedFileError(f"{name}: {error}") from None
    except ValidationError as error:
        wrong = [f"{name}: {'.'.join(map(str, one['loc']))}: {_reason(one)}" for one in error.errors()]
        raise FeedFileError("\n".join(wrong)) from None
    default = _rules(tables.pop(EVERY_OTHER, _Table()), FeedRules())
    return Feed({facility: _rules(own, default) for facility, own in tables.items()}, default)


def _reason(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _rules(own: _Table, inherited: FeedRules) -> FeedRules:
    return replace(inherited, **dict(_given(own, inherited)))


def _given(own: _Table, inherited: FeedRules) -> Iterator[tuple[str, Any]]:
    """What a table says. Its tables of codes and its placeholders add to those inherited; all else replaces."""
    for key in own.model_fields_set:
        value, before = getattr(own, key), getattr(inherited, key)
        if key == "placeholders":
            value = before | {one.upper() for one in value}
        yield key, {**before, **value} if isinstance(value, Mapping) else value
