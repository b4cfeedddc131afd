"""What all agents of one episode share: the record, the sources, the draft, what was done, and the time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from longitude.reasoning.v1.episode_pb2 import Action, Decision, ModelTurn, Policy, ToolCall

from harness.draft import Draft
from harness.episode import Recorder
from harness.guard import key
from harness.protocol import Progress
from harness.sources import Sources
from harness.tokenizer import Tokenizer


@dataclass
class Session:
    """`now` and `started` are set by the driver's calls; nothing here reads a clock."""

    recorder: Recorder
    sources: Sources
    policy: Policy
    tokenizer: Tokenizer
    tools: frozenset[str]
    seed: int
    now: datetime
    started: datetime
    question: str = ""
    opening: Sequence[int] = ()
    base_lines: int = 0
    team: tuple[str, ...] = ()
    draft: Draft = field(default_factory=Draft)
    done: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    degraded: list[str] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)

    @property
    def late(self) -> bool:
        """Whether the episode has used its time."""
        return (self.now - self.started).total_seconds() > self.policy.seconds

    def record(self, content: ModelTurn | ToolCall | Decision) -> int:
        """Appends a step at the current time; returns its index."""
        return self.recorder.append(content, self.now)

    def decide(self, by: str, what: str, reason: str = "", action: Action | None = None) -> int:
        return self.record(Decision(by=by, what=what, reason=reason, action=action))

    def degrade(self, role: str, reason: str) -> None:
        """Records that a part of the answer is missing, and says so in the outcome."""
        self.decide("harness", f"degraded: {role}", reason)
        self.degraded.append(f"{role}: {reason}")

    def finish_action(self, role: str, text: str, tokens: int) -> None:
        """Notes an action as done, so that it is not offered again."""
        self.done.add(key(text))
        self.progress.append(Progress(role, text, tokens))

    def take_progress(self) -> tuple[Progress, ...]:
        taken, self.progress = tuple(self.progress), []
        return taken
