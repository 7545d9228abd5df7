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
