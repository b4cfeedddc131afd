import urllib.error
import urllib.request
from collections.abc import Callable

import psutil
import pytest
from native_stack import Stack, catalogue


@pytest.fixture(scope="module")
def stack(new_stack: Callable[..., Stack]) -> Stack:
    return new_stack(catalogue.BACKENDS, models=())


def test_no_server_listens_beyond_loopback_or_on_a_port_that_is_not_its_own(stack: Stack) -> None:
    record = stack.record()
    assert record is not None
    for name, part in record.parts.items():
        assert part.process is not None
        parent = psutil.Process(part.process.pid)
        sockets = [each for one in (parent, *parent.children(recursive=True)) for each in one.net_connections("inet")]
        listening = [each.laddr for each in sockets if each.status == psutil.CONN_LISTEN]
        assert listening, name
        assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}, name
        assert {address.port for address in listening} <= set(record.ports.values()), name


PAGES = ["repository/index", "repository/models/reasoner/load", "models/reasoner/infer", "logging"]


@pytest.mark.parametrize("page", PAGES)
def test_without_tls_triton_answers_health_and_nothing_else(stack: Stack, page: str) -> None:
    base = f"http://{stack.endpoints()['LONGITUDE_TRITON_HTTP']}/v2"
    with urllib.request.urlopen(f"{base}/health/ready", timeout=10) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{base}/{page}", data=b"{}", timeout=10)
    assert refused.value.code == 403
