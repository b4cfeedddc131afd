import socket
from collections.abc import Iterator

import pytest
from manifests import read_services
from native_stack import ports

USUAL = ports.defaults(read_services())


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_left_alone(taken: int) -> None:
    assert ports.choose({}, {"mllp": taken}, only_free=False)["mllp"] != taken
    assert ports.choose({"mllp": taken}, {"mllp": taken}, only_free=True)["mllp"] != taken


def test_the_ports_of_a_stack_stay_where_they_were() -> None:
    first = ports.choose({}, USUAL, only_free=True)
    assert ports.choose(first, USUAL, only_free=True) == first


def test_no_two_sockets_share_a_port_and_free_ones_avoid_the_defaults() -> None:
    chosen = ports.choose({}, USUAL, only_free=True)
    assert len(set(chosen.values())) == len(chosen)
    assert not set(chosen.values()) & set(USUAL.values())
