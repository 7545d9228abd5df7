"""What can go wrong with the embedded stack; each message is meant for the person at the terminal.

StackError
├── PortTaken        somebody else listens on a port that a server wants
├── HomeInUse        another supervisor runs on the same data folder
├── JarsIncomplete   a jar can't be had or isn't the locked one
├── RestoreRefused   a backup can't be made, or not be restored
└── ServerFailed     a process ended, wasn't ready or wasn't done in time
"""


class StackError(Exception):
    """The embedded stack can't do what was asked."""


class PortTaken(StackError):
    """Names every port that is taken and the setting that moves it."""

    def __init__(self, taken: dict[str, int]) -> None:
        super().__init__("\n".join(f"port {port} is taken: set {setting}" for setting, port in taken.items()))


class HomeInUse(StackError):
    """Another supervisor holds the lock of this data folder."""


class JarsIncomplete(StackError):
    """Names the jar and what is wrong with it."""


class RestoreRefused(StackError):
    """Names what is in the way, in the words of PostgreSQL's program where that refuses."""


class ServerFailed(StackError):
    """Names the process, its log file and the last lines in it; ``what`` happened is told in a few words, too.

    ``explained`` tells whether the log has the reason.
    """

    def __init__(self, what: str, text: str = "", *, explained: bool = True) -> None:
        super().__init__(text or what)
        self.what = what
        self.explained = explained
