"""How far the audit log was, by those who watch it (C2SP tlog-witness): a backup cannot tell, it is older."""

import urllib.error
import urllib.request

from backup.errors import BackupError
from backup.manifest import Head

_SECONDS = 5.0
_LONGEST = 64


def seen(url: str, head: Head) -> int:
    """The size that a witness cosigned last, or that of the backup's own checkpoint where it follows that.

    It is asked to go on from the checkpoint of the backup: one that has seen more refuses, and says how much.
    """
    body = f"old {head.size}\n\n{head.note}".encode()
    request = urllib.request.Request(f"{url.rstrip('/')}/add-checkpoint", body)  # noqa: S310 - an operator named it
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
            return head.size
    except urllib.error.HTTPError as error:
        text = error.read(_LONGEST).decode(errors="replace").strip()
        if error.code == 409 and text.isdecimal():
            return int(text)
        raise BackupError(f"the witness at {url} answers {error.code}") from None
    except OSError as error:
        raise BackupError(f"the witness at {url} cannot be reached ({type(error).__name__})") from None
