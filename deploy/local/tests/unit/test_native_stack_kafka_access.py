"""What a process shows Kafka follows its files, and never half of them."""

import asyncio
import socket
import ssl
import threading
from asyncio.constants import SSL_SHUTDOWN_TIMEOUT
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from contracts.kafka import KafkaAccess
from native_stack import authority


def test_while_the_files_do_not_fit_together_the_last_ones_are_shown(tmp_path: Path) -> None:
    authority.issue(tmp_path, ["memory"])
    access = KafkaAccess.of(authority.settings(tmp_path, "memory"))
    assert access.context is not None
    (tmp_path / "memory.key").write_text("half of a key")
    assert access.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="127.0.0.1").context


async def test_a_connection_closes_beside_a_broker_that_does_not_say_that_it_does(tmp_path: Path) -> None:
    authority.issue(tmp_path, ["memory", "kafka"])
    context = KafkaAccess.of(authority.settings(tmp_path, "memory")).context
    broker = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    broker.load_cert_chain(tmp_path / "kafka.pem", tmp_path / "kafka.key")
    closed = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with broker.wrap_socket(listening.accept()[0], server_side=True):
                closed.wait()

        with ThreadPoolExecutor(1) as silent:
            silent.submit(accept)
            try:
                _, writer = await asyncio.open_connection(*listening.getsockname(), ssl=context)
                writer.close()
                async with asyncio.timeout(SSL_SHUTDOWN_TIMEOUT / 2):
                    await writer.wait_closed()
            finally:
                closed.set()
