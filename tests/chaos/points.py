"""The points at which a worker can be stopped: around each write of a batch, in the order of the writes."""

POINTS = (
    "before store",
    "after store",
    "before purchases",
    "within purchases",
    "after purchases",
    "before events",
    "within events",
    "after events",
    "before outcomes",
    "within outcomes",
    "after outcomes",
    "before commit",
    "after commit",
    "before following",
    "after following",
)

# Those of a worker of payments; ``events`` are what the providers said, and the ledger's outcomes.
PAYMENT_POINTS = (
    "before events",
    "within events",
    "after events",
    "after mails",
    "within records",
    "after records",
    "within requests",
    "after requests",
    "after commands",
    "after rows",
    "after commit",
)
