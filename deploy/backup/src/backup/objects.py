"""Buckets of an S3 store, each as a tar: names, media types and bytes, as streams.

Eight small objects are under way at a time; a large one goes through in pieces.
"""

from __future__ import annotations

import io
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, TypeVar, cast

import urllib3
from minio.error import MinioException, S3Error
from servicekit.objects import connect
from servicekit.settings import ObjectStoreSettings
from urllib3 import BaseHTTPResponse

from backup.errors import BackupError
from backup.manifest import Bucket

Item = TypeVar("Item")
Result = TypeVar("Result")
_TOGETHER = 8
# What is read as a whole.
_SMALL = 1024 * 1024
_PART = 10 * 1024 * 1024
_PIECE = 256 * 1024
_TYPE = "LONGITUDE.media-type"
_PLAIN = "application/octet-stream"
_GONE = {"NoSuchKey", "NoSuchBucket", "NoSuchObject"}


class Store:
    """Every bucket of it. BackupError when it does not answer."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str) -> None:
        self._client = connect(endpoint, access_key, secret_key, read_s=60, retries=3, connections=2 * _TOGETHER)

    def buckets(self) -> list[str]:
        """Their names."""
        with _reaching():
            return sorted(bucket.name for bucket in self._client.list_buckets())

    def is_empty(self, bucket: str) -> bool:
        """Whether no object is in it."""
        return next(self._keys(bucket), None) is None

    def capture(self, bucket: str, sink: BinaryIO) -> Bucket:
        """Write every object; one that is deleted meanwhile is left out."""
        objects = size = 0
        with (
            _reaching(),
            tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_PIECE) as tar,
            ThreadPoolExecutor(_TOGETHER) as pool,
        ):
            for key, response in _ahead(pool, lambda key: self._opened(bucket, key), self._keys(bucket)):
                if response is None:
                    continue
                entry = tarfile.TarInfo(key)
                entry.size = int(response.headers["Content-Length"])
                entry.pax_headers = {_TYPE: response.headers.get("Content-Type", _PLAIN)}
                try:
                    tar.addfile(entry, response)
                finally:
                    response.close()
                    response.release_conn()
                objects, size = objects + 1, size + entry.size
        return Bucket(objects=objects, size=size)

    def load(self, bucket: str, source: BinaryIO) -> Bucket:
        """Write every object of such a tar."""
        objects = size = 0
        with _reaching():
            if not self._client.bucket_exists(bucket):
                self._client.make_bucket(bucket)
            with (
                tarfile.open(fileobj=source, mode="r|", bufsize=_PIECE) as tar,
                ThreadPoolExecutor(_TOGETHER) as pool,
            ):
                for written in _ahead(pool, lambda put: put(), self._puts(bucket, tar)):
                    objects, size = objects + 1, size + written
        return Bucket(objects=objects, size=size)

    def clear(self, bucket: str) -> None:
        """Delete every object."""
        with _reaching(), ThreadPoolExecutor(_TOGETHER) as pool:
            for _ in _ahead(pool, lambda key: self._client.remove_object(bucket, key), self._keys(bucket)):
                pass

    def _keys(self, bucket: str) -> Iterator[str]:
        with _reaching():
            for one in self._client.list_objects(bucket, recursive=True):
                if not one.is_dir and one.object_name:
                    yield one.object_name

    def _opened(self, bucket: str, key: str) -> tuple[str, BaseHTTPResponse | None]:
        try:
            return key, self._client.get_object(bucket, key)
        except S3Error as error:
            if error.code in _GONE:
                return key, None
            raise

    def _puts(self, bucket: str, tar: tarfile.TarFile) -> Iterator[Callable[[], int]]:
        """What writes each object. A large one is written here, since a tar is read in order."""
        for entry in tar:
            content = cast("BinaryIO", tar.extractfile(entry))
            media_type = entry.pax_headers.get(_TYPE, _PLAIN)
            if entry.size > _SMALL:
                self._client.put_object(bucket, entry.name, content, entry.size, media_type, part_size=_PART)
                yield partial(int, entry.size)
            else:
                yield partial(self._put, bucket, entry.name, content.read(), media_type)

    def _put(self, bucket: str, key: str, data: bytes, media_type: str) -> int:
        self._client.put_object(bucket, key, io.BytesIO(data), len(data), media_type)
        return len(data)


def open_store(settings: ObjectStoreSettings) -> Store:
    """The store that the settings name."""
    words = (settings.objects_access_key.get_secret_value(), settings.objects_secret_key.get_secret_value())
    return Store(settings.objects, *words)


def _ahead(pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results in order, of a bounded number of items at a time."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= _TOGETHER:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        raise BackupError(f"objects: {error.code}") from error
    except tarfile.TarError as error:
        raise BackupError(f"objects: the archive is damaged ({type(error).__name__})") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise BackupError(f"objects: {type(error).__name__}") from error
