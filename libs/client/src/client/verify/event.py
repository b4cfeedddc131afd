"""Proving one event: that its leaf stands in a tree whose head the log signed."""

from __future__ import annotations

from dataclasses import dataclass

from longitude.auditing.v1.auditing_service_pb2 import Leaf

from client.api.auditing import AuditingClient
from client.errors import VerificationError
from client.verify.leaf import check_leaf
from client.verify.merkle import inclusion_steps, leaf_hash, verify_consistency
from client.verify.note import Checkpoint, VerifierKey, open_checkpoint


@dataclass(frozen=True, slots=True)
class Step:
    """One hash of the path: on which side it joins, and what comes out."""

    side: str
    sibling: bytes
    result: bytes


@dataclass(frozen=True, slots=True)
class ProvenLeaf:
    """A leaf whose inclusion was verified here."""

    leaf: Leaf
    leaf_hash: bytes
    head: Checkpoint
    steps: tuple[Step, ...]


async def prove_event(auditing: AuditingClient, event_id: str, key: VerifierKey) -> ProvenLeaf:
    """Fetch an inclusion proof and verify all of it; VerificationError when it does not hold."""
    response = await auditing.inclusion_proof(event_id)
    head = open_checkpoint(response.checkpoint, key)
    if response.tree_size != head.size:
        raise VerificationError("the proof is for another tree than the checkpoint")
    if response.leaf.event_id != event_id:
        raise VerificationError("the proof is for another event")
    check_leaf(response.leaf)
    start = leaf_hash(response.leaf.leaf_data)
    steps = tuple(Step(*step) for step in inclusion_steps(start, response.leaf.index, head.size, response.hashes))
    if (steps[-1].result if steps else start) != head.root:
        raise VerificationError("the inclusion proof leads to another root than the signed one")
    return ProvenLeaf(response.leaf, start, head, steps)


async def require_growth(auditing: AuditingClient, old: Checkpoint, new: Checkpoint) -> None:
    """VerificationError unless the log of `old` was only added to until `new`."""
    if old == new:
        return
    hashes = await auditing.consistency_proof(old.size, new.size) if old.size < new.size else []
    verify_consistency(old.size, old.root, new.size, new.root, hashes)
