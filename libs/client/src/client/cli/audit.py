"""`longitude audit`: check the log oneself, with nothing taken on the service's word but what a proof shows."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from longitude.record.v1.fact_pb2 import PatientKey
from rich.console import Console

from client import atna, forms, kafka, looks, stack
from client.api import AuditingClient, MemoryClient
from client.cli.page import ACCENT, BAD, GOOD, QUIET, row, styled, table
from client.cli.session import Json, Patient, margin, patient_key, print_json, print_json_line, run, screen
from client.consumer import AuditConsumer, VerifiedRecord
from client.errors import NotThereError, UnreachableError
from client.records import is_logged
from client.stores import NOTHING, Stores
from client.terminal import Text, visible_json
from client.verify.event import ProvenLeaf, prove_event, require_growth
from client.verify.log import verify_log
from client.verify.note import VerifierKey
from client.verify.pins import Pin, Pins, key_to_trust
from client.verify.report import Report
from client.verify.witness import Quorum


class Shape(StrEnum):
    """How looks are told."""

    PAGE = "page"
    JSON = "json"
    FHIR = "fhir"
    SYSLOG = "syslog"


app = typer.Typer(help="Prove what happened, and that nothing is missing.", no_args_is_help=True)

Key = Annotated[
    str,
    typer.Option(envvar="LONGITUDE_LOG_KEY", help="Verifier key to pin; default: the one pinned at the first use."),
]
Wait = Annotated[float, typer.Option(min=0, help="Seconds that the log gets to cover the newest records.")]
STAGES = {"leaves": "rebuilding the tree", "records": "hashing Kafka's records"}


@app.command()
def verify(
    *,
    key: Key = "",
    wait: Wait = 30.0,
    allow_expired: Annotated[
        bool, typer.Option("--allow-expired", help="Leaves whose records Kafka deleted by retention are no failure.")
    ] = False,
    witness: Annotated[
        list[str] | None,
        typer.Option(envvar="LONGITUDE_WITNESS_KEYS", help="Keys of witnesses; default: those of the stack."),
    ] = None,
    quorum: Annotated[int, typer.Option(min=0, help="So many must have cosigned; 0: more than half.")] = 0,
    log_only: Annotated[bool, typer.Option("--log-only", help="Without tables and objects.")] = False,
    json: Json = False,
) -> None:
    """Rebuild the tree from all leaves, re-hash every record of Kafka, look for records without a leaf, and hold tables
    and objects against what was logged.
    """
    keys = witness or stack.find().variables.get("LONGITUDE_WITNESS_KEYS", "").split()
    run(_verify(key, wait, keys, quorum, allow_expired=allow_expired, log_only=log_only, as_json=json))


async def _verify(
    key: str, wait: float, witnesses: list[str], quorum: int, *, allow_expired: bool, log_only: bool, as_json: bool
) -> bool:
    doors, asked = stack.find(), Quorum.of(witnesses, quorum)
    stores = NOTHING if log_only else Stores.of(doors.variables)
    pins = Pins(doors.state)
    first_use = not key and pins.load() is None
    console = margin()
    async with (
        AuditingClient.connect(doors.endpoint("auditing")) as auditing,
        kafka.connect(doors.endpoint("kafka")) as reader,
    ):
        with console.status("reading") as status:

            def progress(stage: str, done: int, total: int) -> None:
                if done % 500 == 0:
                    status.update(f"{STAGES[stage]} [{QUIET}]{done} of {total}[/]")

            report = await verify_log(
                auditing, reader, pins, key=key, wait=wait, progress=progress, quorum=asked, stores=stores
            )
    if report.expired and not allow_expired:
        report.problem(f"{report.expired} records were deleted from Kafka: their payloads cannot be hashed again")
    if as_json:
        print_json(_report_form(report))
    else:
        _show_report(screen(), report, first_use=first_use)
    return report.holds


def _report_form(report: Report) -> forms.Form:
    return {
        "size": report.size,
        "root": report.root.hex(),
        "verified": report.verified,
        "missing": report.missing,
        "redelivered": report.redelivered,
        "differing": report.differing,
        "expired": report.expired,
        "heads": report.heads,
        "cosigned": report.cosigned,
        "tiles": report.tiles,
        "unsigned": report.unsigned,
        "rows": report.rows,
        "bad_rows": report.bad_rows,
        "untold_rows": report.untold,
        "objects": report.objects,
        "bad_objects": report.bad_objects,
        "not_looked_at": report.unseen,
        "origin": report.origin,
        "problems": report.problems,
        "holds": report.holds,
    }


def _show_report(console: Console, report: Report, *, first_use: bool) -> None:
    page = table(f"Log {report.origin}", "", ">", "")
    row(page, "leaves", str(report.size), "rebuilt into the signed root")
    row(page, "payloads", str(report.verified), "records of Kafka with the logged SHA-256")
    row(
        page,
        "redelivered",
        str(report.redelivered),
        f"further records of events above, {report.differing} in other words",
    )
    row(
        page, "missing", styled(str(report.missing), BAD if report.missing else GOOD), "records of Kafka without a leaf"
    )
    row(page, "expired", str(report.expired), "leaves whose records Kafka has deleted")
    row(page, "tree heads", str(report.heads), "signed before, all of them part of this tree")
    row(page, "witnesses", str(report.cosigned), "cosigned the newest tree head")
    row(page, "tiles", str(report.tiles), "objects of the log, as its leaves give them")
    row(page, "unsigned", styled(str(report.unsigned), BAD if report.unsigned else QUIET), "not by the topic's owner")
    for name, same in report.rows.items():
        row(page, name, str(same), "rows that hold what was logged")
    row(page, "objects", str(report.objects), "objects with the logged SHA-256")
    if report.bad_rows or report.bad_objects:
        bad = f"{report.bad_rows} rows, {report.bad_objects} objects"
        row(page, "not as logged", styled(bad, BAD), "altered, deleted, or never logged")
    console.print(page)
    if report.untold:
        console.print(styled(f"{report.untold} rows: Kafka may have deleted their events", QUIET))
    if report.unseen:
        console.print(styled(f"not looked at: {' and '.join(report.unseen)}", QUIET))
    console.print(f"root  {report.root.hex()}", style=QUIET, soft_wrap=True)
    for problem in report.problems:
        console.print(styled(f"✗ {problem}", BAD), soft_wrap=True)
    if report.holds:
        console.print(styled("✓ the log holds", GOOD))
    if first_use:
        console.print("the log's key was taken on first use and is pinned now", style=QUIET)


@app.command()
def prove(event_id: Annotated[str, typer.Argument(metavar="EVENT_ID")], *, key: Key = "", json: Json = False) -> None:
    """Prove that one event is in the log: its leaf, and each hash on the way to the signed root."""
    run(_prove(event_id, key, as_json=json))


async def _prove(event_id: str, key: str, *, as_json: bool) -> bool:
    doors = stack.find()
    pin = Pins(doors.state).load()
    async with AuditingClient.connect(doors.endpoint("auditing")) as auditing:
        trusted = await _trusted_key(auditing, key, pin)
        proof = await prove_event(auditing, event_id, trusted)
        if pin and pin.head and pin.head.size <= proof.head.size:
            await require_growth(auditing, pin.head, proof.head)
    if as_json:
        print_json(_proof_form(proof))
    else:
        _show_proof(screen(), proof)
    return True


async def _trusted_key(auditing: AuditingClient, key: str, pin: Pin | None) -> VerifierKey:
    shown = await auditing.checkpoint()
    return key_to_trust(shown.verifier_key, key, pin, shown.older_keys)


def _proof_form(proof: ProvenLeaf) -> forms.Form:
    return {
        "leaf": forms.leaf(proof.leaf),
        "audit_event": json_text.loads(proof.leaf.leaf_data),
        "leaf_hash": proof.leaf_hash.hex(),
        "path": [{"side": s.side, "hash": s.sibling.hex(), "result": s.result.hex()} for s in proof.steps],
        "size": proof.head.size,
        "root": proof.head.root.hex(),
        "origin": proof.head.origin,
        "holds": True,
    }


def _show_proof(console: Console, proof: ProvenLeaf) -> None:
    leaf = proof.leaf
    recorded = forms.leaf(leaf)["recorded"]
    place = f" {leaf.topic}/{leaf.partition}/{leaf.offset} {recorded}"
    console.print(Text.assemble((leaf.event_type, "bold"), place), soft_wrap=True)
    console.print(f"payload SHA-256  {leaf.payload_sha256.hex()}", style=QUIET, soft_wrap=True)
    if leaf.signature:
        good = leaf.signature == "good"
        told = f"signature {leaf.signature}{f', by {leaf.signer}' if leaf.signer else ''}"
        console.print(styled(told, QUIET if good else BAD), soft_wrap=True)
    page = table(f"Leaf {leaf.index} of {proof.head.size}", ">step", "joined with", "gives")
    row(page, "leaf", "", _short(proof.leaf_hash))
    for number, step in enumerate(proof.steps, 1):
        row(page, str(number), f"{_short(step.sibling)} on the {step.side}", styled(_short(step.result), ACCENT))
    console.print(page)
    console.print(f"signed root  {proof.head.root.hex()}", style=QUIET, soft_wrap=True)
    console.print(styled(f"✓ the last hash is the root that {proof.head.origin} signed", GOOD), soft_wrap=True)


def _short(digest: bytes) -> str:
    return f"{digest.hex()[:16]}…"


@app.command()
def consume(
    *,
    topic: Annotated[list[str] | None, typer.Option(help="Only these topics; default: all that are logged.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Stop after so many; 0: all there are now.")] = 0,
    key: Key = "",
    wait: Wait = 30.0,
    json: Json = False,
) -> None:
    """Read events, each handed over only after its proof was verified (one JSON line each with --json)."""
    run(_consume(set(topic or ()), limit, key, wait, as_json=json))


async def _consume(topics: set[str], limit: int, key: str, wait: float, *, as_json: bool) -> bool:
    doors = stack.find()
    pin = Pins(doors.state).load()
    async with (
        AuditingClient.connect(doors.endpoint("auditing")) as auditing,
        kafka.connect(doors.endpoint("kafka")) as reader,
    ):
        consumer = AuditConsumer(auditing, await _trusted_key(auditing, key, pin), pin.head if pin else None)
        span = await reader.span(lambda name: is_logged(name) and (not topics or name in topics))
        count = 0
        async for verified in consumer.verified(span, wait=wait):
            _show_verified(verified, as_json=as_json)
            count += 1
            if count == limit:
                break
    margin().print(f"{count} events verified, {consumer.redelivered} redelivered", style=QUIET)
    return True


@app.command()
def access(
    patient: Patient,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many looks, the newest.")] = 100,
    form: Annotated[
        Shape, typer.Option("--format", help="fhir: AuditEvents, a line each; syslog: ATNA messages, framed for TLS.")
    ] = Shape.PAGE,
    key: Key = "",
    json: Json = False,
) -> None:
    """List who looked at a patient's record, or tried to, each look with a proof that it is in the log."""
    run(_access(patient, limit, Shape.JSON if json else form, key))


async def _access(patient: str, limit: int, shape: Shape, key: str) -> bool:
    doors = stack.find()
    identifiers = await _identifiers(patient, doors)
    pin = Pins(doors.state).load()
    async with AuditingClient.connect(doors.endpoint("auditing")) as auditing:
        trusted = await _trusted_key(auditing, key, pin)
        proofs = await looks.proven(auditing, identifiers, limit, trusted)
        if proofs and pin and pin.head and pin.head.size <= proofs[0].head.size:
            await require_growth(auditing, pin.head, proofs[0].head)
    leaves = [proof.leaf for proof in proofs]
    if shape in (Shape.FHIR, Shape.SYSLOG):
        for leaf in leaves:
            if shape is Shape.FHIR:
                sys.stdout.buffer.write(visible_json(leaf.leaf_data.decode()).encode() + b"\n")
            else:
                sys.stdout.buffer.write(atna.frame(leaf))
        sys.stdout.buffer.flush()
        return True
    stated = await _reasons(leaves, doors)
    forms_ = [looks.form(leaf) | {"reason": stated.get(leaf.index)} for leaf in leaves]
    if shape is Shape.JSON:
        print_json(forms_)
    else:
        _show_looks(screen(), patient, forms_)
    return True


async def _identifiers(patient: str, doors: stack.Stack) -> list[PatientKey]:
    """All of the person's; the one alone where memory does not know it, or does not answer."""
    asked = patient_key(patient)
    try:
        async with MemoryClient.connect(doors.endpoint("memory")) as memory:
            return await memory.identifiers(asked)
    except NotThereError:
        return [asked]
    except UnreachableError:
        margin().print("memory does not answer: looks at linked identifiers are not listed", style=QUIET)
        return [asked]


async def _reasons(leaves: Sequence[Leaf], doors: stack.Stack) -> dict[int, str]:
    """Shown without Kafka too, which alone has the words."""
    wanted = [leaf for leaf in leaves if looks.has_reason(leaf)]
    if not wanted:
        return {}
    try:
        async with kafka.connect(doors.endpoint("kafka")) as reader:
            return {leaf.index: await looks.reason(leaf, reader) for leaf in wanted}
    except UnreachableError:
        return {}


def _show_looks(console: Console, patient: str, listed: Sequence[forms.Form]) -> None:
    page = table(f"Looks at {patient}", "when", "who", "as", "through", "asked", "purpose", "saw", "")
    for look in listed:
        outcome = look["outcome"] if look["outcome"] == "shown" else f"{look['outcome']} {look['status'] or ''}".strip()
        if look["beyond"]:
            outcome += f", beyond {look['beyond']}"
        saw = f"{look['shown']}" + (f", {look['left_out']} left out" if look["left_out"] else "")
        row(
            page,
            look["looked_at"][:19].replace("T", " "),
            look["subject"] or "",
            ", ".join(look["roles"]),
            f"{look['process']} -> {look['service']}",
            look["rpc"] or "",
            " ".join(filter(None, (look["purpose"], look["reason"]))),
            " ".join([saw, *look["kinds"], *look["categories"]]) if look["outcome"] == "shown" else "",
            styled(outcome, GOOD if look["outcome"] == "shown" and not look["beyond"] else BAD),
        )
    console.print(page)
    console.print(styled(f"✓ {len(listed)} looks, each proven to be in the log", GOOD), soft_wrap=True)


def _show_verified(verified: VerifiedRecord, *, as_json: bool) -> None:
    if as_json:
        print_json_line(forms.leaf(verified.proof.leaf))
        return
    leaf = verified.proof.leaf
    line = f"✓ leaf {leaf.index:>6}  {leaf.topic}/{leaf.partition}/{leaf.offset}  {leaf.event_id}"
    screen().print(styled(line, ""), soft_wrap=True)
