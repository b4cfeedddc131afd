"""The agent runtime: what a driver needs to run, record and replay a consultation."""

from harness.consultation import Consultation
from harness.episode import EpisodeTamperedError, episode_digest, parse, serialise, verify_chain
from harness.flows import RULES, SELECT
from harness.protocol import (
    NO_MODEL,
    CallTool,
    Failed,
    Generate,
    Generated,
    InputsRefusedError,
    ModelPin,
    Outcome,
    Progress,
    Proposed,
    ProtocolError,
    Round,
    Said,
    Shown,
    ToolResult,
    Written,
)
from harness.replay import Replay, ReplayDifferenceError
from harness.tokenizer import Tokenizer

__all__ = [
    "NO_MODEL",
    "RULES",
    "SELECT",
    "CallTool",
    "Consultation",
    "EpisodeTamperedError",
    "Failed",
    "Generate",
    "Generated",
    "InputsRefusedError",
    "ModelPin",
    "Outcome",
    "Progress",
    "Proposed",
    "ProtocolError",
    "Replay",
    "ReplayDifferenceError",
    "Round",
    "Said",
    "Shown",
    "Tokenizer",
    "ToolResult",
    "Written",
    "episode_digest",
    "parse",
    "serialise",
    "verify_chain",
]
