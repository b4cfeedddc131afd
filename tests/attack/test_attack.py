"""Every attack of `make attack` is held off by a whole stack."""

import os
from pathlib import Path

import pytest
from testkit import RunningStack

from tests.attack.attacks import ATTACKS, Attack


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_an_attack_is_held_off(stack: RunningStack, attack: Attack, tmp_path: Path) -> None:
    await attack({**os.environ, **stack.endpoints}, tmp_path)
