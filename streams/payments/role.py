"""The role `payments`."""

from providers.configured import providers_of
from streams.payments.checks import PaymentChecks
from streams.payments.executor import ExecutorAgent
from streams.payments.outcomes import OutcomesAgent
from streams.payments.payments import PaymentsAgent
from streams.payments.provider_calls import ProviderCalls
from streams.payments.views import add_views
from streams.runtime.app import App


def add_agents(app: App) -> None:
    """Add the agents of this role."""
    calls = ProviderCalls(providers_of(app.settings))
    OutcomesAgent(app)
    payments = PaymentsAgent(app)
    ExecutorAgent(app, payments.table, calls)
    PaymentChecks(app, payments.table, calls)
    add_views(app, payments.table)
