"""The line of a log that says why a process ended."""

from pathlib import Path

import pytest

from stack.reasons import REASON_MAX_CHARS, ended, explanation, is_from_outside

TEXT = """\
2026-11-28T13:06:32.769Z info     ledger-0: recovered
2026-11-28T13:06:33.769Z critical ledger-0: ending the process: agent ledger failed: InvariantBroken: expected offset 7
    streams/inventory/ledger.py:12 _handle
2026-11-28T13:06:33.800Z info     ledger-0: Closing event loop
"""
JSON = '{"at": "2026-11-28T13:06:33Z", "level": "critical", "part": "sales-0", "message": "no space left"}\n{"at": "…'
JSON_ERROR = '{"at": "2026Z", "level": "critical", "part": "a", "message": "ended", "error": "OSError: no"}'
JAVA = """\
[2026-11-28 13:06:33,769] INFO starting (kafka.Kafka)
Exception in thread "main" java.lang.IllegalStateException: no
\tat kafka.Kafka.main(Kafka.scala:12)
Caused by: java.nio.file.AccessDeniedException: /data/.lock
\tat sun.nio.fs.UnixException
\t... 3 more
"""
PYTHON = """\
Traceback (most recent call last):
  File "node.py", line 3, in <module>
    start()
RuntimeError: JVM DLL not found
"""
POSTGRES = """\
2026-11-28 13:06:33.769 UTC [12] LOG:  starting PostgreSQL
2026-11-28 13:06:33.770 UTC [12] FATAL:  data directory "/x" has wrong ownership
2026-11-28 13:06:33.771 UTC [12] HINT:  The server must be started by the user that owns it.
"""
HEAP = """\
Invalid maximum heap size: -Xmxnone
Error: Could not create the Java Virtual Machine.
Error: A fatal exception has occurred. Program will exit.
"""


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (TEXT, "ending the process: agent ledger failed: InvariantBroken: expected offset 7"),
        (JSON, "no space left"),
        (JSON_ERROR, "ended error=OSError: no"),
        (JAVA, "Caused by: java.nio.file.AccessDeniedException: /data/.lock"),
        (PYTHON, "RuntimeError: JVM DLL not found"),
        (POSTGRES, '2026-11-28 13:06:33.770 UTC [12] FATAL:  data directory "/x" has wrong ownership'),
        (HEAP, "Invalid maximum heap size: -Xmxnone"),
        ("one\ntwo\n   at three\n", "two"),
        ("critical of \x1b[2J\u202e", "critical of \\x1b[2J\\u202e"),
        ("", ""),
    ],
)
def test_the_line_that_explains_the_end_is_found(tmp_path: Path, log: str, line: str) -> None:
    file = tmp_path / "log"
    file.write_text(log)
    assert explanation(file) == line


def test_a_log_that_is_not_there_explains_nothing(tmp_path: Path) -> None:
    assert explanation(tmp_path / "none") == ""


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("x" * 5_000)
    assert explanation(file) == "x" * REASON_MAX_CHARS + "…"


def test_an_end_is_told_by_code_or_signal() -> None:
    assert [ended(3), ended(-11)] == ["ended with exit code 3", "ended with signal SIGSEGV"]
    assert ended(-9) == "ended with signal SIGKILL (a kill -9, or the kernel out of memory)"


@pytest.mark.parametrize(
    ("code", "outside"), [(-9, True), (-15, True), (-11, False), (-6, False), (1, False), (0, False)]
)
def test_what_was_ended_from_outside_has_no_reason_in_its_log(code: int, outside: bool) -> None:
    assert is_from_outside(code) is outside
