"""The errors of the embedded stack; each message is written for the person at the terminal.

StackError
├── PortsTaken        ports of servers are used by other processes
├── HomeInUse        another supervisor runs on the same data folder
├── JarsIncomplete   a jar can't be had or isn't the locked one
├── RestoreRefused   a backup can't be made, or not be restored
└── ServerFailed     a process ended, or was not ready or done in time
"""


class StackError(Exception):
    """The embedded stack can't do what it was asked to do."""


class PortsTaken(StackError):
    """Names every port that is taken and the setting that moves it."""

    def __init__(self, taken: dict[str, int]) -> None:
        super().__init__("\n".join(f"port {port} is taken: set {setting}" for setting, port in taken.items()))


class HomeInUse(StackError):
    """Another supervisor holds the lock of this data folder."""


class JarsIncomplete(StackError):
    """Names the jar and what is wrong with it."""


class RestoreRefused(StackError):
    """Names the obstacle, with the message of PostgreSQL's program if that refuses."""


class ServerFailed(StackError):
    """Names the process, its log file and its last lines; ``what`` says in a few words what happened.

    ``explained``: whether the log has the reason.
    """

    def __init__(self, what: str, text: str = "", *, explained: bool = True) -> None:
        super().__init__(text or what)
        self.what = what
        self.explained = explained
