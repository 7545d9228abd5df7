"""The Flask application on given ports. Making it does no I/O."""

from flask import Flask
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from api.pages.layout import register_pages
from api.pages.problem_pages import register_problem_pages
from api.ports.ports import Ports
from api.response_headers import register_headers
from api.routes.accounts import accounts
from api.routes.addresses import addresses
from api.routes.docs import SECURITY, register_docs
from api.routes.events import events
from api.routes.health import health, register_probes
from api.routes.notifications import notifications
from api.routes.passwords import passwords
from api.routes.payments import payments
from api.routes.purchases import purchases
from api.routes.sales import sales
from api.routes.search import search
from api.routes.seating import seating
from api.routes.sessions import sessions
from api.routes.tickets import tickets
from api.telemetry.request_metrics import register_routes
from api.web.body_sizes import BODY_MAX_BYTES
from api.web.error_handlers import invalid, register_error_handlers
from api.web.permissions import register_permissions
from api.web.request_limits import StrictJson, check_body
from api.web.responses import Problem

INFO = Info(
    title="Turnstile",
    version="3.0.0",
    description="Events, ticket types, search and purchases. Errors are problems (RFC 9457).",
)


def create_app(ports: Ports) -> OpenAPI:
    """The application on these ports."""
    app = OpenAPI(
        __name__,
        info=INFO,
        doc_ui=False,
        security_schemes=SECURITY,
        # flask_openapi3 adds its own response where this status is not described; 500 always is.
        validation_error_status=500,
        validation_error_model=Problem,
        validation_error_callback=invalid,
        static_folder=None,
    )
    app.json = StrictJson(app)
    # With a slash at its end, a path is the same.
    app.url_map.strict_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = BODY_MAX_BYTES
    app.extensions["turnstile"] = ports
    app.before_request(check_body)
    register_error_handlers(app)
    for blueprint in (
        sessions,
        accounts,
        addresses,
        passwords,
        events,
        tickets,
        seating,
        search,
        purchases,
        payments,
        sales,
        notifications,
        health,
    ):
        app.register_api(blueprint)
    register_probes(app)
    register_docs(app)
    register_problem_pages(app)
    register_pages(app)
    register_permissions(app)
    register_headers(app)
    register_routes(app)
    return app


def trust_proxies(app: Flask, number: int) -> Flask:
    """Trust the headers X-Forwarded-For and -Proto of so many proxies."""
    if number:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=number, x_proto=number)  # type: ignore[method-assign]
    return app
