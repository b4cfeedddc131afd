"""Where a stack keeps what on disk. Nothing is written outside of these folders.

A stack's own folder holds its state, logs and data; what is expensive and the same for every stack (Kafka's jars,
the Triton server, converted models) is made once in the repository's `var/`.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]
SHARED = REPOSITORY / "var"
MODELS = SHARED / "models"
MODEL_REPOSITORY = REPOSITORY / "deploy" / "triton" / "models"


def base_model() -> str:
    """The folder of MODELS that the reasoner's first version serves."""
    version = (MODEL_REPOSITORY / "reasoner" / "1" / "version.json").read_text(encoding="utf-8")
    weights: str = json.loads(version)["weights"]
    return weights


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of one stack; `directory` is absolute."""

    directory: Path

    @property
    def state(self) -> Path:
        """The supervisor's account of itself and its parts (JSON)."""
        return self.directory / "stack.json"

    @property
    def environment(self) -> Path:
        """The endpoints, as a file that a shell can source."""
        return self.directory / "stack.env"

    @property
    def credentials(self) -> Path:
        """Passwords and keys made for this stack alone; readable by its owner only."""
        return self.directory / "credentials.json"

    @property
    def certificates(self) -> Path:
        """The authority of this stack, and what it issued; for its owner only."""
        return self.directory / "certificates"

    @property
    def token(self) -> Path:
        """Who the command speaks for; readable by its owner only."""
        return self.directory / "token.json"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor itself has to say."""
        return self.log("supervisor")

    def log(self, part: str) -> Path:
        """Standard output and error of one part."""
        return self.directory / "logs" / f"{part}.log"

    def trace(self, part: str) -> Path:
        """Finished spans of one service, one JSON object a line."""
        return self.directory / "traces" / f"{part}.jsonl"

    def data(self, part: str) -> Path:
        """What one part keeps across restarts."""
        return self.directory / "data" / part

    def make(self) -> None:
        """Create the folders."""
        for folder in (self.directory / "logs", self.directory / "data", self.directory / "traces"):
            folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Hold a lock between processes while something shared by every stack is made."""
    SHARED.mkdir(exist_ok=True)
    with (SHARED / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
