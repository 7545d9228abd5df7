"""Hostile texts: a program that reads one again may take it for more than text."""

from typing import Final

from hypothesis import strategies as st

PIECES: Final = (
    # Mail headers
    "=?utf-8?q?a=0D=0AX-Injected:_yes=0D=0AReply-To:_x=40y.example=0D=0AX:?=",
    "=?utf-8?q?fake?=",
    "=?utf-8?b?ZmFrZQ==?= =?utf-8?b?ZmFrZQ==?=",
    "a =?utf-8?q?=3D=3Futf-8=3Fq=3Fb=3F=3D?= c",
    "=?x",
    "\r\nBcc: all@buyer.example",
    "\r\n\r\n<p>",
    '"Ada" <x@y.example>, (b\\)',
    "; filename=a.exe",
    # Lines, terminals, directions
    "\0",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "\u2028\u0085\x0b\x1c",
    "\u202egnp.exe\u2066",
    "\u200fא\u2067",
    # HTML, scripts, templates
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "<!--",
    "&lt;&amp;#x0;",
    "{{ 7 * 7 }} {% raw %} {title} {0} %s %(title)s $title `id`",
    "javascript:alert(1)",
    # Tables
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "＝1",
    "﹣1",
    ";=1+1;",
    "\n@x",
    "'=1",
    '"",""',
    # Calendars
    "\r\nATTENDEE:mailto:x@y.example\r\nEND:VEVENT",
    "a\\, b\\; c\\n^n^'",
    # SQL and searches
    "'; DROP TABLE event; --",
    "a:* OR [a TO z] /.*/ ~2 ^9 \\",
    "\ue000x\ue001",
    # Paths, addresses of pages, markup of terminals
    "../../etc/passwd%00%0d%0a",
    "//evil.example/?a=b&c#d",
    "\\[/x][red]",
    # Lookalikes
    "e\u0301",
    "東京👩\u200d🚀",
    "ﬁß\u0345İ",
    "\ufeff",
    "\u200b",
    "x" * 1_000,
    "a." * 500,
    " ",
)
TEXTS: Final = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=5).map("".join)
# Lone surrogates, which no UTF-8 decodes to.
HALVES: Final = st.lists(
    st.one_of(st.sampled_from((*PIECES, "\ud800", "\udfff")), st.text(st.characters(), max_size=20)), max_size=5
).map("".join)
