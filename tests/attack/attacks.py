"""The attacks. Each raises AssertionError with what it reached; one that returns was held off."""

import asyncio
import hashlib
import io
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import grpc
import psycopg
import tritonclient.grpc as triton
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from client import kafka
from client.cli.signature import check
from client.errors import VerificationError
from client.people import sign
from contracts.kafka import KafkaAccess
from contracts.signatures import Signer
from contracts.topics import ASSESSMENT_DRAFTED, EPISODE_CLOSED, MESSAGE_RECEIVED
from eventbus import Outgoing
from google.protobuf.message import Message
from longitude.auditing.v1 import auditing_service_pb2 as auditing
from longitude.ingestion.v1.events_pb2 import MessageHeader, MessageReceived, PatientIdentity
from longitude.memory.v1 import memory_service_pb2 as memory
from longitude.reasoning.v1 import reasoning_service_pb2 as reasoning
from longitude.reasoning.v1.assessment_pb2 import REVIEW_DECISION_ACCEPTED as ACCEPTED
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement, Assessment
from longitude.reasoning.v1.events_pb2 import AssessmentDrafted, EpisodeClosed
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import PatientKey
from longitude.record.v1.object_pb2 import ObjectRef
from minio.error import MinioException
from native_stack import authority
from native_stack.people import PEOPLE, SigningKeys, Tokens
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pynetdicom import AE
from servicekit.objects import connect
from servicekit.settings import IdentitySettings
from testkit import MllpClient, bombs
from tritonclient.utils import InferenceServerException
from urllib3.exceptions import HTTPError

from tests.attack import doors

Lines = Mapping[str, str]
Attack = Callable[[Lines, Path], Coroutine[Any, Any, None]]

_PATIENT = PatientKey(id="ATTACKED", authority="NORTH")
_READ = memory.GetTimelineRequest(patient=_PATIENT)
_OPEN = {"OK", "NOT_FOUND"}
_BUCKET, _EPISODE = "reasoning-episodes", b"an episode"
_APPEND_ONLY = {
    "memory": ("fact", "identity_link", "opening", "evidence_step"),
    "reasoning": ("assessment", "review", "episode"),
    "auditing": ("leaf", "look"),
    "imaging": ("analysis",),
}
_CHANGES = (
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "CREATE TRIGGER other BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "TRUNCATE {table} CASCADE",
    "DROP TABLE {table} CASCADE",
    "DELETE FROM {table}",
    "SELECT FROM {table} FOR UPDATE",
    "CREATE TABLE {table}_other ()",
)
# Of memory: what is kept of patients, and what would lay it bare.
_PATIENTS = ("fact", "fact_group", "entry", "contradiction", "note_text", "note_chunk", "text_queue")
_LOOSENING = (
    "ALTER TABLE entry DISABLE ROW LEVEL SECURITY",
    "DROP POLICY stated ON entry",
    "ALTER POLICY stated ON entry USING (true)",
    "CREATE POLICY other ON entry USING (true)",
    "CREATE OR REPLACE FUNCTION guard_edition(place text) RETURNS void LANGUAGE sql AS ''",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "SET ROLE verifier",
    "SELECT guard_edition('memory')",
)
_DOUBLED = "The metformin dose must be doubled to 4000 mg per day."


async def a_call_without_identity_reads_a_patient(lines: Lines, _: Path) -> None:
    for channel in doors.nobody(lines):
        async with channel:
            code, _answer = await doors.status(channel, "MEMORY", "GetTimeline", _READ)
        assert code == "UNAVAILABLE", f"answered {code}"
    code, _answer = await doors.call(lines, "MEMORY", "GetTimeline", _READ)
    assert code == "UNAUTHENTICATED", f"a process without a person was answered {code}"


async def a_token_that_the_issuer_never_gave_reads_a_patient(lines: Lines, folder: Path) -> None:
    forged = Tokens(SigningKeys(folder / "own-keys.json"), lines["LONGITUDE_ISSUER"]).of(PEOPLE["physician"])
    head, body, signature = forged["access_token"].split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"  # {"alg":"none","typ":"at+jwt"}
    for token in (forged["access_token"], f"{unsigned}.{body}.", f"{head}.{body}.{signature[::-1]}"):
        metadata = (("authorization", f"Bearer {token}"),)
        code, _answer = await doors.call(lines, "MEMORY", "GetTimeline", _READ, metadata)
        assert code == "UNAUTHENTICATED", f"answered {code}"


async def a_nurse_signs_a_review(lines: Lines, folder: Path) -> None:
    nurse = await asyncio.to_thread(doors.as_role, lines, "nurse", folder)
    request = reasoning.ReviewRequest(assessment_id="any", reviewer="Dr. Ada Lindqvist")
    code, _answer = await doors.call(lines, "REASONING", "Review", request, nurse)
    assert code == "PERMISSION_DENIED", f"answered {code}"


async def a_read_leaves_no_trace(lines: Lines, folder: Path) -> None:
    """By a refused role, by nobody at all, and of somebody who is not there."""
    unseen = PatientKey(id=f"UNSEEN-{uuid.uuid4().hex[:8]}", authority="NORTH")
    read = memory.GetTimelineRequest(patient=unseen)
    researcher = await asyncio.to_thread(doors.as_role, lines, "researcher", folder)
    for who in (researcher, doors.somebody(lines), ()):
        await doors.call(lines, "MEMORY", "GetTimeline", read, who)
    asked = auditing.ListLooksRequest(patients=[unseen])
    answered = []
    for _second in range(30):
        code, answer = await doors.call(lines, "AUDITING", "ListLooks", asked, doors.somebody(lines))
        assert code == "OK", f"who looked is answered {code}"
        answered = list(answer.leaves)
        if len(answered) == 3:
            return
        await asyncio.sleep(1)
    raise AssertionError(f"{len(answered)} of 3 looks are in the log")


async def what_nobody_opened_is_read(lines: Lines, folder: Path) -> None:
    """By whoever may read the record at all, through every read of it."""
    patient = PatientKey(id=f"CLOSED-{uuid.uuid4().hex[:8]}", authority="NORTH")
    told = (
        f"MSH|^~\\&|EHR|NORTH|L|L|20240301101500||ADT^A01|{patient.id}|P|2.5.1\r"
        f"PID|1||{patient.id}^^^NORTH||Test^Person\rPV1|1|I\r"
        "DG1|1||F32.9^Depressive episode^I10C||20240301|A\rDG1|2||E11.9^Diabetes^I10C||20240301|A\r"
    )
    async with MllpClient(lines["LONGITUDE_MLLP"], timeout_s=30) as client:
        assert b"MSA|AA" in await client.send(told.encode()), "the message was not taken"
    nurse = await asyncio.to_thread(doors.as_role, lines, "nurse", folder)
    reads = {
        "GetTimeline": memory.GetTimelineRequest(patient=patient),
        "Find": memory.FindRequest(patient=patient),
        "GetContext": memory.GetContextRequest(patient=patient, question="What is known?", token_budget=2_000),
    }
    for rpc, read in reads.items():
        code, answer = await doors.call(lines, "MEMORY", rpc, read, nurse)
        for _second in range(60):
            if code != "NOT_FOUND":
                break
            await asyncio.sleep(1)
            code, answer = await doors.call(lines, "MEMORY", rpc, read, nurse)
        assert code == "OK", f"{rpc} was answered {code}"
        assert "E11.9" in str(answer), f"{rpc} shows nothing at all"
        assert "F32.9" not in str(answer), f"{rpc} shows it"
        assert answer.view.left_out, f"{rpc} counts nothing"


async def one_person_makes_evidence_speak(lines: Lines, _: Path) -> None:
    passage = Passage(
        passage_id="attack-metformin", title="Metformin", text=_DOUBLED, source="nobody", source_kind="guideline"
    )
    passage.published, passage.licence = "2026", "none"
    load = memory.LoadEvidenceRequest(passages=[passage], unsigned_local=True)
    code, _answer = await doors.call(lines, "MEMORY", "LoadEvidence", load)
    assert code == "UNAUTHENTICATED", f"loading without a person was answered {code}"
    who = doors.somebody(lines)
    code, loaded = await doors.call(lines, "MEMORY", "LoadEvidence", load, who)
    assert code == "OK", f"importing into quarantine was answered {code}"
    release = memory.ReleaseEvidenceRequest(edition_ids=loaded.edition_ids, reason="because")
    if loaded.edition_ids:
        code, _answer = await doors.call(lines, "MEMORY", "ReleaseEvidence", release, who)
        assert code != "OK", "who imported it released it"
    search = memory.SearchEvidenceRequest(query=_DOUBLED, limit=5)
    _code, answer = await doors.call(lines, "MEMORY", "SearchEvidence", search, who)
    assert all(hit.passage.text != _DOUBLED for hit in answer.hits), "it is found"


async def an_event_of_a_stranger_reaches_kafka(lines: Lines, folder: Path) -> None:
    authority.issue(folder / "own-authority", ["ingestion"])
    strange = authority.settings(folder / "own-authority", "ingestion")
    trusting = strange | {"LONGITUDE_TLS_AUTHORITY": lines["LONGITUDE_TLS_AUTHORITY"]}
    own = {name: value for name, value in lines.items() if name.startswith("LONGITUDE_TLS_")}
    user = {"LONGITUDE_KAFKA_USER": "ingestion", "LONGITUDE_KAFKA_PASSWORD": "guessed"}
    for variables in ({"LONGITUDE_PLAINTEXT": "true"}, trusting | user, own, own | user):
        access = KafkaAccess.of(variables).options()
        producer = AIOKafkaProducer(bootstrap_servers=lines["LONGITUDE_KAFKA"], request_timeout_ms=5000, **access)
        try:
            await producer.start()
            await producer.send_and_wait(MESSAGE_RECEIVED.name, b"forged")
        except KafkaError:
            continue
        finally:
            await producer.stop()
        raise AssertionError(f"a record was taken from {sorted(variables)}")


async def a_service_that_was_taken_over_speaks_as_another(lines: Lines, _: Path) -> None:
    """It has its own key and, somehow, the right to write anywhere: a message for which nobody signs, and its own."""
    patients = [PatientKey(id=f"FORGED-{uuid.uuid4().hex[:8]}", authority="NORTH") for _ in range(2)]
    for signed_by, patient in zip(("", "learning"), patients, strict=True):
        event = MessageReceived(header=MessageHeader(control_id="F"), patient=PatientIdentity(key=patient))
        sent = Outgoing(MESSAGE_RECEIVED, str(uuid.uuid4()), b"k", event, datetime.now(UTC))
        await _publish(lines, sent, signed_by)
    # What comes after them in their partitions has been taken.
    await _is_answered(lines)
    await asyncio.sleep(5)
    for patient in patients:
        asked = memory.GetTimelineRequest(patient=patient)
        code, _answer = await doors.call(lines, "MEMORY", "GetTimeline", asked, doors.somebody(lines))
        assert code == "NOT_FOUND", f"the record of who was never sent was answered {code}"


async def an_altered_assessment_stays_signed(lines: Lines, _: Path) -> None:
    """Whoever owns the database changes a word of what a physician signed."""
    made = await _drafted(lines)
    review = reasoning.ReviewRequest(assessment_id=made.assessment_id, reviewer="attacked", decision=ACCEPTED)
    sign(lines, review, _bytes(made))
    code, _answer = await doors.call(lines, "REASONING", "Review", review, doors.somebody(lines))
    assert code == "OK", f"signing was answered {code}"
    altered = Assessment.FromString(_bytes(made))
    altered.statements[0].text = "Takes metformin 4000 mg."
    change = "UPDATE assessment SET assessment = %s WHERE assessment_id = %s"
    try:
        _execute(lines, change, _bytes(altered), made.assessment_id)
        asked = reasoning.GetAssessmentRequest(assessment_id=made.assessment_id)
        _code, stored = await doors.call(lines, "REASONING", "GetAssessment", asked, doors.somebody(lines))
    finally:
        _execute(lines, change, _bytes(made), made.assessment_id)
    try:
        check(stored.assessment_bytes, stored.review_bytes, None)
    except VerificationError:
        return
    raise AssertionError("the signature holds")


async def an_altered_episode_stays_unseen(lines: Lines, folder: Path) -> None:
    """Whoever has the keys of the object store exchanges an episode that an event names."""
    made = await _drafted(lines)
    (folder / "var").mkdir()
    (folder / "var/stack.env").write_text("".join(f"{name}={text}\n" for name, text in lines.items()))
    try:
        _put(lines, made.episode_id, b"another episode")
        told = await asyncio.to_thread(doors.audit, folder)
    finally:
        _put(lines, made.episode_id, _EPISODE)
    assert f"{_BUCKET}/{made.episode_id}: the object is altered" in told, "audit verify does not see it"


async def _drafted(lines: Lines) -> Assessment:
    """An assessment with its episode, stored and published as reasoning does it; the caller leaves it as it was."""
    name = str(uuid.uuid4())
    statement = AssessedStatement(statement_id="s", text="Takes metformin 500 mg.", released=True)
    made = Assessment(assessment_id=name, episode_id=name, patient=_PATIENT, statements=[statement])
    _put(lines, name, _EPISODE)
    digest = hashlib.sha256(_EPISODE).hexdigest()
    episode = ObjectRef(bucket=_BUCKET, key=name, sha256=digest, size=len(_EPISODE))
    row = (name, b"", _PATIENT.id, _PATIENT.authority, _bytes(made), datetime.now(UTC))
    _execute(lines, "INSERT INTO assessment VALUES (%s, %s, %s, %s, %s, %s)", *row)
    _execute(lines, "INSERT INTO episode VALUES (%s, %s, %s)", name, name, _bytes(episode))
    closed = EpisodeClosed(episode_id=name, assessment_id=name, patient=_PATIENT, episode=episode)
    for topic, event in ((ASSESSMENT_DRAFTED, AssessmentDrafted(assessment=made)), (EPISODE_CLOSED, closed)):
        await _publish(lines, Outgoing(topic, str(uuid.uuid4()), b"k", event, datetime.now(UTC)), "reasoning")
    return made


async def _publish(lines: Lines, sent: Outgoing, signed_by: str) -> None:
    """Through the command's right to write anywhere, signed by a service or by nobody."""
    headers = sent.headers()
    if signed_by:
        signer = Signer.of(authority.settings(Path(lines["LONGITUDE_TLS_AUTHORITY"]).parent, signed_by))
        assert signer is not None
        headers |= signer.headers(sent.topic.name, sent.key, headers, sent.value())
    wire = [(name, text.encode()) for name, text in headers.items()]
    await kafka.publish(lines["LONGITUDE_KAFKA"], sent.topic.name, sent.key, sent.value(), wire)


def _put(lines: Lines, name: str, data: bytes) -> None:
    keys = (lines["LONGITUDE_OBJECTS_ACCESS_KEY"], lines["LONGITUDE_OBJECTS_SECRET_KEY"])
    store = connect(lines["LONGITUDE_OBJECTS"], *keys)
    store.put_object(_BUCKET, name, io.BytesIO(data), len(data))


def _execute(lines: Lines, query: str, *values: object) -> None:
    """As the owner of reasoning's tables."""
    dsn = lines["LONGITUDE_POSTGRES_REASONING"]
    with psycopg.connect(dsn, options="-c search_path=reasoning", autocommit=True) as connection:
        connection.execute(query.encode(), values)


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


async def a_service_comes_into_postgresql_as_another(lines: Lines, _: Path) -> None:
    """With its own certificate, with passwords that were seen, in plain text."""
    own = _parameters(lines["LONGITUDE_POSTGRES_AUDITING_SERVICE"])
    for whose in ("MEMORY_SERVICE", "MEMORY", "VERIFIER", "POSTGRES"):
        dsn = lines[f"LONGITUDE_POSTGRES_{whose}"]
        tries = [_with(dsn, sslmode="disable"), _with(dsn, sslcert="", sslkey="")]
        without = urlsplit(dsn)._replace(netloc=f"{urlsplit(dsn).username}@{dsn.rpartition('@')[2].partition('/')[0]}")
        tries.append(_with(without.geturl(), **own))
        for each in tries:
            try:
                psycopg.connect(each).close()
            except psycopg.OperationalError:
                continue
            raise AssertionError(f"somebody came in as {urlsplit(each).username}")


async def a_service_reads_or_writes_what_is_anothers_in_the_object_store(lines: Lines, _: Path) -> None:
    """With its own key and certificate; and who has none, in plain text and by TLS."""
    endpoint, own = lines["LONGITUDE_OBJECTS"], lines["LONGITUDE_OBJECTS_IMAGING_KEY"]
    client = connect(endpoint, "imaging", own, variables=lines)
    tries: dict[str, Callable[[], object]] = {
        "it read the log": lambda: client.get_object("auditing-log", "checkpoint"),
        "it listed episodes": lambda: list(client.list_objects(_BUCKET)),
        "it wrote raw messages": lambda: client.put_object("ingestion-raw", "forged", io.BytesIO(b"x"), 1),
        "it deleted raw messages": lambda: client.remove_object("ingestion-raw", "forged"),
        "it made a bucket": lambda: client.make_bucket("imaging-more"),
        "plain text was answered": lambda: connect(
            endpoint, "imaging", own, variables={"LONGITUDE_PLAINTEXT": "true"}
        ).bucket_exists("imaging-analyses"),
        "nobody was asked for a certificate": lambda: connect(
            endpoint, "imaging", own, variables={"LONGITUDE_OBJECTS_AUTHORITY": lines["LONGITUDE_TLS_AUTHORITY"]}
        ).bucket_exists("imaging-analyses"),
    }
    for what, attempt in tries.items():
        try:
            await asyncio.to_thread(attempt)
        except (MinioException, HTTPError):
            continue
        raise AssertionError(what)


def _parameters(dsn: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(dsn).query))


def _with(dsn: str, **parameters: str) -> str:
    return urlsplit(dsn)._replace(query=urlencode(_parameters(dsn) | parameters, safe="/")).geturl()


async def a_service_switches_off_what_keeps_its_tables(lines: Lines, _: Path) -> None:
    """Whoever has the password of a service: what its tables keep is neither changed, taken away nor laid bare."""
    for service, tables in _APPEND_ONLY.items():
        dsn = lines[f"LONGITUDE_POSTGRES_{service.upper()}_SERVICE"]
        with psycopg.connect(dsn, options=f"-c search_path={service}", autocommit=True) as connection:
            assert connection.execute("SELECT count(*) >= 0 FROM schema_migration").fetchone() == (True,)
            for statement in (each.format(table=table, owner=service) for table in tables for each in _CHANGES):
                try:
                    connection.execute(statement.encode())
                except psycopg.errors.InsufficientPrivilege:
                    continue
                raise AssertionError(f"{service}: {statement}")


async def a_service_reads_patients_whom_it_did_not_name(lines: Lines, _: Path) -> None:
    """Whoever has the password of memory, or a query of it that forgot whose record it reads."""
    await _is_answered(lines)
    dsn, options = lines["LONGITUDE_POSTGRES_MEMORY_SERVICE"], "-c search_path=memory"
    with psycopg.connect(lines["LONGITUDE_POSTGRES_MEMORY"], options=options, autocommit=True) as owner:
        for _second in range(60):
            if owner.execute("SELECT count(*) > 0 FROM entry").fetchone() == (True,):
                break
            await asyncio.sleep(1)
        else:
            raise AssertionError("nothing is recorded")
    with psycopg.connect(dsn, options=options, autocommit=True) as connection:
        for statement in _LOOSENING:
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
                raise AssertionError(statement)
        for table in _PATIENTS:
            query = f"SELECT * FROM {table}".encode()
            # Nothing is stated: a record is refused, not taken for empty.
            with suppress(psycopg.errors.UndefinedObject, psycopg.errors.InvalidTextRepresentation):
                assert connection.execute(query).fetchall() == [], f"{table} is read"
                assert table not in {"fact", "entry"}, f"{table} is shown empty"
            connection.execute("SET row_security = off")
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(query)
                raise AssertionError(f"{table} is read without its policies")
            connection.execute("RESET row_security")


async def one_person_asks_without_end_or_goes_through_patients(lines: Lines, folder: Path) -> None:
    """A stolen token: it is slowed down, and the look at one patient too many says so in the log."""
    consultant = await asyncio.to_thread(doors.as_role, lines, "consultant", folder)
    feed = f"GUESSED-{uuid.uuid4().hex[:8]}"
    guessed = [PatientKey(id=str(number), authority=feed) for number in range(IdentitySettings().patients_most + 1)]
    async with grpc.aio.secure_channel(lines["LONGITUDE_MEMORY"], doors.credentials(lines)) as channel:
        for patient in guessed:
            read = memory.GetTimelineRequest(patient=patient)
            code, _answer = await doors.status(channel, "MEMORY", "GetTimeline", read, consultant)
            assert code == "NOT_FOUND", f"somebody who is not there was answered {code}"
        asked = auditing.ListLooksRequest(patients=guessed[-1:])
        leaves: list[bytes] = []
        for _second in range(30):
            _code, answer = await doors.call(lines, "AUDITING", "ListLooks", asked, doors.somebody(lines))
            if leaves := [leaf.leaf_data for leaf in answer.leaves]:
                break
            await asyncio.sleep(1)
        assert [b'"beyond"' in leaf for leaf in leaves] == [True], f"{len(leaves)} leaves, and none says how many"
        # What a physician may not ask costs least, and is a call as well.
        review = memory.ReviewOpeningRequest()
        for _round in range(200):
            calls = (doors.status(channel, "MEMORY", "ReviewOpening", review, consultant) for _ in range(50))
            if any(code == "RESOURCE_EXHAUSTED" for code, _answer in await asyncio.gather(*calls)):
                break
        else:
            raise AssertionError("10,000 calls of one person were answered")
    code, _answer = await doors.call(lines, "MEMORY", "GetTimeline", _READ, doors.somebody(lines))
    assert code in _OPEN, f"somebody else was answered {code}"


async def code_is_loaded_into_triton(lines: Lines, _: Path) -> None:
    said = await asyncio.to_thread(_load, lines)
    assert "control" in said, f"gRPC: {said or 'loaded'}"
    if "LONGITUDE_TRITON_HTTP" in lines:
        url = f"http://{lines['LONGITUDE_TRITON_HTTP']}/v2/repository/models/embedder/load"
        assert await asyncio.to_thread(_http_status, url) in {401, 403}, "HTTP loaded it"


def _load(lines: Lines) -> str:
    """Why it was refused; empty when it was not."""
    code = {"file:1/model.py": b"raise SystemExit"}
    with triton.InferenceServerClient(lines["LONGITUDE_TRITON"], creds=doors.credentials(lines)) as client:
        try:
            client.load_model("embedder", files=code, config="{}", client_timeout=10)
        except InferenceServerException as error:
            return str(error.message())
    return ""


def _http_status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, data=b"{}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


async def a_bomb_over_dicom_takes_ingestion_down(lines: Lines, _: Path) -> None:
    status = await asyncio.to_thread(_store, lines["LONGITUDE_DICOM"], bombs.deflated_dicom(600))
    assert status != 0, "it was stored"
    await _is_answered(lines)


def _store(endpoint: str, data: bytes) -> int:
    host, _, port = endpoint.rpartition(":")
    dataset = dcmread(DicomBytesIO(data), defer_size=1024)
    entity = AE(ae_title="ATTACK")
    entity.add_requested_context(dataset.file_meta.MediaStorageSOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate(host, int(port))
    try:
        return int(association.send_c_store(dataset).Status) if association.is_established else -1
    finally:
        association.release()


async def a_message_that_grows_takes_ingestion_down(lines: Lines, _: Path) -> None:
    async with MllpClient(lines["LONGITUDE_MLLP"], timeout_s=60) as client:
        answer = await client.send(bombs.oru(bombs.escapes(15).decode()))
    assert b"MSA|AE" in answer or b"MSA|AR" in answer, "it was accepted"
    await _is_answered(lines)


async def idle_connections_lock_everybody_out(lines: Lines, _: Path) -> None:
    host, _colon, port = lines["LONGITUDE_MLLP"].rpartition(":")
    held = []
    try:
        for _number in range(150):
            idle = socket.socket()
            idle.settimeout(5)
            # Another peer than those who are to be answered.
            idle.bind(("127.0.0.2", 0))
            await asyncio.to_thread(idle.connect, (host, int(port)))
            held.append(idle)
        await _is_answered(lines)
    finally:
        for idle in held:
            idle.close()


async def an_acknowledgement_moves_the_cursor(lines: Lines, _: Path) -> None:
    async with MllpClient(lines["LONGITUDE_MLLP"]) as client:
        answer = await client.send(bombs.oru("1", control_id="\x1b[2J\u202eX"))
    assert not any(byte < 0x20 and byte not in b"\r\t" for byte in answer), "control characters in the ACK"
    assert "\u202e".encode() not in answer, "a mark of direction in the ACK"


async def a_text_with_nul_is_an_internal_error(lines: Lines, _: Path) -> None:
    request = memory.GetTimelineRequest(patient=PatientKey(id="A\0B", authority="NORTH"))
    code, _answer = await doors.call(lines, "MEMORY", "GetTimeline", request, doors.somebody(lines))
    assert code == "INVALID_ARGUMENT", f"answered {code}"


async def a_request_that_inflates_fills_memory(lines: Lines, _: Path) -> None:
    secure = doors.credentials(lines)
    squeezed = grpc.Compression.Gzip
    async with grpc.aio.secure_channel(lines["LONGITUDE_MEMORY"], secure, compression=squeezed) as channel:
        code, _answer = await doors.status(channel, "MEMORY", "GetTimeline", _READ, doors.somebody(lines))
    assert code == "UNIMPLEMENTED", f"answered {code}"


async def _is_answered(lines: Lines) -> None:
    async with MllpClient(lines["LONGITUDE_MLLP"], timeout_s=30) as client:
        assert b"MSA|AA" in await client.send(bombs.oru("5.1", kind="NM", control_id="after")), "nobody is answered"


ATTACKS: tuple[Attack, ...] = (
    a_call_without_identity_reads_a_patient,
    a_token_that_the_issuer_never_gave_reads_a_patient,
    a_nurse_signs_a_review,
    a_read_leaves_no_trace,
    what_nobody_opened_is_read,
    one_person_makes_evidence_speak,
    an_event_of_a_stranger_reaches_kafka,
    a_service_that_was_taken_over_speaks_as_another,
    an_altered_assessment_stays_signed,
    an_altered_episode_stays_unseen,
    a_service_comes_into_postgresql_as_another,
    a_service_reads_or_writes_what_is_anothers_in_the_object_store,
    a_service_switches_off_what_keeps_its_tables,
    a_service_reads_patients_whom_it_did_not_name,
    code_is_loaded_into_triton,
    a_bomb_over_dicom_takes_ingestion_down,
    a_message_that_grows_takes_ingestion_down,
    idle_connections_lock_everybody_out,
    an_acknowledgement_moves_the_cursor,
    one_person_asks_without_end_or_goes_through_patients,
    a_text_with_nul_is_an_internal_error,
    a_request_that_inflates_fills_memory,
)
