"""Reading bodies: bounded, packed or not, in any pieces."""

import asyncio
import gzip
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.body import MOST_MEMBERS, BodyTooLarge, BodyUnreadable, ClientGone, read_body, unpack

LIMIT = 1000
DISCONNECT = {"type": "http.disconnect"}


def received(*parts: bytes | None, headers: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    """Read a body that arrives in these parts; None is a client that goes away."""
    messages: list[dict[str, Any]] = [
        DISCONNECT if part is None else {"type": "http.request", "body": part, "more_body": index < len(parts) - 1}
        for index, part in enumerate(parts)
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return asyncio.run(read_body(receive, headers, LIMIT))


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=10))
def test_pieces_are_put_together(parts: list[bytes]) -> None:
    assert received(*parts) == b"".join(parts)


@pytest.mark.parametrize("parts", [(b"x" * LIMIT,), (b"x" * 400, b"x" * 600), (b"", b"x" * LIMIT, b"")])
def test_exactly_the_limit_fits(parts: tuple[bytes, ...]) -> None:
    assert len(received(*parts)) == LIMIT


@pytest.mark.parametrize("parts", [(b"x" * 1001,), (b"x" * 500, b"x" * 501), (b"x" * LIMIT, b"", b"x")])
def test_more_is_too_large(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(BodyTooLarge):
        received(*parts)


def test_the_rest_is_not_read_once_it_is_too_large() -> None:
    with pytest.raises(BodyTooLarge):
        received(b"x" * 600, b"x" * 600, None)


def test_an_announced_size_is_believed_before_anything_is_read() -> None:
    with pytest.raises(BodyTooLarge):
        received(headers=((b"content-length", b"1001"),))


@pytest.mark.parametrize("parts", [(None,), (b"x", None), (b"x", b"x", None)])
def test_a_client_that_goes_away_is_told_apart(parts: tuple[bytes | None, ...]) -> None:
    with pytest.raises(ClientGone):
        received(*parts)


class TestPacked:
    @pytest.mark.parametrize(
        ("encoding", "pack"),
        [
            (b"gzip", gzip.compress),
            (b"x-gzip", gzip.compress),
            (b" GZIP ", gzip.compress),
            (b"deflate", zlib.compress),
            (b"identity", bytes),
        ],
    )
    def test_bodies_are_unpacked(self, encoding: bytes, pack: Any) -> None:
        packed = pack(b"hello" * 100)
        assert received(packed[:7], packed[7:], headers=((b"content-encoding", encoding),)) == b"hello" * 100

    def test_the_limit_holds_for_what_comes_out(self) -> None:
        assert len(unpack(gzip.compress(b"x" * LIMIT), b"gzip", LIMIT)) == LIMIT
        with pytest.raises(BodyTooLarge):
            unpack(gzip.compress(b"x" * (LIMIT + 1)), b"gzip", LIMIT)

    def test_a_bomb_is_not_unpacked_beyond_the_limit(self) -> None:
        bomb = gzip.compress(b"\0" * 50_000_000)
        assert len(bomb) < 100_000
        with pytest.raises(BodyTooLarge):
            unpack(bomb, b"gzip", LIMIT)

    @pytest.mark.parametrize("fill", [b"", b"\0" * 100])
    def test_gzip_of_several_members_is_one_body(self, fill: bytes) -> None:
        members = b"".join(gzip.compress(part) for part in (b"one", b"", b"two" * 30))

        assert unpack(members + fill, b"gzip", LIMIT) == b"one" + b"two" * 30

    def test_the_limit_holds_over_all_members(self) -> None:
        member = gzip.compress(b"x" * 500)

        assert len(unpack(member * 2, b"gzip", LIMIT)) == LIMIT
        with pytest.raises(BodyTooLarge):
            unpack(member * 2 + gzip.compress(b"x"), b"gzip", LIMIT)

    def test_a_flood_of_empty_members_is_refused(self) -> None:
        with pytest.raises(BodyUnreadable):
            unpack(gzip.compress(b"") * (MOST_MEMBERS + 1), b"gzip", LIMIT)

    @pytest.mark.parametrize("rest", [b"x", b"\0x", gzip.compress(b"more", mtime=0)[:-1]])
    def test_what_follows_must_be_a_member_too(self, rest: bytes) -> None:
        with pytest.raises(BodyUnreadable):
            unpack(gzip.compress(b"hello") + rest, b"gzip", LIMIT)

    @given(st.binary(max_size=LIMIT))
    def test_deflate_is_read_with_and_without_its_header(self, body: bytes) -> None:
        bare = zlib.compressobj(wbits=-15)

        assert unpack(zlib.compress(body), b"deflate", LIMIT) == body
        assert unpack(bare.compress(body) + bare.flush(), b"deflate", LIMIT) == body

    def test_a_bomb_costs_no_more_memory_than_the_limit(self) -> None:
        bomb = gzip.compress(b"\0" * 200_000_000)
        tracemalloc.start()
        with pytest.raises(BodyTooLarge):
            unpack(bomb, b"gzip", 1_000_000)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak_bytes < 5_000_000

    @pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, gzip", b"\xff"])
    def test_unknown_ways_of_packing_are_refused(self, encoding: bytes) -> None:
        with pytest.raises(BodyUnreadable):
            unpack(b"{}", encoding, LIMIT)

    @given(st.binary(max_size=60))
    def test_any_bytes_are_unpacked_or_refused(self, body: bytes) -> None:
        for encoding in (b"gzip", b"deflate"):
            try:
                unpack(body, encoding, LIMIT)
            except BodyUnreadable:
                continue

    @given(st.integers(0, 40))
    def test_a_cut_body_is_refused(self, cut: int) -> None:
        packed = gzip.compress(b"hello" * 10)
        with pytest.raises(BodyUnreadable):
            unpack(packed[: len(packed) - 1 - cut], b"gzip", LIMIT)
