"""Start, watch and stop, on the lightest real server (PostgreSQL)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from native_stack import Stack, StackError
from native_stack.identity import ProcessIdentity
from native_stack.record import PartRecord

PART = "postgres"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Stack]]:
    made: list[Stack] = []

    def make_stack(name: str) -> Stack:
        made.append(Stack(tmp_path / name))
        return made[-1]

    yield make_stack
    for stack in made:
        stack.down()


@pytest.fixture
def stack(make: Callable[[str], Stack]) -> Stack:
    return make("one")


def up(stack: Stack) -> str:
    return stack.up(parts=[PART], free_ports=True, owned=True)["LONGITUDE_POSTGRES_MEMORY"]


def part(stack: Stack) -> PartRecord:
    record = stack.record()
    assert record is not None
    return record.parts[PART]


def process(stack: Stack) -> ProcessIdentity:
    found = part(stack).process
    assert found is not None
    return found


def supervisor(stack: Stack) -> ProcessIdentity:
    record = stack.record()
    assert record is not None
    return record.supervisor


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def command(*arguments: str, environment: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "native_stack", *arguments]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=120, check=False, env=os.environ | (environment or {})
    )


def write_row(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE memory.kept (n int)")


def has_row(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        found = connection.execute("SELECT to_regclass('memory.kept') IS NOT NULL").fetchone()
    return found == (True,)


def test_nothing_runs_after_down_and_the_data_is_there_after_the_next_up(stack: Stack) -> None:
    write_row(up(stack))
    server, watcher = process(stack), supervisor(stack)
    assert stack.down()
    assert not server.alive()
    assert not watcher.alive()
    assert not stack.layout.environment.exists()
    assert has_row(up(stack))


def test_down_of_nothing_says_so(stack: Stack) -> None:
    assert not stack.down()


def test_two_stacks_run_side_by_side_and_end_apart(make: Callable[[str], Stack]) -> None:
    first, second = make("one"), make("two")
    write_row(up(first))
    assert not has_row(up(second))
    first.down()
    assert not has_row(second.endpoints()["LONGITUDE_POSTGRES_MEMORY"])


def test_a_second_up_in_the_same_folder_is_refused(stack: Stack) -> None:
    up(stack)
    with pytest.raises(StackError, match="already"):
        up(stack)
    assert part(stack).state == "ready"


def test_a_killed_server_starts_again_with_its_data(stack: Stack) -> None:
    dsn = up(stack)
    write_row(dsn)
    stack.kill(PART)
    assert (part(stack).state, part(stack).exit_code) == ("killed", -signal.SIGKILL)
    stack.start(PART)
    assert has_row(dsn)


def test_a_server_that_dies_by_itself_is_named_with_the_end_of_its_log(stack: Stack) -> None:
    up(stack)
    os.kill(process(stack).pid, signal.SIGQUIT)
    until(lambda: part(stack).state == "died")
    said = command("status", "--dir", str(stack.layout.directory))
    assert said.returncode == 1
    assert "postgres died" in said.stdout
    assert "immediate shutdown request" in said.stdout
    assert "immediate shutdown request" in stack.layout.supervisor_log.read_text()


def test_a_server_that_cannot_start_fails_up_with_its_name_and_log_and_leaves_nothing(stack: Stack) -> None:
    up(stack)
    stack.down()
    with (stack.layout.data(PART) / "data" / "postgresql.auto.conf").open("a") as settings:
        settings.write("max_connections = none\n")
    with pytest.raises(
        StackError, match=r'(?s)postgres: it died while starting.*invalid value for parameter "max_connections"'
    ):
        up(stack)
    assert not supervisor(stack).alive()
    assert part(stack).state == "died"


def test_what_a_killed_supervisor_leaves_is_noticed_and_ended(stack: Stack) -> None:
    write_row(up(stack))
    server = process(stack)
    os.kill(supervisor(stack).pid, signal.SIGKILL)
    until(lambda: not supervisor(stack).alive())
    assert server.alive()
    assert "1 of its processes" in command("status", "--dir", str(stack.layout.directory)).stdout
    dsn = up(stack)
    assert not server.alive()
    assert has_row(dsn)


def test_a_stale_record_never_ends_a_stranger_with_the_same_process_id(stack: Stack) -> None:
    up(stack)
    stack.down()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        record = stack.record()
        assert record is not None
        recycled = ProcessIdentity(stranger.pid, ProcessIdentity.of(stranger.pid).started - 1)
        record.parts[PART] = PartRecord(state="ready", process=recycled)
        record.write(stack.layout.state)
        assert stack.clean_up() == 0
        assert stranger.poll() is None
        stranger.kill()


def test_a_stack_ends_with_the_process_that_owns_it(stack: Stack) -> None:
    code = (
        "import sys, os, signal, pathlib, native_stack\n"
        "native_stack.Stack(pathlib.Path(sys.argv[1])).up(parts=['postgres'], free_ports=True, owned=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    owner = subprocess.run([sys.executable, "-c", code, str(stack.layout.directory)], timeout=60, check=False)
    assert owner.returncode == -signal.SIGKILL
    until(lambda: not supervisor(stack).alive())
    assert part(stack).state == "stopped"


def test_an_interrupted_up_leaves_nothing(stack: Stack) -> None:
    argv = [sys.executable, "-m", "native_stack", "up", "--dir", str(stack.layout.directory), "--only", "objects"]
    # Tests that run in the background of a shell are started with the signal ignored, and so would be their children.
    heard = ["env", "--default-signal=INT"]
    with subprocess.Popen(
        [*heard, *argv, "--free-ports"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as starting:
        until(stack.layout.state.exists)
        until(lambda: stack.record() is not None and supervisor(stack).alive())
        starting.send_signal(signal.SIGINT)
        assert starting.wait(60) != 0
    record = stack.record()
    assert record is not None
    assert not record.supervisor.alive()
    assert stack.left_behind() == []


def test_missing_java_is_one_line_that_names_the_package(stack: Stack) -> None:
    where = ("--dir", str(stack.layout.directory))
    said = command("up", *where, "--free-ports", "--only", "kafka", environment={"PATH": "/nonexistent"})
    assert said.returncode == 1
    [line] = said.stderr.splitlines()
    assert "java" in line
    assert "apt-get install default-jre-headless" in line


def test_an_unknown_part_is_refused_with_the_names_of_the_known(stack: Stack) -> None:
    said = command("up", "--dir", str(stack.layout.directory), "--only", "oracle")
    assert said.returncode == 2
    assert "oracle" in said.stderr
    assert "postgres" in said.stderr
    up(stack)
    with pytest.raises(StackError, match="kafka is no part of this stack"):
        stack.kill("kafka")


def test_credentials_and_endpoints_are_for_the_owner_only(stack: Stack) -> None:
    up(stack)
    for path in (stack.layout.environment, stack.layout.credentials):
        assert path.stat().st_mode & 0o077 == 0
    secrets = stack.layout.credentials.read_text().split('"')[3::4]
    assert secrets
    assert not any(secret in stack.layout.state.read_text() for secret in secrets)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs all the other tests as one")
def test_an_ordinary_user_starts_it_too(stack: Stack) -> None:
    directory = stack.layout.directory
    directory.mkdir()
    os.chown(directory, 65534, 65534)
    reach = ("--inh-caps=-all,+dac_override", "--ambient-caps=+dac_override", "--bounding-set=-all,+dac_override")
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reach]
    start = [sys.executable, "-m", "native_stack", "up", "--dir", str(directory), "--only", PART, "--free-ports"]
    said = subprocess.run([*user, *start], capture_output=True, text=True, timeout=60, check=False, cwd=directory)
    assert said.returncode == 0, said.stderr
    assert Path(f"/proc/{process(stack).pid}").stat().st_uid == 65534
    assert not has_row(stack.endpoints()["LONGITUDE_POSTGRES_MEMORY"])
