"""How the local databases of the tables are opened."""

from functools import cache
from pathlib import Path
from typing import Any

import rocksdict
from faust.stores.rocksdb import RocksDBOptions

WRITE_BUFFER = 8 << 20
# Of all databases of a process together, however many partitions it has.
BLOCK_CACHE = 64 << 20
OPEN_FILES = 256
# Most look-ups are for purchases and accounts that are not there yet. With Faust's 3 bits for each key one in four
# reads a file in vain, with 10 one in a hundred, with 16 one in two thousand; and there are up to ten files.
BLOOM_BITS = 16

_cache = cache(lambda: rocksdict.Cache(BLOCK_CACHE))


class StoreOptions(RocksDBOptions):
    """RocksDB's options for records under random keys: files are merged when there are many of about one size.

    Merged by levels, as is RocksDB's default, the whole table was written anew for every few new files.
    """

    def as_options(self) -> rocksdict.Options:
        """What the database is opened with."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_bloom_filter(self.bloom_filter_size, block_based=False)
        blocks.set_block_cache(_cache())
        options: rocksdict.Options = super().as_options()
        options.set_block_based_table_factory(blocks)
        options.set_compaction_style(rocksdict.DBCompactionStyle.universal())
        return options

    def open(self, path: Path, *, read_only: bool = False) -> rocksdict.Rdict:
        """Open a database, or make it.

        The options are given for its column family as well: else rocksdict opens one that is there with those that it
        finds written down, which leave out filter and cache, so that each look-up reads every file.
        """
        options = self.as_options()
        access = rocksdict.AccessType.read_only() if read_only else rocksdict.AccessType.read_write()
        return rocksdict.Rdict(str(path), options=options, column_families={"default": options}, access_type=access)


def driver_options() -> dict[str, Any]:
    """A fresh dict for each table, since Faust takes entries out of it."""
    return {
        "driver": "rocksdict",
        "write_buffer_size": WRITE_BUFFER,
        "max_open_files": OPEN_FILES,
        "bloom_filter_size": BLOOM_BITS,
    }
