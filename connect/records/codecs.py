"""Decompression of record batches in bounded memory, for Kafka's four codecs; claimed sizes are not trusted."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

import cramjam
import lz4.frame
import zstandard

# Brokers accept batches of 1 MiB by default. JSON compresses to a tenth or a twentieth, a decompression bomb to a
# thousandth.
UNPACKED_MAX_BYTES: Final = 32 * 2**20
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
# The magic bytes before snappy's blocks, as Java's and aiokafka's producers write them; two version numbers follow.
_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES: Final = 16


class UnpackError(ValueError):
    """A batch can't be decompressed: unknown codec, broken data, or too large."""


def unpack(codec: int, packed: bytes, most: int = UNPACKED_MAX_BYTES) -> bytes:
    """Decompress data of Kafka's codec number ``codec`` (0 to 4).

    Raises UnpackError before more than ``most`` bytes and one block of the codec are in memory.
    """
    try:
        decode = _DECODERS[codec]
    except KeyError:
        raise UnpackError(f"codec {codec} is none of Kafka's") from None
    try:
        unpacked = decode(packed, most)
    except UnpackError:
        raise
    except Exception as error:
        raise UnpackError(f"broken {decode.__name__[1:]} data: {error}") from error
    if len(unpacked) > most:
        raise UnpackError(f"{len(packed)} bytes unpack to more than {most}")
    return unpacked


def _plain(packed: bytes, most: int) -> bytes:
    return packed


def _gzip(packed: bytes, most: int) -> bytes:
    unpacked = bytearray()
    while packed and len(unpacked) <= most:
        member = zlib.decompressobj(_GZIP_WINDOW)
        unpacked += member.decompress(packed, most + 1 - len(unpacked))
        if not member.eof and len(unpacked) <= most:
            raise UnpackError("gzip data end too early")
        packed = member.unused_data
    return bytes(unpacked)


def _snappy(packed: bytes, most: int) -> bytes:
    blocks = list(_blocks(packed)) if packed.startswith(_XERIAL) else [packed]
    if sum(cramjam.snappy.decompress_raw_len(block) for block in blocks) > most:
        raise UnpackError(f"{len(packed)} bytes unpack to more than {most}")
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _blocks(packed: bytes) -> Iterator[bytes]:
    begin = _XERIAL_HEADER_BYTES
    while begin < len(packed):
        [size] = struct.unpack_from(">i", packed, begin)
        begin += 4
        if not 0 < size <= len(packed) - begin:
            raise UnpackError(f"a snappy block of {size} bytes where {len(packed) - begin} are left")
        yield packed[begin : begin + size]
        begin += size


def _lz4(packed: bytes, most: int) -> bytes:
    unpacked = bytearray()
    while packed and len(unpacked) <= most:
        frame = lz4.frame.LZ4FrameDecompressor()
        unpacked += frame.decompress(packed, most + 1 - len(unpacked))
        if not frame.eof and len(unpacked) <= most:
            raise UnpackError("lz4 data end too early")
        packed = frame.unused_data or b""
    return bytes(unpacked)


def _zstd(packed: bytes, most: int) -> bytes:
    # Truncated data gives a truncated batch: decoding its records finds the last one incomplete.
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed), read_across_frames=True) as reader:
        return bytes(reader.read(most + 1))


_DECODERS: Final[dict[int, Callable[[bytes, int], bytes]]] = {0: _plain, 1: _gzip, 2: _snappy, 3: _lz4, 4: _zstd}
