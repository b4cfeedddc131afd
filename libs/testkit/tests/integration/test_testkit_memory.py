"""What a piece of work takes is measured whoever takes it, and whatever the test's own process took before."""

import subprocess
import sys

import pytest
from testkit.memory import peak_of

MIB = 1024 * 1024
TAKE = f"x = bytearray(300 * {MIB}); x[::4096] = bytes([1]) * len(x[::4096])"


def test_memory_of_the_work_itself_is_measured() -> None:
    # Less by what the system takes back of the copied process meanwhile, such as pages of libraries that nothing reads.
    assert 200 <= peak_of(lambda: exec(TAKE, {})) < 400


def test_memory_of_a_process_that_the_work_starts_is_measured() -> None:
    own = bytearray(500 * MIB)
    own[::4096] = bytes([1]) * len(own[::4096])
    assert 300 <= peak_of(lambda: subprocess.run([sys.executable, "-c", TAKE], check=True)) < 400
    assert own


def test_what_its_process_took_before_is_not_measured() -> None:
    own = bytearray(500 * MIB)
    own[::4096] = bytes([1]) * len(own[::4096])
    assert peak_of(lambda: subprocess.run(["true"], check=True)) < 50
    assert own


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(AssertionError, match="died"):
        peak_of(lambda: exec("import os; os._exit(3)", {}))
