"""Every mutant by the name of its mechanism, and the command that runs a module of the project as a mutant."""

import os
import runpy
import sys
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import rich_click as click

from lab.chaos.mutants import ledger, payments, pipeline, seats

# The mechanisms that are off, by commas, in the environment of a mutant.
VARIABLE: Final = "CHAOS_WITHOUT"
# No mechanism is missing: every run has it.
SHORT_EXTENSION: Final = "short extension"


class Mutant(NamedTuple):
    """The module that is run, and what takes the mechanism out of its process."""

    module: str
    take_away: Callable[[], None]


# In the order in which they are made: "record order" changes what "slow writes" gives it.
MUTANTS: Final[dict[str, Mutant]] = {
    "index version": Mutant("streams", pipeline.index_version),
    "projection order": Mutant("streams", pipeline.projection_order),
    "mail memory": Mutant("streams", pipeline.mail_memory),
    "dead letters": Mutant("streams", pipeline.dead_letters),
    "outbox": Mutant("api", pipeline.outbox),
    "hidden drafts": Mutant("api", pipeline.hidden_drafts),
    "ownership": Mutant("api", pipeline.ownership),
    "idempotency key": Mutant("api", pipeline.idempotency_key),
    "ledger memory": Mutant("streams", ledger.ledger_memory),
    "partition check": Mutant("streams", ledger.partition_check),
    "hold limits": Mutant("streams", ledger.hold_limits),
    "occupancy check": Mutant("streams", seats.occupancy_check),
    "orphan rule": Mutant("streams", seats.orphan_rule),
    "offset rule": Mutant("streams", ledger.offset_rule),
    "writing over": Mutant("streams", ledger.writing_over),
    "slow writes": Mutant("streams", ledger.slow_writes),
    "record order": Mutant("streams", ledger.record_order),
    "input watch": Mutant("streams", ledger.input_watch),
    "log check": Mutant("streams", ledger.log_check),
    "first seek": Mutant("streams", ledger.first_seek),
    "confirm first": Mutant("streams", payments.confirm_first),
    "refund ids": Mutant("streams", payments.refund_ids),
    "payment checks": Mutant("streams", payments.payment_checks),
    SHORT_EXTENSION: Mutant("streams", payments.short_extension),
    "safe recovery": Mutant("streams", ledger.safe_recovery),
}


def named(text: str) -> list[str]:
    """The names in the variable's value. Raises KeyError for a mechanism that there is not."""
    names = [name for name in text.split(",") if name]
    for name in names:
        MUTANTS[name]
    return names


def take_away(names: Collection[str], module: str) -> None:
    """Take the mechanisms that belong to ``module`` out of this process."""
    for name, mutant in MUTANTS.items():
        if name in names and mutant.module == module:
            mutant.take_away()


@click.command(name="mutant", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("module")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(module: str, arguments: tuple[str, ...]) -> None:
    """Run a module of the project as ``python -m`` would, without the mechanisms that CHAOS_WITHOUT names."""
    names = named(os.environ[VARIABLE])
    if module == "streams":
        _choose_loop()
    take_away(names, module)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _choose_loop() -> None:
    """Choose the worker's event loop before anything of Faust is imported, as streams/__main__.py does."""
    from mode.loop import use

    use("uvloop")
