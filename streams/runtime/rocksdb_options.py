"""How the local databases of the tables are opened."""

from functools import cache
from pathlib import Path

import rocksdict
from faust.stores.rocksdb import RocksDBOptions

# Of all databases of a process together, however many partitions it has.
BLOCK_CACHE = 64 << 20

_cache = cache(lambda: rocksdict.Cache(BLOCK_CACHE))


class StoreOptions(RocksDBOptions):
    """RocksDB's options for records under random keys: files are merged when there are many of about one size.

    Merged by levels, as is RocksDB's default, the whole table was written anew for every few new files.
    """

    use_rocksdict = True
    write_buffer_size = 8 << 20
    max_open_files = 256
    # Most look-ups are for purchases and accounts that are not there yet. With Faust's 3 bits for each key one in four
    # reads a file in vain, with 10 one in a hundred, with 16 one in two thousand; and there are up to ten files.
    bloom_filter_size = 16

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
