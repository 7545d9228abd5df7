"""The pages that the ``type`` of a problem refers to: all problems at /problems, each at /problems/NAME."""

from typing import Final

from flask import Flask, Response, render_template_string

from api.problems import PROBLEMS, Kind, Refused

PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<h1>{{ title }}</h1>
<p>Errors are <code>application/problem+json</code>
(<a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>); <code>type</code> is the address of a row.
<table>
<thead><tr><th scope="col">type<th scope="col">status<th scope="col">title<th scope="col">when</tr></thead>
<tbody>
{% for name, kind in problems.items() -%}
<tr><td><a href="/problems/{{ name }}">{{ name }}</a><td>{{ kind.status }}<td>{{ kind.title }}<td>{{ kind.when }}</tr>
{% endfor -%}
</tbody>
</table>
</html>
"""


def register_problem_pages(app: Flask) -> None:
    """Serve /problems and /problems/NAME."""
    app.add_url_rule("/problems", "problems", lambda: _page("Problems", PROBLEMS))
    app.add_url_rule("/problems/<name>", "problem", _problem)


def _problem(name: str) -> Response:
    if name not in PROBLEMS:
        raise Refused("not-found", "there is no problem of this name")
    return _page(PROBLEMS[name].title, {name: PROBLEMS[name]})


def _page(title: str, problems: dict[str, Kind]) -> Response:
    return Response(render_template_string(PAGE, title=title, problems=problems), mimetype="text/html")
