"""What the runtime asks of its driver, and what the driver answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from grounding.kind import Choice
from longitude.reasoning.v1.episode_pb2 import Calculation
from longitude.record.v1.context_pb2 import Context, Passage
from longitude.record.v1.fact_pb2 import ClinicalFact

from harness.actions import AskPhysician, Propose


class ProtocolError(Exception):
    """The driver answered what was not asked: a bug of the driver."""


class InputsRefusedError(Exception):
    """The episode cannot begin with these inputs; the text says why."""


@dataclass(frozen=True)
class ModelPin:
    """Which model is meant: its name and the SHA-256 over its files. `version` is where its server keeps it now.

    Content decides what is the same model; an episode does not record the version.
    """

    name: str
    sha256: str
    version: str = field(default="", compare=False)


# The pin of an episode in which no model takes part.
NO_MODEL = ModelPin("", "")


@dataclass(frozen=True)
class Generate:
    """Tokens please. `input_ids` is the whole sequence so far; `grammar` is EBNF with root rule `root`, or empty."""

    role: str
    state: str
    input_ids: tuple[int, ...]
    grammar: str
    max_tokens: int
    temperature: float
    top_p: float
    seed: int
    stop_ids: tuple[int, ...]


@dataclass(frozen=True)
class CallTool:
    """A tool's answer please. `arguments` always has `query`, `fact_id`, `system` and `code` (empty: the whole record).

    For `calculate` also `calculation` (its name) and `inputs` (fact ids with spaces between).
    """

    role: str
    tool: str
    arguments: Mapping[str, str]
    purpose: str


@dataclass(frozen=True)
class Generated:
    """Tokens and, of one length, their log-probabilities before the mask, the allowed mass and which were forced."""

    output_ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    allowed_mass: tuple[float, ...]
    forced: tuple[bool, ...]
    finish_reason: str

    def __post_init__(self) -> None:
        if len({len(self.output_ids), len(self.log_probs), len(self.allowed_mass), len(self.forced)}) != 1:
            raise ProtocolError("output ids, log-probabilities, allowed mass and forced differ in length")


@dataclass(frozen=True)
class ToolResult:
    """What a tool found, in the shape of a context: lines, facts, passages; of `calculate`, the computed value."""

    context: Context
    calculations: tuple[Calculation, ...] = ()


@dataclass(frozen=True)
class Failed:
    """The request could not be answered; `reason` is a class of failure, free of patient data."""

    reason: str


Request: TypeAlias = Generate | CallTool
Answer: TypeAlias = Generated | ToolResult | Failed


@dataclass(frozen=True)
class Progress:
    """Something that just happened, in the words of the action; `tokens` made for it."""

    role: str
    action: str
    tokens: int


@dataclass(frozen=True)
class Round:
    """Requests that may be answered at the same time; none when the run is finished."""

    requests: tuple[Request, ...]
    progress: tuple[Progress, ...]

    @property
    def finished(self) -> bool:
        return not self.requests


@dataclass(frozen=True)
class Said:
    """A statement or question of the draft: who made it, in which step, and whether the verifier doubts it."""

    choice: Choice | AskPhysician
    role: str
    step: int
    doubted: bool = False


@dataclass(frozen=True)
class Proposed:
    proposal: Propose
    role: str
    step: int
    doubted: bool = False


@dataclass(frozen=True)
class Written:
    """The text of a free turn and the facts it may rest on. Nothing in it is true before a gate has said so."""

    text: str
    fact_ids: tuple[str, ...]
    role: str
    step: int


@dataclass(frozen=True)
class Shown:
    """A candidate that the editor put in front, by its place from 1, and the step of the turn that chose it."""

    number: int
    step: int


@dataclass(frozen=True)
class Outcome:
    """The draft, and everything it may point to. `degraded` says what is missing and why."""

    statements: tuple[Said, ...]
    proposals: tuple[Proposed, ...]
    written: tuple[Written, ...]
    degraded: tuple[str, ...]
    facts: Mapping[str, ClinicalFact]
    passages: Mapping[str, Passage]
    shown: tuple[Shown, ...] = ()
