"""Users and their rights on a broker: SCRAM credentials (KIP-554) and access control lists (KIP-11).

aiokafka has the requests of neither as calls; they are its own building blocks, sent by its own client.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, CreateAclsRequest_v1
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields
from manifests.grants import Grant

from native_stack.topics import connected

_SHA_512, _ITERATIONS = 2, 8192
_KINDS = {"topic": 2, "group": 3}
_LITERAL, _PREFIXED = 3, 4
_OPERATIONS = {"read": 3, "write": 4}
_ALLOW = 3


class _AlterScramResponse(Response):  # type: ignore[misc] # aiokafka's building blocks have no types
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterScramStruct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = _AlterScramResponse
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterScram(Request[_AlterScramStruct]):  # type: ignore[misc]
    API_KEY = 51

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = passwords

    def build(self, request_struct_class: type[_AlterScramStruct]) -> _AlterScramStruct:
        return request_struct_class([], [_credential(*one) for one in self._passwords.items()], {})


def _credential(user: str, password: str) -> tuple[Any, ...]:
    """SaltedPassword of RFC 5802, section 3: the broker never gets the password."""
    salt = secrets.token_bytes(32)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return (user, _SHA_512, _ITERATIONS, salt, salted, {})


class _CreateAcls(CreateAclsRequest):  # type: ignore[misc]
    """Many at once."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._rows = [_row(grant) for grant in grants]

    def build(self, _: object) -> CreateAclsRequest_v1:
        return CreateAclsRequest_v1(self._rows)


def _row(grant: Grant) -> tuple[Any, ...]:
    """Reading and writing allow describing too."""
    whole = grant.name == "*" or not grant.name.endswith("*")
    name, pattern = (grant.name, _LITERAL) if whole else (grant.name.removesuffix("*"), _PREFIXED)
    return (_KINDS[grant.resource], name, pattern, f"User:{grant.user}", "*", _OPERATIONS[grant.operation], _ALLOW)


async def grant(broker: Mapping[str, Any], grants: Iterable[Grant], passwords: Mapping[str, str]) -> None:
    """Every user is there with its password and its rights; aiokafka's error where the broker refuses."""
    admin = await connected(broker)
    try:
        altered = await _send(admin, _AlterScram(passwords))
        _require(row[1] for row in altered.results)
        created = await _send(admin, _CreateAcls(grants))
        _require(row[0] for row in created.creation_responses)
    finally:
        await admin.close()


async def _send(admin: AIOKafkaAdminClient, request: Request[Any]) -> Any:
    return await admin._send_request(request)  # noqa: SLF001 - it sends any request of the protocol


def _require(codes: Iterable[int]) -> None:
    for code in codes:
        if code:
            raise for_code(code)
