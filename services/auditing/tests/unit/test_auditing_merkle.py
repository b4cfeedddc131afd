"""The tree against the vectors of certificate-transparency and against RFC 6962 read literally."""

import hashlib

import pytest
from auditing.domain.merkle import EMPTY_ROOT, Frontier, append, fold, hash_children, hash_leaf, perfect_root
from auditing.domain.proofs import Range, consistency, inclusion, tile_runs
from hypothesis import given
from hypothesis import strategies as st

# Leaves and roots of the certificate-transparency test suite (merkle_tree_test).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


def literal_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, as it stands there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hash_leaf(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hash_children(literal_root(leaves[:split]), literal_root(leaves[split:]))


def literal_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*literal_path(index, leaves[:split]), literal_root(leaves[split:])]
    return [*literal_path(index - split, leaves[split:]), literal_root(leaves[:split])]


def literal_subproof(old: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [literal_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*literal_subproof(old, leaves[:split], whole=whole), literal_root(leaves[split:])]
    return [*literal_subproof(old - split, leaves[split:], whole=False), literal_root(leaves[:split])]


def tree_of(leaves: list[bytes]) -> Frontier:
    return append(Frontier(), map(hash_leaf, leaves))[0]


def hashes_of(ranges: list[Range], leaves: list[bytes]) -> list[bytes]:
    """Range hashes by way of tile runs, as the service reads them."""
    stored = {(node.height, node.index): node.hash for node in append(Frontier(), map(hash_leaf, leaves))[1]}
    return [
        fold(
            [
                perfect_root([stored[run.level * 8, run.first + n] for n in range(run.count)])
                for run in tile_runs(leaves_of_range)
            ]
        )
        for leaves_of_range in ranges
    ]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_known_vectors(size: int) -> None:
    assert tree_of(LEAVES[:size]).root().hex() == ROOTS[size - 1]


def test_the_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[3]]), (2, 3, [ROOTS[1]]), (1, 5, [ROOTS[0], B, D])],
)
def test_inclusion_proofs_are_those_of_the_known_vectors(index: int, size: int, path: list[str]) -> None:
    assert [h.hex() for h in hashes_of(inclusion(index, size), LEAVES)] == path


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D]), (0, 8, []), (8, 8, [])],
)
def test_consistency_proofs_are_those_of_the_known_vectors(old: int, new: int, path: list[str]) -> None:
    assert [h.hex() for h in hashes_of(consistency(old, new), LEAVES)] == path


@given(st.lists(st.binary(max_size=4), max_size=600), st.data())
def test_growing_in_any_batches_gives_the_literal_root(leaves: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    frontier, _ = append(tree_of(leaves[:cut]), map(hash_leaf, leaves[cut:]))
    assert frontier.root() == literal_root(leaves)


@given(st.integers(1, 700), st.data())
def test_every_inclusion_proof_is_the_literal_path(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = [n.to_bytes(2, "big") for n in range(size)]
    assert hashes_of(inclusion(index, size), leaves) == literal_path(index, leaves)


@given(st.integers(1, 700), st.data())
def test_every_consistency_proof_is_the_literal_one(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    leaves = [n.to_bytes(2, "big") for n in range(new)]
    assert hashes_of(consistency(old, new), leaves) == literal_subproof(old, leaves, whole=True)


def test_a_frontier_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="3 leaves has 2 peaks"):
        Frontier(3, (bytes(32),))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (8, 8), (-1, 3)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        inclusion(index, size)


def test_a_tree_does_not_shrink() -> None:
    with pytest.raises(ValueError, match="cannot grow"):
        consistency(9, 8)
