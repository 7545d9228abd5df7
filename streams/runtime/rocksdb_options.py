"""The options with which the tables' local databases are opened."""

from functools import cache
from pathlib import Path

import rocksdict
from faust.stores.rocksdb import RocksDBOptions

# Shared by all databases of a process, however many partitions it has.
BLOCK_CACHE_BYTES = 64 << 20

_cache = cache(lambda: rocksdict.Cache(BLOCK_CACHE_BYTES))


class StoreOptions(RocksDBOptions):
    """Options for records under random keys: universal compaction.

    With RocksDB's default, compaction by levels, every few new files rewrite the whole table.
    """

    use_rocksdict = True
    write_buffer_size = 8 << 20
    max_open_files = 256
    # Most lookups are for purchases and accounts that don't exist yet. With Faust's 3 bits a key, one in four of them
    # reads a file in vain, with 10 bits one in a hundred, with 16 one in two thousand; and there are up to ten files.
    bloom_filter_size = 16

    def as_options(self) -> rocksdict.Options:
        """The options of a database."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_bloom_filter(self.bloom_filter_size, block_based=False)
        blocks.set_block_cache(_cache())
        options: rocksdict.Options = super().as_options()
        options.set_block_based_table_factory(blocks)
        options.set_compaction_style(rocksdict.DBCompactionStyle.universal())
        return options

    def open(self, path: Path, *, read_only: bool = False) -> rocksdict.Rdict:
        """Open or create a database.

        The options are given for its column family, too: otherwise rocksdict opens an existing database with the stored
        options, which lack filter and cache, so that each lookup reads every file.
        """
        options = self.as_options()
        access = rocksdict.AccessType.read_only() if read_only else rocksdict.AccessType.read_write()
        return rocksdict.Rdict(str(path), options=options, column_families={"default": options}, access_type=access)
