"""Messages of pgoutput, encoded as its documentation specifies, are decoded to changes."""

import struct

from connect.connectors.pgoutput import ENVELOPE_BYTES, WalChange, decode_changes

RELATION = 16_401


def relation() -> bytes:
    columns = b"".join(bytes([flags]) + name + b"\0" + struct.pack(">II", 25, 0xFFFFFFFF) for flags, name in COLUMNS)
    return b"R" + struct.pack(">I", RELATION) + b"public\0event\0f" + struct.pack(">H", len(COLUMNS)) + columns


COLUMNS = ((1, b"id"), (0, b"title"), (0, b"venue"))


def row(*values: str | None) -> bytes:
    def column(value: str | None) -> bytes:
        return b"n" if value is None else b"t" + struct.pack(">I", len(value.encode())) + value.encode()

    return struct.pack(">H", len(values)) + b"".join(map(column, values))


def test_of_a_change_the_table_the_key_and_the_size_of_the_new_row_are_told() -> None:
    large = "ü" * 1_000 + "\x01"
    head = struct.pack(">I", RELATION)
    messages = [
        (10, b"B" + bytes(20)),
        (10, relation()),
        (10, b"I" + head + b"N" + row("one", "a", None)),
        (20, b"U" + head + b"O" + row("two", large, "v") + b"N" + row("two", "b", "v")),
        (30, b"U" + head + b"N" + row("three", large, None)),
        (40, b"D" + head + b"K" + row("four", None, None)),
        (50, b"C" + bytes(25)),
    ]
    assert list(decode_changes(messages)) == [
        WalChange(10, "INSERT", "public.event", "one", ENVELOPE_BYTES + len('"one""a"')),
        WalChange(20, "UPDATE", "public.event", "two", ENVELOPE_BYTES + len('"two""b""v"')),
        # Two bytes for each umlaut, six for the control character.
        WalChange(30, "UPDATE", "public.event", "three", ENVELOPE_BYTES + len('"three"') + 2_000 + 6 + 2),
        WalChange(40, "DELETE", "public.event", "four", ENVELOPE_BYTES + len('"four"')),
    ]


def test_a_column_that_was_not_sent_again_counts_as_it_was_before() -> None:
    head, after = b"U" + struct.pack(">I", 7), b"N" + struct.pack(">H", 2) + b"t\0\0\0\x01a" + b"u"
    known, unknown = (1, head + b"O" + row("a", "large") + after), (2, head + after)
    assert [change.size - ENVELOPE_BYTES for change in decode_changes([known, unknown])] == [
        len('"a""large"'),
        len('"a"'),
    ]
