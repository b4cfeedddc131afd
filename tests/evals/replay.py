"""`make eval EVAL=replay`: recorded episodes driven again must give the same tokens; forged ones must not pass.

N episodes over stories: one in fifty by the real network, the others by the random adversary under the real grammar.
Each is driven again by the same player and must be identical token for token; then it is forged in one place, with a
hash chain that holds, and the replay must stop at that very step.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from consult import Model
from harness import ReplayDifferenceError
from harness.episode import digest
from longitude.reasoning.v1.episode_pb2 import Episode, Step

from tests.evals.episodes import Case, case, closed, play, replay
from tests.evals.pieces import Json, evenly, measured
from tests.evals.players import at_random, shared
from tests.results import Result

EPISODES = 200
_NETWORK = 50
_SMALL_CONTEXT = 250

# Changes one step and says what a replay must name; the step must have what is changed.
Forgery = Callable[[Step], str]


def run(n: int | None, seed: int) -> Result:
    """`identical` and `forged_caught`: shares of 1."""
    count = n or EPISODES
    first = seed * 100_000
    seen: Counter[str] = Counter()
    for piece in measured("replay", seed, range(first, first + count), evenly(count, _NETWORK), replayed):
        seen.update(piece)
    shares = {name: seen[name] / count for name in ("identical", "forged_caught")}
    return Result("replay", shares | {"episodes": float(count), "by the network": float(seen["network"])}, count, seed)


def replayed(seeds: range) -> Json:
    """A piece of the measurement: its first episode is the network's."""
    identical, caught = measure(shared(), seeds[:1], seeds.start, _SMALL_CONTEXT)
    more, also = measure(at_random(), seeds[1:], seeds.start)
    return {"identical": identical + more, "forged_caught": caught + also, "network": 1}


def measure(model: Model, seeds: range, seed: int, context_tokens: int = 700) -> tuple[int, int]:
    """How many episodes replayed identically, and how many forged ones were caught at the forged step."""
    identical = caught = 0
    chance = random.Random(f"forge/{seed}")
    for each in seeds:
        owner = case(each, context_tokens)
        episode = closed(play([owner], model)[0], owner.record.asked_at + timedelta(minutes=30))
        identical += is_identical(episode, owner, model)
        caught += is_caught(episode, owner, model, chance)
    return identical, caught


def is_identical(episode: Episode, owner: Case, model: Model) -> bool:
    try:
        replay(episode, owner, model)
    except ReplayDifferenceError:
        return False
    return True


def is_caught(episode: Episode, owner: Case, model: Model, chance: random.Random) -> bool:
    """Whether a forgery somewhere in the record is named, at its step and as what it is."""
    forged, place, what = forge(episode, chance)
    try:
        replay(forged, owner, model)
    except ReplayDifferenceError as difference:
        return (difference.step, difference.what) == (place, what)
    return False


def forge(episode: Episode, chance: random.Random) -> tuple[Episode, int, str]:
    """A copy with one lie and a chain that holds; the step, and what differs there."""
    forged = Episode()
    forged.CopyFrom(episode)
    acted = [step for step in forged.steps if step.decision.HasField("action")]
    places = [*acted, *(step for step in forged.steps if step.turn.action_ids or step.HasField("tool"))]
    step = chance.choice(places)
    what = chance.choice(_FORGERIES[str(step.WhichOneof("content"))])(step)
    _chain(forged)
    return forged, step.index, what


def _action(step: Step) -> str:
    step.turn.action_ids[-1] += 1
    return "action"


def _observation(step: Step) -> str:
    step.turn.observation_ids[0] += 1
    return "observation"


def _grammar(step: Step) -> str:
    step.turn.grammar_sha256 = "0" * 64
    return "grammar"


def _tool_call(step: Step) -> str:
    step.tool.arguments += " "
    return "tool call"


def _tool_result(step: Step) -> str:
    step.tool.result_sha256 = "0" * 64
    return "tool result"


def _tool_answer(step: Step) -> str:
    step.tool.result.omitted += 1
    return "tool result"


def _would_change(step: Step) -> str:
    step.tool.would_change.append(step.tool.would_change[0])
    return "tool call"


def _typed(step: Step) -> str:
    """Another action of the same words."""
    step.decision.action.propose.fact_ids.append("another")
    return "decision"


_FORGERIES: dict[str, tuple[Forgery, ...]] = {
    "turn": (_action, _observation, _grammar),
    "tool": (_tool_call, _tool_result, _tool_answer, _would_change),
    "decision": (_typed,),
}


def _chain(episode: Episode) -> None:
    """Hashes that follow from the forged content, as a forger would write them."""
    header = Episode(episode_id=episode.episode_id, format=episode.format, pins=episode.pins, inputs=episode.inputs)
    previous = digest(header)
    for step in episode.steps:
        step.previous_sha256 = previous
        previous = digest(step)
