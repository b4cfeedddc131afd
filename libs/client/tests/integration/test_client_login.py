"""Signing in at the issuer of a local stack: as the command does it, and as somebody who wants more than they may."""

import asyncio
import json
import os
import secrets
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from client import people
from client.api import ImagingClient
from client.errors import ClientError
from client.login import Provider
from contracts import reviews
from longitude.imaging.v1 import imaging_service_pb2 as pb
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.imaging.v1.imaging_service_pb2_grpc import ImagingServiceServicer, add_ImagingServiceServicer_to_server
from native_stack.people import CLIENT, PEOPLE
from native_stack.provider import challenge
from servicekit.access import Access
from servicekit.grpc import server
from servicekit.principal import caller
from servicekit.tokens import Verifier
from testkit import Backends
from testkit.issuing import PASSWORD, Issuing, issuing

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(backends: Backends, tmp_path: Path) -> Command:
    """`longitude ...` with a token file of its own, at the issuer of the session."""
    variables = backends.issuer | {"LONGITUDE_TOKEN_FILE": str(tmp_path / "token.json")}

    def run(*arguments: str, **changed: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | variables | changed
        argv = [sys.executable, "-m", "client", *arguments]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.mark.parametrize("how", [[], ["--device"]], ids=["by browser", "by device"])
def test_a_demo_person_signs_in_and_out_and_the_file_is_private(
    command: Command, tmp_path: Path, how: list[str]
) -> None:
    assert command("login", "--as", "nurse", *how).returncode == 0
    said = json.loads(command("whoami", "--json").stdout)
    assert (said["name"], said["roles"], said["renewable"]) == ("Jonas Meier", ["nurse"], True)
    assert stat.S_IMODE((tmp_path / "token.json").stat().st_mode) == 0o600
    assert command("logout").returncode == 0
    assert "nobody is signed in" in command("whoami").stderr


def test_up_signs_in_who_works_at_the_machine(backends: Backends) -> None:
    lines = backends.issuer
    file = Path(lines["LONGITUDE_TOKEN_FILE"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    verifier = Verifier(lines["LONGITUDE_ISSUER"], "longitude", "roles")
    person = asyncio.run(verifier.person(people.bearer(lines)))
    assert "physician" in person.roles
    # Renewed for longer than a day's work.
    refresh = people.claims(people.signed_in(lines)["refresh_token"])
    assert refresh["exp"] > time.time() + 12 * 3600


class Answering(ImagingServiceServicer):
    """Says who asks."""

    async def GetDocument(self, _: pb.GetDocumentRequest, __: Any) -> pb.GetDocumentResponse:  # noqa: N802
        asking = caller()
        name = asking.person.name if asking.person else ""
        return pb.GetDocumentResponse(document=DocumentRead(document_id=f"{asking.process}: {name}"))

    async def GetStudyAnalysis(self, _: pb.GetStudyAnalysisRequest, __: Any) -> pb.GetStudyAnalysisResponse:  # noqa: N802
        raise NotImplementedError


async def test_the_command_asks_for_who_is_signed_in_and_says_what_to_do_when_nobody_is(
    issuer: Issuing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGITUDE_ISSUER", issuer.url)
    monkeypatch.setenv("LONGITUDE_TOKEN_FILE", str(tmp_path / "token.json"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    served = (add_ImagingServiceServicer_to_server, Answering(), pb.DESCRIPTOR)
    access = Access({"nurse": frozenset({"GetDocument"})})
    async with server(address, [served], 1.0, access), ImagingClient.connect(address) as imaging:
        with pytest.raises(ClientError, match="longitude login"):
            await imaging.document("D1")
        people.keep(os.environ, issuer.tokens.of(PEOPLE["auditor"]), issuer.url, CLIENT, reviews.new_key())
        with pytest.raises(ClientError, match="not open to the role auditor"):
            await imaging.document("D1")
        people.keep(os.environ, issuer.tokens.of(PEOPLE["nurse"]), issuer.url, CLIENT, reviews.new_key())
        assert (await imaging.document("D1")).document_id == "command: Jonas Meier"


def test_nobody_signs_in_with_another_password_or_as_a_stranger(command: Command, tmp_path: Path) -> None:
    for arguments, changed in ((["nurse"], {"LONGITUDE_LOGIN_PASSWORD": "guess"}), (["director"], {})):
        for how in ([], ["--device"]):
            refused = command("login", "--as", *arguments, *how, **changed)
            assert (refused.returncode, "does not know this person or password" in refused.stderr) == (1, True)
    assert not (tmp_path / "token.json").exists()


def test_a_sign_in_that_ended_is_renewed_once_also_when_many_need_it(backends: Backends, tmp_path: Path) -> None:
    variables = backends.issuer | {"LONGITUDE_TOKEN_FILE": str(tmp_path / "token.json")}
    provider = Provider(variables, "physician")
    tokens = provider.by_browser(print) | {"expires_in": 0}
    people.keep(variables, tokens, provider.issuer, provider.client_id, provider.key)
    ended = people.signed_in(variables)["access_token"]
    argv = [sys.executable, "-c", "import os; from client.people import bearer; print(bearer(os.environ))"]
    started = [subprocess.Popen(argv, env=os.environ | variables, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    given = {process.communicate(timeout=60)[0].strip() for process in started}
    assert len(given) == 1
    assert given != {ended}
    assert people.claims(given.pop())["sub"] == "physician"
    renewed = people.claims(people.signed_in(variables)["key_token"])
    assert renewed["cnf"] == {"jwk": reviews.public(provider.key)}, "the session signs on with its own key"
    assert renewed["iat"] >= people.claims(tokens["key_token"])["iat"]


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[Issuing]:
    async with issuing(tmp_path / "issuer") as opened:
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


VERIFIER = secrets.token_urlsafe(48)
ASKED = {
    "response_type": "code",
    "client_id": CLIENT,
    "redirect_uri": "http://127.0.0.1:7777/",
    "state": "s",
    "code_challenge": challenge(VERIFIER),
    "code_challenge_method": "S256",
}
WHO = {"person": "physician", "password": PASSWORD}


async def code(browser: aiohttp.ClientSession, issuer: Issuing) -> str:
    async with browser.post(f"{issuer.url}/authorize", data=ASKED | WHO, allow_redirects=False) as answer:
        assert answer.status == 303
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


async def error(browser: aiohttp.ClientSession, url: str, form: dict[str, str]) -> str:
    async with browser.post(url, data=form, allow_redirects=False) as answer:
        assert answer.status == 400
        return str((await answer.json())["error"])


def redeeming(code: str) -> dict[str, str]:
    form = {"grant_type": "authorization_code", "client_id": CLIENT, "code": code, "code_verifier": VERIFIER}
    return form | {"redirect_uri": ASKED["redirect_uri"]}


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://mallory.example.org/"},
        {"redirect_uri": "https://127.0.0.1.example.org/"},
        {"redirect_uri": "http://127.0.0.1:1/?next=http://mallory.example.org"},
        {"redirect_uri": ""},
        {"client_id": "another"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"response_type": "token"},
    ],
    ids=str,
)
async def test_a_code_goes_nowhere_but_to_this_machine_and_never_without_pkce(
    browser: aiohttp.ClientSession, issuer: Issuing, changed: dict[str, str]
) -> None:
    assert await error(browser, f"{issuer.url}/authorize", ASKED | WHO | changed)
    async with browser.get(f"{issuer.url}/authorize", params=ASKED | changed) as page:
        assert page.status == 400


async def test_a_code_is_worth_something_once_and_to_who_asked_for_it(
    browser: aiohttp.ClientSession, issuer: Issuing
) -> None:
    for changed in ({"code_verifier": "guess"}, {"redirect_uri": "http://127.0.0.1:7778/"}, {"code": "guess"}):
        asked = redeeming(await code(browser, issuer)) | changed
        assert await error(browser, f"{issuer.url}/token", asked) == "invalid_grant"
    form = redeeming(await code(browser, issuer))
    async with browser.post(f"{issuer.url}/token", data=form) as answer:
        assert people.claims((await answer.json())["access_token"])["sub"] == "physician"
    assert await error(browser, f"{issuer.url}/token", form) == "invalid_grant"


async def test_an_access_token_renews_nothing(browser: aiohttp.ClientSession, issuer: Issuing) -> None:
    tokens = issuer.tokens.of(PEOPLE["physician"])
    for token in (tokens["access_token"], tokens["id_token"], ""):
        form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": token}
        assert await error(browser, f"{issuer.url}/token", form) == "invalid_grant"


async def test_the_issuer_vouches_for_a_key_only_to_who_has_it_and_a_proof_is_good_once(
    browser: aiohttp.ClientSession, issuer: Issuing
) -> None:
    key, url = reviews.new_key(), f"{issuer.url}/token"
    shown = reviews.proof(key, url)
    async with browser.post(url, data=redeeming(await code(browser, issuer)), headers={"DPoP": shown}) as answer:
        said = people.claims((await answer.json())["key_token"])
    assert (said["sub"], said["roles"], said["cnf"]) == ("physician", ["physician"], {"jwk": reviews.public(key)})
    head, body, signature = reviews.proof(key, url).split(".")
    others = reviews.proof(key, f"{issuer.url}/elsewhere")
    for wrong in (shown, others, f"{head}.{body}.{signature[::-1]}", "no proof"):
        form = redeeming(await code(browser, issuer))
        async with browser.post(url, data=form, headers={"DPoP": wrong}) as answer:
            assert (answer.status, await answer.json()) == (400, {"error": "invalid_dpop_proof"})
    async with browser.post(url, data=redeeming(await code(browser, issuer))) as answer:
        assert "key_token" not in await answer.json()


async def test_a_page_of_the_network_does_not_reach_the_issuer_under_another_name(
    browser: aiohttp.ClientSession, issuer: Issuing
) -> None:
    async with browser.get(f"{issuer.url}/jwks", headers={"Host": "mallory.example.org"}) as answer:
        assert answer.status == 421


async def test_what_was_signed_before_a_new_key_still_holds_and_so_does_what_comes_after(issuer: Issuing) -> None:
    verifier = Verifier(issuer.url, "longitude", "roles")
    before = issuer.tokens.of(PEOPLE["nurse"])
    issuer.keys.rotate()
    after = issuer.tokens.of(PEOPLE["nurse"])
    assert len(issuer.keys.published()["keys"]) == 2
    assert all("d" not in key for key in issuer.keys.published()["keys"])
    for tokens in (before, after):
        assert (await verifier.person(tokens["access_token"])).roles == {"nurse"}


async def test_the_command_takes_no_answer_that_it_had_not_asked_for(issuer: Issuing) -> None:
    variables = {"LONGITUDE_ISSUER": issuer.url}
    provider = await asyncio.to_thread(Provider, variables)
    shown: list[str] = []

    def wait(url: str) -> None:
        """A browser that another page sends to where the command waits, before the person has answered."""
        back = parse_qs(urlsplit(url).query)["redirect_uri"][0]
        shown.append(back)
        loop.call_soon_threadsafe(lambda: background.append(loop.create_task(visit(f"{back}?code=x&state=guess"))))

    async def visit(url: str) -> None:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 200

    loop, background = asyncio.get_running_loop(), list[Any]()
    with pytest.raises(ClientError, match="not asked for"):
        await asyncio.to_thread(provider.by_browser, wait)
    assert shown[0].startswith("http://127.0.0.1:")


async def test_a_device_waits_until_somebody_signs_in(browser: aiohttp.ClientSession, issuer: Issuing) -> None:
    async with browser.post(f"{issuer.url}/device_authorization", data={"client_id": CLIENT}) as answer:
        begun = await answer.json()
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": CLIENT}
    form["device_code"] = begun["device_code"]
    assert await error(browser, f"{issuer.url}/token", form) == "authorization_pending"
    for wrong in ({"user_code": "BBBB-BBBB"}, {"password": "guess"}):
        assert await error(browser, f"{issuer.url}/device", WHO | {"user_code": begun["user_code"]} | wrong)
    assert await error(browser, f"{issuer.url}/token", form) == "authorization_pending"
    async with browser.post(f"{issuer.url}/device", data=WHO | {"user_code": begun["user_code"]}) as answer:
        assert answer.status == 200
    async with browser.post(f"{issuer.url}/token", data=form) as answer:
        assert people.claims((await answer.json())["access_token"])["exp"] > time.time()
    assert await error(browser, f"{issuer.url}/token", form) == "expired_token"
