"""The supervisor's process: `python -m native_stack.daemon REQUEST`, REQUEST being JSON; started by stack.py.

It ends when told to (SIGTERM), when a part fails while starting, or when the process that owns it is gone.
"""

import asyncio
import fcntl
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from manifests import read_services

from native_stack import catalogue, control, issuer, ports
from native_stack.identity import ProcessIdentity
from native_stack.layout import Layout
from native_stack.part import PartError, Site, load_credentials, write_private
from native_stack.people import Tokens, sign_in
from native_stack.record import StackRecord
from native_stack.request import Request
from native_stack.supervisor import Supervisor


def main() -> int:
    """Run one stack to its end; 1 when it did not come up."""
    request = Request.from_json(sys.argv[1])
    layout = Layout(Path(request.directory))
    with (layout.directory / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"another supervisor holds {layout.directory}\n")
            return 1
        return asyncio.run(_run(request, layout))


async def _run(request: Request, layout: Layout) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    site = _site(request, layout)
    # For the owner only, and short: the path of a Unix socket has at most 107 bytes.
    sockets = Path(tempfile.mkdtemp(prefix="longitude-"))
    record = StackRecord("starting", ProcessIdentity.of(os.getpid()), str(sockets / "control"), dict(site.ports))
    supervisor = Supervisor(site, record, [catalogue.build(name, site) for name in request.parts])
    owner = asyncio.create_task(_watch_owner(request.owner, stop))
    try:
        return await _live(supervisor, record, site, stop)
    finally:
        owner.cancel()
        shutil.rmtree(sockets)


def _site(request: Request, layout: Layout) -> Site:
    before = StackRecord.read(layout.state)
    services = read_services()
    chosen = ports.choose(before.ports if before else {}, ports.defaults(services), only_free=request.free_ports)
    credentials = load_credentials(layout, catalogue.credentials(services))
    certificates = Path(request.certificates)
    catalogue.issue(certificates, services)
    return Site(
        layout,
        chosen,
        credentials,
        services,
        models=request.models,
        parts=frozenset(request.parts),
        elsewhere=request.elsewhere,
        certificates=certificates,
        trusted=request.trusted,
    )


async def _live(supervisor: Supervisor, record: StackRecord, site: Site, stop: asyncio.Event) -> int:
    try:
        if await _start_unless_stopped(supervisor, stop):
            if "issuer" in site.parts:
                sign_in(site.layout.token, Tokens(issuer.keys(site), issuer.url(site)), issuer.url(site))
            lines = (f"{name}={value}\n" for name, value in catalogue.endpoints(site).items())
            write_private(site.layout.environment, "".join(lines))
            async with await _serve(supervisor, record, site):
                record.phase = "ready"
                supervisor.save()
                await stop.wait()
        record.phase = "stopping"
    except PartError as error:
        record.phase, record.failure = "failed", str(error)
        sys.stderr.write(f"{error}\n")
    supervisor.save()
    await supervisor.stop_all()
    site.layout.environment.unlink(missing_ok=True)
    record.phase = "failed" if record.failure else "stopped"
    supervisor.save()
    return 1 if record.failure else 0


async def _start_unless_stopped(supervisor: Supervisor, stop: asyncio.Event) -> bool:
    starting = asyncio.create_task(supervisor.start_all())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if starting.done():
        starting.result()
        return True
    starting.cancel()
    await asyncio.wait((starting,))
    return False


async def _serve(supervisor: Supervisor, record: StackRecord, site: Site) -> asyncio.Server:
    actions: dict[str, control.Action] = {
        "start": supervisor.start,
        "stop": supervisor.stop,
        "kill": supervisor.kill,
        "restart": supervisor.restart,
    }
    return await control.serve(Path(record.control), actions, site.parts)


async def _watch_owner(owner: ProcessIdentity | None, stop: asyncio.Event) -> None:
    if owner is not None:
        while owner.alive():  # noqa: ASYNC110 - a process that is no child gives no event
            await asyncio.sleep(0.5)
        stop.set()


if __name__ == "__main__":
    sys.exit(main())
