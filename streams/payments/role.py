"""The role `payments`."""

from providers.configured import providers_of
from streams.payments.checks import PaymentChecks
from streams.payments.executor import ExecutorAgent
from streams.payments.outcomes import OutcomesAgent
from streams.payments.payments import PaymentsAgent
from streams.payments.provider_threads import ProviderThreads
from streams.payments.views import RoleViews
from streams.runtime.app import App


def add_agents(app: App) -> None:
    """Add the agents of this role."""
    threads = ProviderThreads(app, providers_of(app.settings))
    OutcomesAgent(app)
    payments = PaymentsAgent(app)
    ExecutorAgent(app, threads)
    PaymentChecks(app, payments.table, threads)
    RoleViews(app, payments.table)
