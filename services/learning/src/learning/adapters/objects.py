"""Objects of the service's own buckets, each with its row in `object`: noted before it is written, forgotten after it
was deleted. Killed in between, the row is what the sweep finds it by.
"""

import hashlib
from dataclasses import dataclass

from longitude.record.v1.object_pb2 import ObjectRef
from servicekit.objects import ObjectStore

from learning.adapters.postgres import Store, held


@dataclass(frozen=True, slots=True)
class Objects:
    """The buckets by name."""

    store: Store
    buckets: dict[str, ObjectStore]

    async def keep(self, bucket: str, data: bytes, media_type: str) -> ObjectRef:
        """Stored under its content's SHA-256. It stays if a row refers to it within the hour."""
        key = hashlib.sha256(data).hexdigest()
        async with self.store.connection() as conn:
            await held.note(conn, bucket, key)
        return await self.buckets[bucket].put(key, data, media_type)

    async def get(self, reference: ObjectRef) -> bytes:
        """What a reference names, in any bucket that this service may read."""
        return await next(iter(self.buckets.values())).get(reference)

    async def delete_one(self) -> bool:
        """Delete one object that nothing refers to, then its row; False when there is none."""
        async with self.store.connection() as conn, conn.transaction():
            condemned = await held.condemned(conn)
            if condemned is None:
                return False
            bucket, key = condemned
            await self.buckets[bucket].remove(key)
            await held.forget(conn, bucket, key)
            return True

    async def ping(self) -> None:
        """UnavailableError when the store does not answer."""
        await next(iter(self.buckets.values())).ping()
