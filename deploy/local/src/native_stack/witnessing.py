"""A witness of the log (C2SP tlog-witness): `python -m native_stack.witnessing PORT FOLDER LOG_KEY_FILE`.

It cosigns a checkpoint only where a proof shows that the tree grew from the last one that it cosigned, and keeps that
one on disk before it answers. Its key and its state are its own, in FOLDER; of the log it knows the public key alone.
"""

import asyncio
import base64
import binascii
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from client.errors import VerificationError
from client.verify.merkle import verify_consistency
from client.verify.note import Checkpoint, VerifierKey, open_by_any
from client.verify.witness import WitnessKey, message
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from native_stack.part import private_word, write_private
from native_stack.ports import HOST

NAME = "longitude.local/witness"
KEY, STATE = "witness.key", "cosigned.json"
_MAX_BODY, _MAX_PROOF = 64 * 1024, 63


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


class Witness:
    """One key, and the last checkpoint of each log."""

    def __init__(self, folder: Path, log_key: Path) -> None:
        """`log_key` has the log's public key, once there is a log."""
        self._folder, self._log_key = folder, log_key
        self._private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_word(folder / KEY)))
        self.key = WitnessKey(NAME, self._private.public_key().public_bytes_raw())
        self._busy = asyncio.Lock()

    def app(self) -> web.Application:
        """Its one door, and a page that says that it is there."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_post("/add-checkpoint", self._added)
        app.router.add_get("/healthz", self._healthy)
        return app

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _added(self, request: web.Request) -> web.Response:
        try:
            body = await request.text()
            # Comparing with the last one and keeping the new one are one step.
            async with self._busy:
                return web.Response(text=await asyncio.to_thread(self.add, body))
        except UnicodeDecodeError:
            return web.Response(status=400)
        except Refused as refused:
            return web.Response(status=refused.status, text=refused.text, content_type=refused.kind)

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
        known = self._log_key.read_text(encoding="ascii").split() if self._log_key.exists() else []
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
        write_private(self._folder / STATE, json.dumps(kept))
        for path in (self._folder / STATE, self._folder):
            place = os.open(path, os.O_RDONLY)
            try:
                os.fsync(place)
            finally:
                os.close(place)

    def _cosignature(self, note: str) -> str:
        seconds = int(time.time())
        signed = self._private.sign(message(note.rpartition("\n\n")[0] + "\n", seconds))
        line = base64.b64encode(self.key.key_id + seconds.to_bytes(8, "big") + signed).decode()
        return f"\u2014 {self.key.name} {line}\n"


def main() -> None:
    """Serve on loopback until told to end."""
    port, folder, log_key = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    web.run_app(Witness(folder, log_key).app(), host=HOST, port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
