"""The fixtures. Every backend is real and starts at most once in a session, when the first test asks for it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from manifests import read_services
from native_stack import Stack, catalogue

from testkit.backends import Backends, ObjectStorage
from testkit.running import RunningStack

# How long an example may take is no property of what is tested. The examples of a test are the same at each run, so
# that a change is judged by its own effect; `make properties` searches with others.
settings.register_profile("longitude", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("longitude")


@pytest.fixture(scope="session", autouse=True)
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The authority of every stack of the session; tests, and the processes that they start, are the command."""
    folder = tmp_path_factory.mktemp("certificates")
    catalogue.issue(folder, read_services())
    with pytest.MonkeyPatch.context() as patched:
        for name, value in catalogue.command_settings(folder).items():
            patched.setenv(name, value)
        yield folder


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Backends]:
    """Where the other fixtures come from."""
    with Backends(tmp_path_factory.mktemp("backends"), certificates) as made, pytest.MonkeyPatch.context() as patched:
        for name, value in made.issuer.items():
            patched.setenv(name, value)
        yield made


@pytest.fixture(scope="session")
def kafka(backends: Backends) -> str:
    """`host:port` of a Kafka that has every topic of the system."""
    return backends.kafka()


@pytest.fixture(scope="session")
def new_database(backends: Backends) -> Callable[..., str]:
    """`new_database()` is the DSN of a fresh database, `new_database("memory")` of one with its tables, as memory."""
    return backends.new_database


@pytest.fixture(scope="session")
def as_owner(backends: Backends) -> Callable[..., None]:
    """`as_owner(connection, *statements)` executes them where it is connected, as who may do anything there."""

    def execute(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any], *statements: str) -> None:
        info = connection.info
        with psycopg.connect(backends.owner_of(info.dbname), options=info.options) as owner:
            for statement in statements:
                owner.execute(statement.encode())

    return execute


@pytest.fixture(scope="module")
def postgres(backends: Backends) -> str:
    """The DSN of a database that is fresh for this test module."""
    return backends.new_database()


@pytest.fixture(scope="session")
def objects(backends: Backends) -> ObjectStorage:
    """Endpoint and keys of an S3 store."""
    return backends.objects()


@pytest.fixture(scope="session")
def triton(backends: Backends) -> Callable[..., str]:
    """`triton("embedder", ...)` is the gRPC `host:port` of a Triton with these models loaded."""
    return backends.triton


@pytest.fixture(scope="module")
def new_stack(backends: Backends) -> Iterator[Callable[..., Stack]]:
    """`new_stack(parts, models, elsewhere)` brings up a stack of its own, for tests that must not share one.

    It ends with the test module, for one takes a gigabyte; of `backends.new_stack` with the session.
    """
    made: list[Stack] = []

    def bring_up(*asked: Any, **named: Any) -> Stack:
        made.append(backends.new_stack(*asked, **named))
        return made[-1]

    yield bring_up
    backends.discard(*made)


@pytest.fixture(scope="session")
def stack(backends: Backends) -> RunningStack:
    """The whole system. A test that kills something starts it again, or uses `mended_stack`."""
    up = backends.new_stack()
    return RunningStack(up, up.endpoints())


@pytest.fixture
def mended_stack(stack: RunningStack) -> Iterator[RunningStack]:
    """The whole system; what the test killed is started again after it."""
    yield stack
    stack.mend()
