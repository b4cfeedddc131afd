"""Control ids in use: a feed that gives one id to different messages is noticed, and loses nothing by it."""

from collections import OrderedDict
from hashlib import blake2b

from longitude.ingestion.v1.events_pb2 import Remark

from ingestion.domain.hl7 import Segment

REMARK = Remark(
    segment="MSH[1]", field="MSH-10", reason="this control id was used for another message before; both are kept"
)
# Of a sender with its control id, and of a message's digest: enough to tell 100,000 of them apart.
_KEPT_BYTES = 8


class ControlIds:
    """Remembers which bytes used the newest control ids first. It forgets the oldest, and everything at a restart."""

    def __init__(self, size: int = 100_000) -> None:
        self._size = size
        self._digests: OrderedDict[bytes, bytes] = OrderedDict()

    def is_reused(self, header: Segment, digest: bytes) -> bool:
        """Whether the first message seen with this sender and control id had other bytes."""
        used = "\r".join((header.raw(3), header.raw(4), header.raw(10))).encode("utf-8", "surrogatepass")
        key, kept = blake2b(used, digest_size=_KEPT_BYTES).digest(), digest[:_KEPT_BYTES]
        first = self._digests.setdefault(key, kept)
        self._digests.move_to_end(key)
        if len(self._digests) > self._size:
            self._digests.popitem(last=False)
        return first != kept
