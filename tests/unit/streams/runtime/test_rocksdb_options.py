"""The local databases are opened with their options, also when they exist already."""

from pathlib import Path
from typing import Any

import pytest

from streams.runtime.rocksdb_options import BLOCK_CACHE_BYTES, StoreOptions


def opened(folder: Path, *, read_only: bool = False) -> Any:
    return StoreOptions().open(folder, read_only=read_only)


def in_force(folder: Path) -> set[str]:
    """The options that RocksDB wrote down when it opened the database last."""
    newest = max(folder.glob("OPTIONS-*"), key=lambda path: path.name)
    return {line.strip() for line in newest.read_text().splitlines()}


@pytest.mark.parametrize("times", [1, 2, 3])
def test_filter_cache_and_merging_are_in_force_however_often_it_is_opened(tmp_path: Path, times: int) -> None:
    folder = tmp_path / "store.db"
    for _ in range(times):
        database = opened(folder)
        database[b"key"] = b"value"
        assert int(database.property_int_value("rocksdb.block-cache-capacity")) == BLOCK_CACHE_BYTES
        database.close()
    wanted = {"filter_policy=bloomfilter", "compaction_style=kCompactionStyleUniversal"}
    assert wanted | {"write_buffer_size=8388608", "max_open_files=256"} <= in_force(folder)


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    database = opened(tmp_path / "store.db")
    database[b"key"] = b"value"
    database.close()
    again = opened(tmp_path / "store.db", read_only=True)
    assert again.get([b"key", b"other"]) == [b"value", None]
    with pytest.raises(Exception, match="read only"):
        again[b"key"] = b"another"
    again.close()
