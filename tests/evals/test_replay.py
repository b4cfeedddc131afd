"""Recorded episodes replay token for token; forged ones stop at the forged step."""

import random
from datetime import timedelta

import pytest
from harness import EpisodeTamperedError, ReplayDifferenceError

from tests.evals.episodes import case, closed, play, replay
from tests.evals.players import at_random, hostile
from tests.evals.replay import forge, is_caught, measure


def test_every_recorded_episode_replays_to_itself_and_no_forged_one_does() -> None:
    assert measure(at_random(), range(3), 0) == (3, 3)


def test_a_replay_by_another_player_is_a_difference() -> None:
    owner = case(7)
    episode = closed(play([owner], at_random())[0], owner.record.asked_at + timedelta(minutes=30))
    with pytest.raises(ReplayDifferenceError, match="model differs"):
        replay(episode, owner, hostile())


def test_a_lie_without_a_new_chain_is_seen_before_anything_runs() -> None:
    owner = case(8)
    episode = closed(play([owner], at_random())[0], owner.record.asked_at + timedelta(minutes=30))
    episode.steps[1].turn.action_ids.append(7)
    with pytest.raises(EpisodeTamperedError):
        replay(episode, owner, at_random())


def test_a_forgery_is_a_change_of_one_step() -> None:
    owner = case(9)
    episode = closed(play([owner], at_random())[0], owner.record.asked_at + timedelta(minutes=30))
    forged, place, what = forge(episode, random.Random(1))
    assert forged.steps[place] != episode.steps[place]
    assert what
    assert is_caught(episode, owner, at_random(), random.Random(1))
