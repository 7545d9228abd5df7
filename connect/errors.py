"""The errors between PostgreSQL and Kafka, as a tree. Each message is one line for the operator.

ConnectError
├── ServerMissing     Kafka or Kafka Connect did not answer in time
├── TopicMismatch     a topic exists, but not as defined
├── TopicRefused      Kafka refused to create a topic
├── AccessRefused     Kafka refused a user or a right
├── ConnectorRefused  Kafka Connect refused a connector's configuration, or another order to it
├── ConnectorFailed   a connector or its task has failed
├── SlotLost          a connector's replication slot is missing, and with it the changes since
├── NotPublished      a connector's publication lacks a table that it captures
├── NotSkipped        a change can't be skipped, or there is none to skip
└── NotFlowing        a new row did not arrive in time
"""


class ConnectError(Exception):
    """Base of the errors between PostgreSQL and Kafka."""


class ServerMissing(ConnectError):
    """Names the server, its address and the setting that gives it."""


class TopicMismatch(ConnectError):
    """Names every topic that differs, with the actual and the expected value."""


class TopicRefused(ConnectError):
    """Names the topic and Kafka's reason."""


class AccessRefused(ConnectError):
    """Names the user or the right, and Kafka's reason."""


class ConnectorRefused(ConnectError):
    """Names the connector, the order and Kafka Connect's reason."""


class ConnectorFailed(ConnectError):
    """Names the connector and the first line of its trace."""


class SlotLost(ConnectError):
    """Names the connectors, their slots and the remedy."""


class NotPublished(ConnectError):
    """Names the connector, the publication and the table."""


class NotFlowing(ConnectError):
    """Names the connectors through which no row came, with the state of their slots."""


class NotSkipped(ConnectError):
    """Names the connector and says why nothing was skipped."""
