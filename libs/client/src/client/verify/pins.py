"""What this verifier remembers of a log: its key, and the newest tree head it has checked.

A key that is not given is trusted on first use and pinned. The remembered head makes a log that is cut back or
rewritten later impossible to pass off as whole.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from client.errors import ClientError, VerificationError
from client.verify.note import Checkpoint, VerifierKey

FILE = "verified-log.json"


@dataclass(frozen=True, slots=True)
class Pin:
    """A log as it was last verified; `head` is None when only the key is known."""

    key: VerifierKey
    head: Checkpoint | None


class Pins:
    """One small JSON file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def load(self) -> Pin | None:
        """What is remembered; ClientError when the file is damaged (deleting it means trusting the log anew)."""
        if not self._path.exists():
            return None
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            key = VerifierKey.parse(stored["key"])
            head = Checkpoint(key.name, int(stored["size"]), base64.b64decode(stored["root"]))
        except (ValueError, KeyError, TypeError, VerificationError) as error:
            raise ClientError(f"{self._path} is damaged; delete it to trust the log anew") from error
        return Pin(key, head)

    def save(self, key: VerifierKey, head: Checkpoint) -> None:
        """Remember a head that was checked."""
        stored = {"key": str(key), "size": head.size, "root": base64.b64encode(head.root).decode()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        draft.replace(self._path)


def key_to_trust(offered: str, given: str, pin: Pin | None, older: Sequence[str] = ()) -> VerifierKey:
    """The key given by the user, else the pinned one, else (first use) the one the log offers.

    A log whose key was rotated also shows the `older` ones: who trusts one of them verifies with it.
    """
    key = VerifierKey.parse(given) if given else pin.key if pin else VerifierKey.parse(offered)
    if pin and str(pin.key) != str(key):
        raise VerificationError("the key given is not the key that was pinned for this log")
    if str(key) not in {str(VerifierKey.parse(text)) for text in (offered, *older)}:
        raise VerificationError(
            "the log presents another key than the pinned one: it is not the same log "
            f"(who has begun it anew on purpose deletes the pin, {FILE})"
        )
    return key
