"""The verifier's Merkle arithmetic against known vectors and a tree built the literal way."""

import hashlib

import pytest
from client.errors import VerificationError
from client.verify.merkle import RootBuilder, leaf_hash, node_hash, verify_consistency, verify_inclusion
from hypothesis import given
from hypothesis import strategies as st

# The certificate-transparency test suite.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOT_8 = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
ROOT_6 = bytes.fromhex("76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef")
LEAF_5_OF_8 = [
    bytes.fromhex("bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"),
    bytes.fromhex("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"),
    bytes.fromhex("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
]
FROM_6_TO_8 = [
    bytes.fromhex("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"),
    bytes.fromhex("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"),
    bytes.fromhex("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
]


def split_of(count: int) -> int:
    split = 1
    while split * 2 < count:
        split *= 2
    return split


def root_of(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = split_of(len(leaves))
    return node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def path_of(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = split_of(len(leaves))
    if index < split:
        return [*path_of(index, leaves[:split]), root_of(leaves[split:])]
    return [*path_of(index - split, leaves[split:]), root_of(leaves[:split])]


def growth_of(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = split_of(len(leaves))
    if old <= split:
        return [*growth_of(old, leaves[:split], whole=whole), root_of(leaves[split:])]
    return [*growth_of(old - split, leaves[split:], whole=False), root_of(leaves[:split])]


def some_leaves(count: int) -> list[bytes]:
    return [n.to_bytes(2, "big") for n in range(count)]


def built(leaves: list[bytes]) -> bytes:
    builder = RootBuilder()
    for leaf in leaves:
        builder.add(leaf)
    return builder.root()


def test_the_known_root_is_rebuilt() -> None:
    assert built(LEAVES) == ROOT_8
    assert built(LEAVES[:6]) == ROOT_6


def test_the_known_proofs_hold() -> None:
    verify_inclusion(leaf_hash(LEAVES[5]), 5, 8, LEAF_5_OF_8, ROOT_8)
    verify_consistency(6, ROOT_6, 8, ROOT_8, FROM_6_TO_8)


@given(st.integers(0, 300))
def test_the_builder_gives_the_literal_root(size: int) -> None:
    assert built(some_leaves(size)) == root_of(some_leaves(size))


@given(st.integers(1, 300), st.data())
def test_every_true_inclusion_proof_holds(size: int, data: st.DataObject) -> None:
    leaves, index = some_leaves(size), data.draw(st.integers(0, size - 1))
    verify_inclusion(leaf_hash(leaves[index]), index, size, path_of(index, leaves), root_of(leaves))


@given(st.integers(0, 300), st.data())
def test_every_true_consistency_proof_holds(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    leaves = some_leaves(new)
    proof = growth_of(old, leaves) if old else []
    verify_consistency(old, root_of(leaves[:old]), new, root_of(leaves), proof)


@given(st.integers(2, 200), st.data())
def test_an_inclusion_proof_changed_in_any_way_fails(size: int, data: st.DataObject) -> None:
    leaves, index = some_leaves(size), data.draw(st.integers(0, size - 1))
    proof, root = path_of(index, leaves), root_of(leaves)
    place = data.draw(st.integers(0, len(proof) - 1))
    altered = [*proof[:place], bytes(32), *proof[place + 1 :]]
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    for wrong_leaf, wrong_index, wrong_size, wrong_proof in (
        (leaves[index], index, size, altered),
        (leaves[index], index, size, proof[:-1]),
        (leaves[index], index, size, [*proof, bytes(32)]),
        (leaves[index], other, size, proof),
        (leaves[other], index, size, proof),
        (leaves[index], size, size, proof),
    ):
        with pytest.raises(VerificationError):
            verify_inclusion(leaf_hash(wrong_leaf), wrong_index, wrong_size, wrong_proof, root)


@given(st.integers(2, 200), st.data())
def test_a_log_that_was_rewritten_cannot_be_shown_as_grown(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    leaves = some_leaves(new)
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [*leaves[:changed], b"other", *leaves[changed + 1 :]]
    with pytest.raises(VerificationError):
        verify_consistency(old, root_of(leaves[:old]), new, root_of(rewritten), growth_of(old, rewritten))


@given(st.integers(2, 200), st.data())
def test_a_consistency_proof_of_another_length_fails(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    leaves = some_leaves(new)
    proof = growth_of(old, leaves)
    for wrong in (proof[:-1], [*proof, bytes(32)]):
        with pytest.raises(VerificationError):
            verify_consistency(old, root_of(leaves[:old]), new, root_of(leaves), wrong)


def test_a_log_that_shrank_is_told() -> None:
    with pytest.raises(VerificationError, match="shrank from 8 to 6"):
        verify_consistency(8, ROOT_8, 6, ROOT_6, [])


def test_two_roots_of_one_size_are_told() -> None:
    with pytest.raises(VerificationError, match="two roots"):
        verify_consistency(8, ROOT_8, 8, ROOT_6, [])
