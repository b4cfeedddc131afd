"""Objects in S3, addressed by key and SHA-256. What is read is checked against the digest it was stored under.

This is the one place that opens an object store and that translates the errors of its client.
"""

import asyncio
import hashlib
import io
import os
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import urllib3
from contracts.errors import PermanentError, UnavailableError
from contracts.servers import https
from longitude.record.v1.object_pb2 import ObjectRef
from minio import Minio
from minio.error import MinioException, S3Error

from servicekit.settings import ObjectStoreSettings

P = ParamSpec("P")
T = TypeVar("T")

_GONE = {"NoSuchKey", "NoSuchBucket", "NoSuchObject"}


def connect(
    endpoint: str,
    access_key: str,
    secret_key: str,
    *,
    read_s: float = 20,
    retries: int | bool = False,
    connections: int = 16,
    variables: Mapping[str, str] = os.environ,
) -> Minio:
    """A client of a store at host:port, by TLS as the variables say (contracts.servers)."""
    context, timeout = https("OBJECTS", variables), urllib3.Timeout(connect=3, read=read_s)
    http = urllib3.PoolManager(timeout=timeout, retries=retries, maxsize=connections, ssl_context=context)
    secure = context is not None
    return Minio(endpoint, access_key=access_key, secret_key=secret_key, secure=secure, http_client=http)


class ObjectStore:
    """One bucket, made when it is first written to. The minio client blocks, so it runs in threads."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, bucket: str) -> None:
        self._client = connect(endpoint, access_key, secret_key)
        self._bucket = bucket

    async def put(self, key: str, data: bytes, media_type: str) -> ObjectRef:
        """Store bytes; returns when the store has acknowledged them."""
        await self._call(self._put, key, data, media_type)
        return ObjectRef(
            bucket=self._bucket,
            key=key,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            media_type=media_type,
        )

    async def get(self, ref: ObjectRef) -> bytes:
        """Read bytes of any bucket this service may read; PermanentError when gone or not what was stored."""
        data = await self._call(self._get, ref.bucket, ref.key)
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise PermanentError("object-altered")
        return data

    async def find(self, key: str) -> bytes | None:
        """What stands at a key of this bucket, unchecked since no digest is given; None when nothing does."""
        try:
            return await self._call(self._get, self._bucket, key)
        except PermanentError:
            return None

    async def remove(self, key: str) -> None:
        """Delete what stands at a key of this bucket; nothing to do where nothing does."""
        try:
            await self._call(self._client.remove_object, self._bucket, key)
        except PermanentError:
            return

    async def ping(self) -> None:
        """UnavailableError when the store does not answer."""
        await self._call(self._client.bucket_exists, self._bucket)

    async def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await asyncio.to_thread(function, *args, **kwargs)
        except S3Error as error:
            if error.code in _GONE:
                raise PermanentError("object-missing") from error
            raise UnavailableError(f"objects cannot be reached ({error.code}); ask again") from error
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UnavailableError(f"objects cannot be reached ({type(error).__name__}); ask again") from error

    def _put(self, key: str, data: bytes, media_type: str) -> None:
        try:
            self._put_object(key, data, media_type)
        except S3Error as error:
            if error.code != "NoSuchBucket":
                raise
            self._make_bucket()
            self._put_object(key, data, media_type)

    def _put_object(self, key: str, data: bytes, media_type: str) -> None:
        self._client.put_object(self._bucket, key, io.BytesIO(data), len(data), content_type=media_type)

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:
            # Another replica was faster.
            if error.code not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise

    def _get(self, bucket: str, key: str) -> bytes:
        response = self._client.get_object(bucket, key)
        try:
            return bytes(response.data)
        finally:
            response.close()
            response.release_conn()


def open_objects(settings: ObjectStoreSettings, bucket: str) -> ObjectStore:
    """A service's bucket in the store that its settings name; the store need not be up yet."""
    return ObjectStore(
        settings.objects,
        settings.objects_access_key.get_secret_value(),
        settings.objects_secret_key.get_secret_value(),
        bucket,
    )
