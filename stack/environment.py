"""The environment of the project's processes: the embedded servers as the variables of settings."""

from connect.access.principals import OPERATOR
from stack import state_file
from stack.broker_access import client_environment
from stack.member import HOST
from stack.postgres import CAPTURE, DATABASE, OWNER
from stack.secret_files import secret
from stack.settings import StackSettings


def app_environment(settings: StackSettings, principal: str = OPERATOR) -> dict[str, str]:
    """The variables of every part: API, workers, migrations, bootstrap. ``principal`` is its user of Kafka."""
    home = settings.home
    password = secret(home, "database_password")
    zipkin = {"TURNSTILE_ZIPKIN_URL": f"http://{HOST}:{settings.zipkin_port}", "TURNSTILE_TRACE_RATIO": "1"}
    return {
        **(zipkin if settings.zipkin else {}),
        "TURNSTILE_KAFKA_SERVERS": settings.kafka_servers,
        **client_environment(settings, principal),
        "TURNSTILE_REPLICATION_FACTOR": str(settings.replicas),
        "TURNSTILE_MIN_INSYNC_REPLICAS": str(settings.in_sync),
        "TURNSTILE_DATABASE_URL": f"postgresql://{OWNER}:{password}@{HOST}:{settings.postgres_port}/{DATABASE}",
        "TURNSTILE_CONNECT_URL": f"http://{HOST}:{settings.connect_port}",
        "TURNSTILE_CONNECT_DATABASE_HOST": HOST,
        "TURNSTILE_CONNECT_DATABASE_PORT": str(settings.postgres_port),
        "TURNSTILE_CONNECT_DATABASE_NAME": DATABASE,
        "TURNSTILE_CONNECT_DATABASE_USER": CAPTURE,
        "TURNSTILE_CONNECT_SECRETS_DIR": str(home / "secrets" / "connect"),
        "TURNSTILE_ELASTICSEARCH_URL": f"http://{HOST}:{settings.elasticsearch_port}",
        "TURNSTILE_SMTP_HOST": HOST,
        "TURNSTILE_SMTP_PORT": str(settings.smtp_port),
        "TURNSTILE_API_BIND": HOST,
        "TURNSTILE_API_PORT": str(settings.api_port),
        "TURNSTILE_API_URL": f"http://{HOST}:{settings.api_port}",
        "TURNSTILE_SITE_URL": f"http://{HOST}:{settings.api_port}",
        # Every client comes from this machine.
        "TURNSTILE_API_CONNECTIONS_PER_CLIENT": "4000",
        "TURNSTILE_API_METRICS_BIND": HOST,
        "TURNSTILE_API_METRICS_PORT": str(settings.api_metrics_port),
        "TURNSTILE_EXPORTER_BIND": HOST,
        "TURNSTILE_EXPORTER_PORT": str(settings.exporter_port),
        "TURNSTILE_WORKER_URL": ",".join(
            f"http://{HOST}:{settings.view_port('ledger', number)}" for number in range(settings.workers)
        ),
        "TURNSTILE_LEDGER_SNAPSHOTS": str(home / "snapshots"),
        "TURNSTILE_TOKEN_KEY": secret(home, "token_key"),
        "TURNSTILE_LINK_KEY": secret(home, "link_key"),
        "TURNSTILE_ADMIN_PASSWORD": secret(home, "admin_password"),
        "TURNSTILE_PAPER_URL": f"http://{HOST}:{settings.paper_port}",
        "TURNSTILE_PAPER_KEY": secret(home, "paper_key"),
        "TURNSTILE_TICKET_KEY": secret(home, "ticket_key"),
        "TURNSTILE_LOG_FORMAT": settings.log_format,
        "TURNSTILE_STANDBYS": str(settings.standbys),
        "TURNSTILE_LEDGER_WORKERS": str(settings.workers),
        "TURNSTILE_SUPERVISOR_FILE": str(home / state_file.NAME),
    }


def worker_environment(settings: StackSettings, role: str, number: int) -> dict[str, str]:
    """The additional variables of one worker."""
    name = f"{role}-{number}"
    return {
        "TURNSTILE_ROLE": role,
        "TURNSTILE_WORKER_ID": name,
        "TURNSTILE_WORKER_BIND": HOST,
        "TURNSTILE_WORKER_HOST": HOST,
        "TURNSTILE_WORKER_PORT": str(settings.view_port(role, number)),
        "TURNSTILE_WORKER_DATA": str(settings.home / name),
    }
