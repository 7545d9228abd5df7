"""Decompression, and its limits of memory. The data is compressed by both clients' own codecs."""

import tracemalloc
from collections.abc import Callable

import aiokafka.codec
import kafka.codec
import pytest
import zstandard

from connect.records.codecs import UnpackError, unpack

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
TEXT = b'{"kind":"purchase"}' * 200_000
MIB = 2**20


@pytest.mark.parametrize(
    ("codec", "pack"),
    [
        (GZIP, aiokafka.codec.gzip_encode),
        (GZIP, kafka.codec.gzip_encode),
        (SNAPPY, aiokafka.codec.snappy_encode),
        (SNAPPY, kafka.codec.snappy_encode),
        (SNAPPY, lambda data: kafka.codec.snappy_encode(data, xerial_compatible=False)),
        (LZ4, aiokafka.codec.lz4_encode),
        (LZ4, kafka.codec.lz4_encode),
        (ZSTD, aiokafka.codec.zstd_encode),
        (ZSTD, kafka.codec.zstd_encode),
        (ZSTD, zstandard.ZstdCompressor(write_content_size=False).compress),
        (ZSTD, lambda data: kafka.codec.zstd_encode(data[:5]) + kafka.codec.zstd_encode(data[5:])),
        (GZIP, lambda data: kafka.codec.gzip_encode(data[:5]) + kafka.codec.gzip_encode(data[5:])),
        (LZ4, lambda data: kafka.codec.lz4_encode(data[:5]) + kafka.codec.lz4_encode(data[5:])),
    ],
)
def test_what_any_client_packed_is_unpacked(codec: int, pack: Callable[[bytes], bytes]) -> None:
    assert unpack(codec, bytes(pack(TEXT))) == TEXT


PACKED = {
    GZIP: kafka.codec.gzip_encode,
    SNAPPY: kafka.codec.snappy_encode,
    LZ4: kafka.codec.lz4_encode,
    ZSTD: kafka.codec.zstd_encode,
}


@pytest.mark.parametrize("codec", PACKED)
def test_a_bomb_is_refused_before_it_is_in_memory(codec: int) -> None:
    bomb = bytes(PACKED[codec](bytes(64 * MIB)))
    tracemalloc.start()
    with pytest.raises(UnpackError, match="unpack to more than 1048576"):
        unpack(codec, bomb, MIB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.parametrize("codec", PACKED)
def test_as_much_as_may_be_is_unpacked(codec: int) -> None:
    assert unpack(codec, bytes(PACKED[codec](bytes(MIB))), MIB) == bytes(MIB)


def test_a_snappy_block_that_claims_more_than_it_has_is_refused() -> None:
    # 2^30 bytes, says the block, and goes on with two.
    with pytest.raises(UnpackError):
        unpack(SNAPPY, b"\x80\x80\x80\x80\x04ab")


@pytest.mark.parametrize("codec", PACKED)
@pytest.mark.parametrize("spoil", [lambda data: b"nope" + data, lambda data: data[:40] + b"?" * 40])
def test_broken_data_are_refused(codec: int, spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnpackError):
        unpack(codec, spoil(bytes(PACKED[codec](TEXT[:5000]))))


@pytest.mark.parametrize("codec", [GZIP, LZ4])
def test_data_that_end_too_early_are_refused(codec: int) -> None:
    with pytest.raises(UnpackError):
        unpack(codec, bytes(PACKED[codec](TEXT))[:-9])


@pytest.mark.parametrize("codec", [5, 6, 7])
def test_a_codec_that_is_none_of_kafkas_is_refused(codec: int) -> None:
    with pytest.raises(UnpackError, match=f"codec {codec} is none"):
        unpack(codec, b"data")
