"""What a witness cosigns: a checkpoint whose tree, as a proof shows, grew from the last one that it cosigned.

That one is on disk before the cosignature leaves. Key and state are its own; of the log it knows the public keys alone.
"""

import base64
import binascii
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.errors import VerificationError
from client.verify.merkle import verify_consistency
from client.verify.note import Checkpoint, VerifierKey, open_by_any
from client.verify.witness import WitnessKey, message
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# In its folder.
STATE = "cosigned.json"
_MAX_PROOF = 63


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to add a checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @classmethod
    def of(cls, body: str) -> "Asked":
        """ValueError where it is none."""
        head, separator, note = body.partition("\n\n")
        first, *lines = head.split("\n")
        word, _, number = first.partition(" ")
        if not separator or word != "old" or not number.isdecimal() or str(int(number)) != number:
            raise ValueError("the first line is `old <size>`, and an empty one stands before the checkpoint")
        if len(lines) > _MAX_PROOF:
            raise ValueError("a consistency proof has 63 lines at most")
        return cls(int(number), tuple(base64.b64decode(line, validate=True) for line in lines), note)


class Refused(Exception):  # noqa: N818 - an answer
    """`status` and body of an answer that is not a cosignature."""

    def __init__(self, status: int, text: str = "", *, kind: str = "text/plain") -> None:
        super().__init__(text)
        self.status, self.text, self.kind = status, text, kind


def public_key(name: str, private: bytes) -> WitnessKey:
    """What verifiers know of a witness, by its 32 random bytes; ValueError for another number."""
    return WitnessKey(name, Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw())


class Witness:
    """One key, and the last checkpoint of each log."""

    def __init__(self, name: str, private: bytes, folder: Path, log_keys: Path) -> None:
        """`log_keys` has the logs' public keys, once there is a log; ValueError: the key has not 32 bytes."""
        self._folder, self._log_keys = folder, log_keys
        self._private = Ed25519PrivateKey.from_private_bytes(private)
        self.key = public_key(name, private)

    def add(self, body: str) -> str:
        """The cosignature, a line; Refused says why there is none."""
        try:
            asked = Asked.of(body)
        except (ValueError, binascii.Error) as error:
            raise Refused(400, f"{error}\n") from None
        head = self._opened(asked.note)
        if asked.old > head.size:
            raise Refused(400, "the old size is larger than the checkpoint's\n")
        last = self._last(head.origin)
        if asked.old != last.size or (last.size == head.size and last.root != head.root):
            raise Refused(409, f"{last.size}\n", kind="text/x.tlog.size")
        try:
            verify_consistency(last.size, last.root, head.size, head.root, asked.proof)
        except VerificationError as error:
            raise Refused(422, f"{error}\n") from None
        self._keep(head)
        return self._cosignature(asked.note)

    def _opened(self, note: str) -> Checkpoint:
        known = self._log_keys.read_text(encoding="ascii").split() if self._log_keys.exists() else []
        keys = [VerifierKey.parse(text) for text in known]
        origin = note.partition("\n")[0]
        if not any(key.name == origin for key in keys):
            raise Refused(404, "no log of this origin is known here\n")
        try:
            return open_by_any(note, keys)
        except VerificationError:
            raise Refused(403, "no key of the log signed this\n") from None

    def _last(self, origin: str) -> Checkpoint:
        kept = self._kept().get(origin)
        return Checkpoint(origin, kept["size"], bytes.fromhex(kept["root"])) if kept else Checkpoint(origin, 0, b"")

    def _kept(self) -> dict[str, dict[str, Any]]:
        file = self._folder / STATE
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}

    def _keep(self, head: Checkpoint) -> None:
        """On disk when it returns."""
        kept = self._kept() | {head.origin: {"size": head.size, "root": head.root.hex()}}
        fresh = self._folder / f".{STATE}.new"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(kept))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / STATE)
        place = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)

    def _cosignature(self, note: str) -> str:
        seconds = int(time.time())
        signed = self._private.sign(message(note.rpartition("\n\n")[0] + "\n", seconds))
        line = base64.b64encode(self.key.key_id + seconds.to_bytes(8, "big") + signed).decode()
        return f"\u2014 {self.key.name} {line}\n"
