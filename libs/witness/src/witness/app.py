"""The witness over HTTP: its one door, and a page that says that it is there."""

import asyncio

from aiohttp import web

from witness.cosigning import Refused, Witness

_MAX_BODY = 64 * 1024


def app(witness: Witness) -> web.Application:
    """The application that answers for a witness."""
    busy = asyncio.Lock()

    async def added(request: web.Request) -> web.Response:
        try:
            body = await request.text()
            # Comparing with the last one and keeping the new one are one step.
            async with busy:
                return web.Response(text=await asyncio.to_thread(witness.add, body))
        except UnicodeDecodeError:
            return web.Response(status=400)
        except Refused as refused:
            return web.Response(status=refused.status, text=refused.text, content_type=refused.kind)

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    made = web.Application(client_max_size=_MAX_BODY)
    made.router.add_post("/add-checkpoint", added)
    made.router.add_get("/healthz", healthy)
    return made
