"""The pages that the ``type`` of a problem refers to: all problems at /problems, each at /problems/NAME.

They are the same for everybody, so that they may be cached.
"""

from typing import Final

from flask import Flask, render_template

from api.problem_kinds import PROBLEMS, Kind
from api.problems import Refused

RFC: Final = "https://www.rfc-editor.org/rfc/rfc9457"


def register_problem_pages(app: Flask) -> None:
    """Serve /problems and /problems/NAME."""
    app.add_url_rule("/problems", "problems", lambda: _page("Problems", PROBLEMS))
    app.add_url_rule("/problems/<name>", "problem", _problem)


def _problem(name: str) -> str:
    if name not in PROBLEMS:
        raise Refused("not-found", "there is no problem of this name")
    return _page(PROBLEMS[name].title, {name: PROBLEMS[name]})


def _page(title: str, problems: dict[str, Kind]) -> str:
    return render_template("problems.html", title=title, rfc=RFC, problems=problems)
