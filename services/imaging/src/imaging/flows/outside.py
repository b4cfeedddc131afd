"""What the flows reach for, and what they give back."""

from dataclasses import dataclass
from typing import Any

from contracts.topics import Topic
from google.protobuf.message import Message
from servicekit.objects import ObjectStore

from imaging.adapters.converter import Converter
from imaging.adapters.postgres import Kind, Store
from imaging.adapters.triton import Networks

TOO_LARGE = "too large to be read"


@dataclass(frozen=True, slots=True)
class Outside:
    """Where answers are kept, where bytes lie, the networks, what decodes, and the largest object read, in bytes."""

    store: Store
    objects: ObjectStore
    networks: Networks
    converter: Converter
    largest: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An event to be stored and published, and what it is an answer about."""

    topic: Topic[Any]
    id: str
    payload: Message
    kind: Kind
    subject: str
