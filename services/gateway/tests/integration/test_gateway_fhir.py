"""The record as FHIR R4, read by a client that others wrote: HTTPS, a person's token, real services behind the door."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import ssl
import time
import uuid
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer
from contracts.identifiers import patient_partition_key
from contracts.kafka import reaching
from contracts.topics import DOCUMENT_READ, REASONING_RECORD_READ, RECORD_READ, Topic
from eventbus import Outgoing
from fhir.resources.R4B import get_fhir_model_class
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound
from fhirpy.base.resource import serialize
from gateway.domain.fhir.ids import logical_id
from gateway.domain.fhir.issues import ISSUE
from gateway.domain.fhir.resources import KINDS, left_out
from longitude.imaging.v1.events_pb2 import DocumentRead
from longitude.memory.v1 import memory_service_pb2 as pb
from longitude.memory.v1.memory_service_pb2_grpc import MemoryServiceStub
from longitude.reasoning.v1 import concern_pb2
from longitude.reasoning.v1.reasoning_service_pb2_grpc import ReasoningServiceStub
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import RecordedFact
from longitude.record.v1.look_pb2 import LOOK_OUTCOME_REFUSED, LOOK_OUTCOME_SHOWN, Look
from manifests import REPOSITORY
from native_stack import Stack
from native_stack.people import AUDIENCE, PEOPLE, SigningKeys
from practice.records import RecordBuilder
from testkit import Backends, MllpClient, RunningStack
from testkit.calls import channel
from testkit.signing import publishing
from testkit.telling import message as told
from testkit.telling import send, until

pytestmark = pytest.mark.timeout(300)

# A resource without the client's own classes.
plain: Callable[[Any], Any] = serialize
PARTS = ("kafka", "postgres", "objects", "ingestion", "memory", "reasoning", "gateway")
STORY = sorted((REPOSITORY / "deploy/demo/story").glob("*.hl7"))
RENEE = cf.PatientKey(id="NW-204417", authority="NORTHWEST")
LAKESIDE = cf.PatientKey(id="88-1306", authority="LAKESIDE")
# What is said of her mother, and that something is not there.
NOT_HERS = (
    "MSH|^~\\&|ADT|NORTHWEST|X|X|20270201||ADT^A08|GW-C|P|2.5.1\r"
    "PID|1||NW-204417^^^NORTHWEST^MR||Test^Door||19570418|F\rPV1|1|O\r"
    "DG1|1||Z80.3^Family history of malignant neoplasm of breast^I10C\r"
    "DG1|2||^Pulmonary embolism ruled out\r"
)
# Diabetes, and depression, which is closed to who has stated no reason.
CLOSED = cf.PatientKey(id="GW1", authority="NORTH")
MESSAGE = (
    "MSH|^~\\&|ADT|NORTH|X|X|20260301||ADT^A01|GW-A|P|2.5.1\r"
    "PID|1||GW1^^^NORTH^MR||Test^Door||19470418|F\rPV1|1|I|||||||||||||||||V7\r"
    "DG1|1||E11.9^Type 2 diabetes mellitus^I10C\rDG1|2||F32.9^Depression^I10C\r"
)
LATER = (
    "MSH|^~\\&|LAB|NORTHWEST|X|X|20270301||ORU^R01|GW-B|P|2.5.1\r"
    "PID|1||NW-204417^^^NORTHWEST^MR||Test^Door||19570418|F\r"
    "OBR|1||GW-B|24323-8^CMP^LN|||19500101\rOBX|1|NM|2160-0^Creatinine^LN||1.2|mg/dL|||||F|||19500101\r"
)


@pytest.fixture(scope="module")
def running(new_stack: Callable[..., Stack]) -> RunningStack:
    """The story's messages, and those of one more patient; no Triton, which nothing here needs."""
    stack = new_stack(PARTS, (), {"triton": "127.0.0.1:9"})
    up = RunningStack(stack, stack.endpoints())
    asyncio.run(_send(up, [*(path.read_bytes() for path in STORY), NOT_HERS.encode(), MESSAGE.encode()]))
    asyncio.run(until(partial(_is_watched, up, RENEE), 60))
    return up


async def _is_watched(running: RunningStack, patient: cf.PatientKey) -> bool:
    """Whether the rules looked at the record, and see the same for a while."""
    async with channel(running.endpoints["LONGITUDE_REASONING"]) as opened:
        asked = concern_pb2.ListConcernsRequest(patient=patient, resolved=True, acted=True, page_size=100)
        before = await ReasoningServiceStub(opened).ListConcerns(asked)
        await asyncio.sleep(3)
        return bool(before.concerns) and before == await ReasoningServiceStub(opened).ListConcerns(asked)


async def _send(running: RunningStack, messages: Sequence[bytes]) -> None:
    """Return when memory has all of them."""
    async with MllpClient(running.endpoints["LONGITUDE_MLLP"]) as client:
        for message in messages:
            assert b"|AA|" in await client.send(message)
    last = messages[-1].split(b"|")[9].decode()
    whose = CLOSED if last == "GW-A" else RENEE
    async with asyncio.timeout(60):
        while last not in {each.fact.source.control_id for each in await timeline(running, whose)}:
            await asyncio.sleep(0.3)


async def timeline(running: RunningStack, patient: cf.PatientKey) -> list[RecordedFact]:
    """What stands, as memory tells it to who works at this machine."""
    async with channel(running.endpoints["LONGITUDE_MEMORY"]) as opened:
        request = pb.GetTimelineRequest(patient=patient, page_size=10_000)
        try:
            return list((await MemoryServiceStub(opened).GetTimeline(request)).facts)
        except Exception as error:
            if "no patient" in str(error):
                return []
            raise


@pytest.fixture(scope="module")
def token_of(backends: Backends) -> Callable[..., str]:
    """A token of the issuer for one of its people, with claims of its own."""
    keys = SigningKeys(Path(backends.issuer["LONGITUDE_TOKEN_FILE"]).parent / "data" / "issuer" / "keys.json")

    def sign(name: str = "physician", **claims: Any) -> str:
        person, now = PEOPLE[name], int(time.time())
        about = {"iss": backends.issuer["LONGITUDE_ISSUER"], "sub": person.subject, "aud": AUDIENCE, "iat": now}
        return keys.sign(about | {"roles": list(person.roles), "exp": now + 600} | claims, "at+jwt")

    return sign


def trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=os.environ["LONGITUDE_TLS_AUTHORITY"])


@pytest.fixture
def client_of(running: RunningStack, token_of: Callable[..., str]) -> Callable[..., AsyncFHIRClient]:
    def client(name: str = "physician", **claims: Any) -> AsyncFHIRClient:
        url = f"https://{running.endpoints['LONGITUDE_HTTPS']}/fhir/R4"
        shown = f"Bearer {token_of(name, **claims)}"
        return AsyncFHIRClient(url, authorization=shown, aiohttp_config={"ssl": trust()})

    return client


@pytest.fixture
def fhir(client_of: Callable[..., AsyncFHIRClient]) -> AsyncFHIRClient:
    return client_of()


@pytest.fixture
async def http(running: RunningStack) -> AsyncIterator[aiohttp.ClientSession]:
    base = f"https://{running.endpoints['LONGITUDE_HTTPS']}"
    async with aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(ssl=trust())) as session:
        yield session


async def pages(
    http: aiohttp.ClientSession, token: str, path: str, after_first: Callable[[], Any] | None = None
) -> list[dict[str, Any]]:
    """Every page, by its `next` links."""
    read: list[dict[str, Any]] = []
    url: str | None = path
    while url:
        async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
            assert answer.status == 200, await answer.text()
            assert answer.headers["Content-Type"].startswith("application/fhir+json")
            page = await answer.json(content_type=None)
        get_fhir_model_class("Bundle").model_validate(page)
        read.append(page)
        if after_first and len(read) == 1:
            await after_first()
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    return read


def entries(read: Sequence[dict[str, Any]], mode: str) -> list[dict[str, Any]]:
    return [each["resource"] for page in read for each in page.get("entry", []) if each["search"]["mode"] == mode]


def remarks(read: Sequence[dict[str, Any]]) -> list[str]:
    return [each["issue"][0]["details"]["text"] for each in entries(read, "outcome")]


async def test_the_statement_of_what_it_can_do_is_open_and_names_the_issuer(
    http: aiohttp.ClientSession, backends: Backends
) -> None:
    async with http.get("/fhir/R4/metadata") as answer:
        statement = await answer.json(content_type=None)
    get_fhir_model_class("CapabilityStatement").model_validate(statement)
    assert statement["fhirVersion"] == "4.0.1"
    async with http.get("/fhir/R4/.well-known/smart-configuration") as answer:
        smart = await answer.json()
    assert smart["issuer"] == backends.issuer["LONGITUDE_ISSUER"]
    assert {"token_endpoint", "authorization_endpoint", "jwks_uri", "capabilities"} <= smart.keys()


@pytest.mark.parametrize("count", [7, 500])
async def test_every_statement_is_once_in_everything_or_is_counted(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str], count: int
) -> None:
    stated = await timeline(running, RENEE)
    read = await pages(http, token_of("developer"), f"/fhir/R4/Patient/{logical_id(RENEE)}/$everything?_count={count}")
    matches, included = entries(read, "match"), entries(read, "include")
    issues = [each["id"] for each in matches if each["resourceType"] == ISSUE]
    listed = await pages(http, token_of("developer"), f"/fhir/R4/{ISSUE}?patient={logical_id(RENEE)}&_count={count}")
    assert issues == [each["id"] for each in entries(listed, "match")]
    assert len(issues) == len(set(issues)) > 0
    for resource in [*matches, *included]:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    whys = Counter(filter(None, (left_out(each.fact) for each in stated)))
    shown = [each.fact for each in stated if not left_out(each.fact)]
    of_patient = {each.fact_id for each in shown if each.kind == cf.FACT_KIND_DEMOGRAPHIC}
    assert Counter(each["id"] for each in matches if each["resourceType"] != ISSUE) == Counter(
        each.fact_id for each in shown if each.fact_id not in of_patient
    )
    read_from = [each for each in included if each["resourceType"] == "Provenance"]
    assert Counter(each["id"] for each in read_from) == Counter(each.fact_id for each in shown)
    assert {each["id"] for each in included} - {each["id"] for each in read_from} == {
        logical_id(RENEE),
        logical_id(LAKESIDE),
    }
    assert _counted(remarks(read)) == whys
    assert whys == {"denied": 1, "of a relative": 1}
    assert len(read) == -(-len(matches) // count) or count == 7
    assert all(len(entries([page], "match")) <= count for page in read)


def _counted(texts: Sequence[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        for one in text.partition("no resource: ")[2].split(", "):
            many, _, why = one.partition(" ")
            counts[why] += int(many)
    return counts


async def test_pages_are_of_one_state_whatever_comes_between_them(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    path = f"/fhir/R4/Observation?patient={logical_id(RENEE)}&_count=5&status=final"
    before = entries(await pages(http, token_of(), path), "match")

    async def later() -> None:
        await _send(running, [LATER.encode()])

    between = entries(await pages(http, token_of(), path, later), "match")
    assert [each["id"] for each in between] == [each["id"] for each in before]
    after = entries(await pages(http, token_of(), path), "match")
    assert len(after) == len(before) + 1


async def test_a_client_of_others_lists_filters_and_reads(fhir: AsyncFHIRClient) -> None:
    found = await fhir.resources("Patient").search(identifier="urn:longitude:authority:NORTHWEST|NW-204417").get()
    assert found["birthDate"] == "1957-04-18"
    whom = found["id"]
    every = await fhir.resources("Observation").search(patient=whom).limit(9).fetch_all()
    creatinines = await fhir.resources("Observation").search(patient=whom, code="http://loinc.org|2160-0").fetch_all()
    assert 0 < len(creatinines) < len(every)
    assert all(each["code"]["coding"][0]["code"] == "2160-0" for each in creatinines)
    newest = max(each["effectiveDateTime"] for each in creatinines)
    later = await fhir.resources("Observation").search(patient=whom, code="2160-0", date__ge=newest).fetch_all()
    assert [each["effectiveDateTime"] for each in later] == [newest]
    one = await fhir.get("Observation", creatinines[0]["id"])
    assert plain(one) == plain(creatinines[0])
    # The same resource whatever it is asked by.
    by_id = await fhir.resources("Observation").search(_id=one["id"]).fetch_all()
    assert [plain(each) for each in by_id] == [plain(one)]


@pytest.mark.parametrize("kind", [*sorted(KINDS), ISSUE])
async def test_every_type_is_searched_and_its_resources_are_read_again(
    fhir: AsyncFHIRClient, running: RunningStack, kind: str
) -> None:
    listed = await fhir.resources(kind).search(patient=logical_id(RENEE)).fetch_all()
    assert {each["resourceType"] for each in listed} <= {kind}
    for each in listed[:2]:
        assert plain(await fhir.get(kind, each["id"])) == plain(each)
    if kind == "Provenance":
        assert len(listed) == sum(not left_out(each.fact) for each in await timeline(running, RENEE))


async def test_the_text_of_a_document_is_read_once_it_was_read(fhir: AsyncFHIRClient, running: RunningStack) -> None:
    """Imaging reads documents; here its event is published in its place."""
    letters = await fhir.resources("DocumentReference").search(patient=logical_id(RENEE)).fetch_all()
    name = letters[0]["id"]
    assert letters[0]["content"][0]["attachment"]["url"] == f"Binary/{name}"
    with pytest.raises(ResourceNotFound, match="no text"):
        await fhir.get("Binary", name)
    (source,) = [each.fact.source for each in await timeline(running, RENEE) if each.fact.fact_id == name]
    read = DocumentRead(document_id=source.document_id, patient=RENEE, text="Dear colleague, she is well.")
    read.authored_at.FromDatetime(datetime(2026, 2, 1, tzinfo=UTC))
    event = Outgoing(DOCUMENT_READ, str(uuid.uuid4()), patient_partition_key(RENEE), read, datetime.now(UTC))
    async with publishing(running.endpoints["LONGITUDE_KAFKA"]) as publish:
        await publish(event)
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(ResourceNotFound):
                binary = await fhir.get("Binary", name)
                break
            await asyncio.sleep(0.2)
    assert base64.b64decode(binary["data"]).decode() == "Dear colleague, she is well."
    assert plain(binary)["securityContext"] == {"reference": f"Patient/{logical_id(RENEE)}"}


async def test_what_is_closed_is_counted_and_not_described(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    path = f"/fhir/R4/Condition?patient={logical_id(CLOSED)}"
    read = await pages(http, token_of("physician"), path)
    assert [each["code"]["text"] for each in entries(read, "match")] == ["Type 2 diabetes mellitus"]
    assert remarks(read) == ["statements of this record that are closed to you: 1"]
    assert "epression" not in str(read)
    assert "F32" not in str(read)
    (hidden,) = [each for each in await timeline(running, CLOSED) if each.fact.code.code == "F32.9"]
    assert await status(http, f"Condition/{hidden.fact.fact_id}", token_of("physician")) == (404, "not-found")
    assert await status(http, f"Condition/{hidden.fact.fact_id}", token_of("developer")) == (200, "")


async def status(http: aiohttp.ClientSession, path: str, token: str = "", **headers: str) -> tuple[int, str]:
    """The status, and the code of the outcome."""
    shown = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.get(f"/fhir/R4/{path}", headers=shown | headers) as answer:
        body = await answer.json(content_type=None)
        if answer.status == 401:
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        if body["resourceType"] != "OperationOutcome":
            return answer.status, ""
        get_fhir_model_class("OperationOutcome").model_validate(body)
        return answer.status, str(body["issue"][0]["code"])


async def test_who_comes_in_is_known_and_may_ask(http: aiohttp.ClientSession, token_of: Callable[..., str]) -> None:
    path = f"Patient/{logical_id(RENEE)}"
    assert await status(http, path) == (401, "login")
    assert await status(http, path, "x.y.z") == (401, "login")
    assert await status(http, path, token_of(exp=int(time.time()) - 100)) == (401, "login")
    assert await status(http, path, token_of(aud="billing")) == (401, "login")
    assert await status(http, path, Authorization="Basic eDp5") == (401, "login")
    assert await status(http, path, token_of("engineer")) == (403, "forbidden")
    assert await status(http, path, token_of("nurse")) == (200, "")


async def test_scopes_narrow_what_the_role_opens(http: aiohttp.ClientSession, token_of: Callable[..., str]) -> None:
    whom = logical_id(RENEE)
    narrow = token_of(scope="openid user/Observation.rs")
    assert await status(http, f"Observation?patient={whom}", narrow) == (200, "")
    assert await status(http, f"Condition?patient={whom}", narrow) == (403, "forbidden")
    assert await status(http, f"Patient/{whom}", narrow) == (403, "forbidden")
    own = token_of(scope="patient/*.read", patient=whom)
    # Under all numbers of the person.
    path = f"/fhir/R4/Observation?patient={whom}&_count=500"
    assert entries(await pages(http, own, path), "match") == entries(await pages(http, token_of(), path), "match")
    assert await status(http, f"Condition?patient={whom}", own) == (200, "")
    assert await status(http, f"Condition?patient={logical_id(CLOSED)}", own) == (403, "forbidden")
    # The role opens nothing, whatever the scope says.
    assert await status(http, f"Patient/{whom}", token_of("engineer", scope="user/*.rs")) == (403, "forbidden")


async def test_everything_has_what_the_scopes_open(http: aiohttp.ClientSession, token_of: Callable[..., str]) -> None:
    token = token_of(scope="user/Patient.r user/AllergyIntolerance.rs")
    read = await pages(http, token, f"/fhir/R4/Patient/{logical_id(RENEE)}/$everything")
    told = [each["resourceType"] for mode in ("match", "include") for each in entries(read, mode)]
    assert set(told) == {"Patient", "AllergyIntolerance"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Patient/nobody", (404, "not-found")),
        ("Patient/NOBODY.NORTH", (404, "not-found")),
        ("Patient/NOBODY.NORTH/$everything", (404, "not-found")),
        ("Observation/nobody", (404, "not-found")),
        (f"{ISSUE}/nobody", (404, "not-found")),
        (f"{ISSUE}/00000000-0000-0000-0000-000000000001", (404, "not-found")),
        (f"{ISSUE}?patient=GW1.NORTH&status=final", (400, "not-supported")),
        (f"{ISSUE}?patient=GW1.NORTH&_page=1.2.x", (400, "invalid")),
        ("Nothing/1", (404, "not-found")),
        ("nothing/at/all", (404, "not-found")),
        ("Observation", (400, "invalid")),
        ("Observation?patient=GW1.NORTH&_sort=date", (400, "not-supported")),
        ("Observation?patient=GW1.NORTH&_page=1.2.x", (400, "invalid")),
        ("Observation?patient=GW1.NORTH&_count=none", (400, "invalid")),
        ("Patient?name=Door", (400, "not-supported")),
        ("Patient?identifier=GW1", (400, "invalid")),
        ("Patient/GW1.NORTH/$everything?start=2020", (400, "not-supported")),
        ("Observation/x?_summary=true", (400, "not-supported")),
        ("Observation?patient=GW1.NORTH&_format=xml", (406, "not-supported")),
        ("Patient/%00.NORTH", (404, "not-found")),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_fhirs_own_terms(
    http: aiohttp.ClientSession, token_of: Callable[..., str], path: str, expected: tuple[int, str]
) -> None:
    assert await status(http, path, token_of()) == expected


async def test_nothing_is_found_of_who_is_not_known(http: aiohttp.ClientSession, token_of: Callable[..., str]) -> None:
    for kind in ("Observation", ISSUE):
        read = await pages(http, token_of(), f"/fhir/R4/{kind}?patient=NOBODY.NORTH")
        assert (read[0]["total"], remarks(read)) == (0, ["no such patient is known"])
    read = await pages(http, token_of(), "/fhir/R4/Patient?identifier=urn:longitude:authority:NORTH|NOBODY")
    assert read[0]["total"] == 0


async def test_nothing_is_written_and_only_json_is_spoken(
    http: aiohttp.ClientSession, fhir: AsyncFHIRClient, token_of: Callable[..., str]
) -> None:
    with pytest.raises(OperationOutcome) as refused:
        await fhir.resource("Observation", status="final").save()
    assert refused.value.resource["issue"][0]["code"] == "not-supported"
    assert await status(http, "Patient/GW1.NORTH", token_of(), Accept="application/fhir+xml") == (406, "not-supported")


async def looks(running: RunningStack, subject: str, patient: cf.PatientKey, topic: Topic[Any] = RECORD_READ) -> Look:
    """The first of somebody's looks at a patient through the gateway."""
    consumer = AIOKafkaConsumer(
        topic.name, **reaching(running.endpoints["LONGITUDE_KAFKA"]), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            async for record in consumer:
                look: Look = topic.payload.FromString(record.value).look
                if (look.process, look.subject, look.patient) == ("gateway", subject, patient):
                    return look
    finally:
        await consumer.stop()
    raise AssertionError


async def test_each_read_is_a_look_of_the_person_also_a_refused_one(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    stated = (await timeline(running, CLOSED))[0].fact
    await status(http, f"Patient/{logical_id(CLOSED)}", token_of("nurse"))
    await status(http, f"Provenance/{stated.fact_id}", token_of("consultant"))
    await status(http, f"Patient/{logical_id(CLOSED)}", token_of("researcher"))
    of = {name: await looks(running, name, CLOSED) for name in ("nurse", "consultant", "researcher")}
    assert [look.patient for look in of.values()] == [CLOSED] * 3
    assert [look.rpc for look in of.values()] == ["GetTimeline", "GetFact", "GetTimeline"]
    assert [look.outcome for look in of.values()] == [LOOK_OUTCOME_SHOWN] * 2 + [LOOK_OUTCOME_REFUSED]
    assert of["consultant"].object_id == stated.fact_id


CRITICAL = "urn:longitude:knowledge|criticals/potassium"


def day(ago: int = 0) -> str:
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


async def issues(http: aiohttp.ClientSession, token: str, key: cf.PatientKey, query: str = "") -> list[dict[str, Any]]:
    listed = entries(await pages(http, token, f"/fhir/R4/{ISSUE}?patient={logical_id(key)}{query}"), "match")
    for each in listed:
        get_fhir_model_class(ISSUE).model_validate(each)
    return listed


async def resource(http: aiohttp.ClientSession, token: str, path: str) -> dict[str, Any]:
    async with http.get(f"/fhir/R4/{path}", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 200
        return dict(await answer.json(content_type=None))


async def test_what_rules_see_is_an_issue_under_one_id_until_it_is_resolved(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    key, token = cf.PatientKey(id=f"GW-{uuid.uuid4().hex[:8]}", authority="NORTHWEST"), token_of()
    seen = partial(issues, http, token, key, f"&code={CRITICAL}")
    record = RecordBuilder(key)
    record.potassium("6.7", day(3))
    await send(running, told(record))
    (opened,) = await until(seen)
    assert (opened["status"], opened["severity"]) == ("preliminary", "high")
    assert opened["patient"] == {"reference": f"Patient/{logical_id(key)}"}
    assert "6.7 mmol/L" in opened["detail"]
    (evidence,) = opened["evidence"][0]["detail"]
    assert (await resource(http, token, evidence["reference"]))["valueQuantity"]["value"] == 6.7
    assert await resource(http, token, f"{ISSUE}/{opened['id']}") == opened
    assert await issues(http, token, key, f"&_id={opened['id']}") == [opened]
    since = opened["meta"]["lastUpdated"]
    assert opened in await issues(http, token, key, f"&_lastUpdated=ge{since}&identified=ge{day()}")
    assert await issues(http, token, key, "&_lastUpdated=gt2100") == []
    async with channel(running.endpoints["LONGITUDE_REASONING"]) as channel_:
        act = concern_pb2.ActOnConcernRequest(concern_id=opened["id"], reason="the sample was haemolysed")
        act.action = concern_pb2.CONCERN_ACTION_DISMISS
        await ReasoningServiceStub(channel_).ActOnConcern(act)
    (dismissed,) = await seen()
    assert (dismissed["id"], dismissed["status"]) == (opened["id"], "final")
    assert dismissed["mitigation"][0]["action"]["text"] == "dismissed: the sample was haemolysed"
    assert dismissed["meta"]["lastUpdated"] > since
    record.potassium("7.1", day(2))
    await send(running, told(record))
    (again,) = await until(partial(_in_state, seen, "preliminary"))
    assert "mitigation" not in again
    record.potassium("4.4", day(1))
    await send(running, told(record))
    (over,) = await until(partial(_in_state, seen, "final"))
    assert over["id"] == opened["id"]
    assert over["identifiedDateTime"] == opened["identifiedDateTime"]


async def _in_state(seen: Callable[..., Any], status: str) -> list[dict[str, Any]]:
    return [each for each in await seen() if each["status"] == status]


async def test_each_issue_is_once_in_the_pages(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    whole = await issues(http, token_of(), RENEE)
    assert len(whole) > 2
    assert await issues(http, token_of(), RENEE, "&_count=2") == whole
    # Under another number of hers, and beside the statements.
    assert await issues(http, token_of(), LAKESIDE) == whole
    path = f"/fhir/R4/Patient/{logical_id(RENEE)}/$everything?_type={ISSUE},Encounter&_count=3"
    both = entries(await pages(http, token_of(), path), "match")
    assert [each for each in both if each["resourceType"] == ISSUE] == whole
    assert {each["resourceType"] for each in both} == {ISSUE, "Encounter"}
    drug = next(each["implicated"][0]["reference"] for each in whole if "implicated" in each)
    of_drug = await issues(http, token_of(), RENEE, f"&implicated={drug}")
    assert of_drug == [each for each in whole if {"reference": drug} in each.get("implicated", [])]


async def test_an_issue_that_rests_on_what_is_sensitive_is_counted_and_not_described(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    key = cf.PatientKey(id=f"GW-{uuid.uuid4().hex[:8]}", authority="NORTHWEST")
    record = RecordBuilder(key)
    record.medication("1433868", "dolutegravir", day(2))
    record.medication("49247", "dofetilide", day(1))
    await send(running, told(record))
    hidden = partial(issues, http, token_of("developer"), key)
    await until(hidden)
    async with asyncio.timeout(30):
        while not (of_both := [each for each in await hidden() if "dolutegravir" in each["detail"]]):
            await asyncio.sleep(0.2)
    read = await pages(http, token_of(), f"/fhir/R4/{ISSUE}?patient={logical_id(key)}")
    assert "dolutegravir" not in str(read)
    assert of_both[0]["id"] not in {each["id"] for each in entries(read, "match")}
    (closed,) = [text for text in remarks(read) if "closed to you" in text]
    assert int(closed.rpartition(" ")[2]) >= len(of_both)
    path = f"{ISSUE}/{of_both[0]['id']}"
    assert await status(http, path, token_of()) == (404, "not-found")
    assert await status(http, path, token_of("developer")) == (200, "")


async def test_an_issue_is_read_by_whom_role_and_scope_let_and_each_time_it_is_a_look(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    whom = logical_id(RENEE)
    name = (await issues(http, token_of("nurse"), RENEE))[0]["id"]
    assert await status(http, f"{ISSUE}?patient={whom}") == (401, "login")
    assert await status(http, f"{ISSUE}?patient={whom}", token_of("engineer")) == (403, "forbidden")
    narrow = token_of(scope="user/Observation.rs")
    assert await status(http, f"{ISSUE}?patient={whom}", narrow) == (403, "forbidden")
    assert await status(http, f"{ISSUE}/{name}", narrow) == (403, "forbidden")
    other = token_of(scope=f"patient/{ISSUE}.rs", patient=logical_id(CLOSED))
    assert await status(http, f"{ISSUE}/{name}", other) == (403, "forbidden")
    assert await status(http, f"{ISSUE}?_id={name}", token_of(scope=f"user/{ISSUE}.rs")) == (200, "")
    look = await looks(running, "nurse", RENEE, REASONING_RECORD_READ)
    assert (look.rpc, look.outcome) == ("ListConcerns", LOOK_OUTCOME_SHOWN)
    refused = await looks(running, PEOPLE["engineer"].subject, RENEE, REASONING_RECORD_READ)
    assert refused.outcome == LOOK_OUTCOME_REFUSED


async def test_while_reasoning_is_away_the_statements_are_told_and_that_more_is_missing(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    await asyncio.to_thread(running.kill, "reasoning")
    try:
        path = f"/fhir/R4/Patient/{logical_id(CLOSED)}/$everything"
        read = await pages(http, token_of("developer"), path)
        assert {each["resourceType"] for each in entries(read, "match")} >= {"Condition", "Encounter"}
        assert [each["issue"][0]["code"] for each in entries(read, "outcome")] == ["incomplete"]
        for wanted in (f"{ISSUE}?patient={logical_id(RENEE)}", f"{ISSUE}/{uuid.uuid4()}"):
            assert await status(http, wanted, token_of()) == (503, "transient")
    finally:
        await asyncio.to_thread(running.start, "reasoning")
    async with asyncio.timeout(30):
        while await status(http, f"{ISSUE}?patient={logical_id(RENEE)}", token_of()) != (200, ""):
            await asyncio.sleep(0.2)


async def test_a_stranger_who_sends_too_much_or_too_slowly_is_cut(running: RunningStack) -> None:
    host, _, port = running.endpoints["LONGITUDE_HTTPS"].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=trust())
    writer.write(b"GET /fhir/R4/metadata HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 64 * 1024)
    assert b" 400 " in await reader.readline()
    writer.close()
    reader, writer = await asyncio.open_connection(host, int(port), ssl=trust())
    writer.write(b"GET /fhir/R4/meta")
    begun = time.monotonic()
    assert await reader.read() == b""
    assert 8 < time.monotonic() - begun < 20
    writer.close()


async def test_no_plain_text_and_no_old_tls(running: RunningStack) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://{running.endpoints['LONGITUDE_HTTPS']}/fhir/R4/metadata")
    old = trust()
    with warnings.catch_warnings(action="ignore"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    host, _, port = running.endpoints["LONGITUDE_HTTPS"].rpartition(":")
    with pytest.raises((ssl.SSLError, OSError)):
        await asyncio.open_connection(host, int(port), ssl=old)


async def test_while_memory_is_away_it_says_when_to_ask_again(
    http: aiohttp.ClientSession, running: RunningStack, token_of: Callable[..., str]
) -> None:
    await asyncio.to_thread(running.kill, "memory")
    try:
        path = f"/fhir/R4/Patient/{logical_id(RENEE)}"
        async with http.get(path, headers={"Authorization": f"Bearer {token_of()}"}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        async with http.get("/fhir/R4/metadata") as answer:
            assert answer.status == 200
        async with (
            aiohttp.ClientSession() as plain,
            plain.get(f"http://{running.endpoints['LONGITUDE_GATEWAY_HTTP']}/readyz") as page,
        ):
            assert (page.status, await page.text()) == (503, "memory\n")
    finally:
        await asyncio.to_thread(running.start, "memory")
    async with asyncio.timeout(20):
        while await status(http, f"Patient/{logical_id(RENEE)}", token_of()) != (200, ""):
            await asyncio.sleep(0.2)


def test_the_log_names_nobody(running: RunningStack) -> None:
    """Ids of patients stand in paths; the last test, which sees what all others left there."""
    told = running.logs("gateway")
    assert told
    assert [one for one in ("NW-204417", "204417", logical_id(RENEE), "GW1") if one in told] == []
