"""A part that ends before anybody could look at it is reported like every other that died while starting."""

import subprocess

from native_stack.child import identity_of
from native_stack.identity import ProcessIdentity


def test_a_process_that_ended_at_once_has_an_identity_that_is_never_alive() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    identity = identity_of(ended.pid)
    assert not identity.alive()
    with subprocess.Popen(["sleep", "60"]) as running:
        assert identity_of(running.pid) == ProcessIdentity.of(running.pid)
        running.kill()
