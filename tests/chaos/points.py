"""Where a worker can be made to stop: around each write of a batch, in the order in which they are made."""

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
