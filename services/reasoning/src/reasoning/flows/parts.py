"""What the handlers work with; put together in `app.py`."""

from dataclasses import dataclass, field

from consult import Budget, Chooser
from eventbus import Outbox
from harness import Tokenizer
from knowledge import Knowledge, shipped
from servicekit.objects import ObjectStore

from reasoning.adapters.memory import Memory
from reasoning.adapters.postgres import Store
from reasoning.adapters.signatures import Signatures
from reasoning.adapters.triton import Reasoner


@dataclass(frozen=True, slots=True)
class Parts:
    """Every outside thing, each behind its adapter."""

    store: Store
    memory: Memory
    reasoner: Reasoner
    objects: ObjectStore
    outbox: Outbox
    tokenizer: Tokenizer
    # Longest time from question to assessment.
    seconds: float
    budget: Budget
    # Where a caller does not say.
    chooser: Chooser
    # Verifies who signs a review; None where none is asked for.
    signatures: Signatures | None
    # Digest of what shapes a brief beside the record (`adapters.version`).
    version: str
    # The rows of medical knowledge that hold here.
    knowledge: Knowledge = field(default_factory=shipped)
