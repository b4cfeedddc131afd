"""Who may do what in the stack's object store, asked of the store itself."""

import io
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from manifests import read_services
from manifests.buckets import access
from manifests.grants import COMMAND
from minio import Minio
from minio.error import MinioException, S3Error
from native_stack import Stack, authority
from servicekit.objects import connect
from urllib3.exceptions import HTTPError

SERVICES = read_services()
BUCKETS = sorted({one.bucket for one in access(SERVICES)})
USERS = sorted({one.user for one in access(SERVICES)})


@pytest.fixture(scope="module")
def stack(new_stack: Callable[..., Stack]) -> Stack:
    return new_stack(("objects",))


@pytest.fixture(scope="module")
def as_user(stack: Stack) -> Callable[..., Minio]:
    endpoint = stack.endpoints()["LONGITUDE_OBJECTS"]
    secrets = json.loads(stack.layout.credentials.read_text())
    return lambda user, **how: connect(endpoint, user, secrets[f"objects_{user}"], **how)


@pytest.fixture(scope="module", autouse=True)
def filled(as_user: Callable[..., Minio]) -> None:
    """Each bucket is there before anybody writes to it."""
    command = as_user(COMMAND)
    assert set(BUCKETS) <= {bucket.name for bucket in command.list_buckets()}
    for bucket in BUCKETS:
        command.put_object(bucket, "there", io.BytesIO(b"kept"), 4)


def may(call: Callable[[], object]) -> bool:
    try:
        call()
    except S3Error as error:
        if error.code != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize(("user", "bucket"), list(product(USERS, BUCKETS)))
def test_a_service_does_what_its_manifest_says_and_nothing_else(
    as_user: Callable[..., Minio], user: str, bucket: str
) -> None:
    client, granted = (
        as_user(user),
        {one.operation for one in access(SERVICES) if (one.user, one.bucket) == (user, bucket)},
    )
    assert may(lambda: client.get_object(bucket, "there").close()) == ("read" in granted)
    assert may(lambda: list(client.list_objects(bucket))) == ("read" in granted)
    assert may(lambda: client.put_object(bucket, f"of-{user}", io.BytesIO(b"x"), 1)) == ("write" in granted)
    assert may(lambda: client.remove_object(bucket, f"of-{user}")) == ("write" in granted)


@pytest.mark.parametrize("user", USERS)
def test_no_service_makes_removes_or_configures_a_bucket(as_user: Callable[..., Minio], user: str) -> None:
    client = as_user(user)
    own = next(one.bucket for one in access(SERVICES) if (one.user, one.operation) == (user, "write"))
    for call in (
        lambda: client.make_bucket(f"{user}-more"),
        lambda: client.remove_bucket(own),
        lambda: client.set_bucket_policy(own, json.dumps({"Version": "2012-10-17", "Statement": []})),
        lambda: client.delete_bucket_tags(own),
    ):
        assert not may(call)


def test_a_service_without_buckets_is_nobody(stack: Stack) -> None:
    assert "memory" not in USERS
    with pytest.raises(S3Error, match="InvalidAccessKeyId"):
        connect(stack.endpoints()["LONGITUDE_OBJECTS"], "memory", "guessed").list_buckets()


def test_nobody_comes_in_by_plain_text_or_without_a_certificate_of_ours(
    as_user: Callable[..., Minio], certificates: Path, tmp_path: Path
) -> None:
    authority.issue(tmp_path, ["imaging"])
    strange, ours = authority.settings(tmp_path, "imaging"), authority.settings(certificates, "imaging")
    trusted = ours["LONGITUDE_TLS_AUTHORITY"]
    for variables in (
        {"LONGITUDE_OBJECTS_PLAINTEXT": "true"},
        {"LONGITUDE_OBJECTS_AUTHORITY": trusted},
        strange | {"LONGITUDE_OBJECTS_AUTHORITY": trusted},
        # A store of another authority is not spoken to.
        strange,
    ):
        with pytest.raises((MinioException, HTTPError)):
            as_user("imaging", variables=variables).bucket_exists("imaging-analyses")
    assert as_user("imaging", variables=ours).bucket_exists("imaging-analyses")
