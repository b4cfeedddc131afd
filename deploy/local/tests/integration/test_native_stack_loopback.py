from collections.abc import Callable

import psutil
from native_stack import Stack, catalogue


def test_no_server_listens_beyond_loopback_or_on_a_port_that_is_not_its_own(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack(catalogue.BACKENDS, models=())
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
