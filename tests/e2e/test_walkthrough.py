"""The walk-through of docs/api.md, run as a reader would."""

import re
from pathlib import Path
from typing import Any

from stack.member import HOST
from tests.eventually import eventually
from tests.pipeline import Pipeline

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_walk_through_does_what_it_says_however_often_it_is_run(pipeline: Pipeline) -> None:
    section = PAGE.read_text().split("## A walk-through")[1].split("\n## ")[0]
    code = "\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL))
    settings = pipeline.stack.settings
    there = {
        "http://127.0.0.1:9000": pipeline.api,
        "http://127.0.0.1:18025": f"http://{HOST}:{settings.mail_port}",
        ".turnstile/": f"{settings.home}/",
    }
    for written, real in there.items():
        assert written in code
        code = code.replace(written, real)
    # The first search of a fresh Elasticsearch may take longer than the API waits.
    eventually(lambda: pipeline.http.get("/events/search", params={"q": "winterreise"}).is_success, within=60)
    for _ in range(2):
        known: dict[str, Any] = {}
        try:
            exec(compile(code, "the walk-through", "exec"), known)  # noqa: S102 (our own page)
        finally:
            known["api"].close()
        assert pipeline.rows("SELECT email FROM account WHERE id = %s", known["account"]["id"]) == [
            (known["ada"]["email"],)
        ]
        assert known["purchase"].json()["status"] == "confirmed"
