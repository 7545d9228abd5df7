"""What can go wrong between PostgreSQL and Kafka; each message is one line for whoever runs ``python -m connect``.

ConnectError
├── ServerMissing     Kafka or Kafka Connect did not answer in time
├── TopicMismatch     a topic is there, but not as the catalogue has it
├── TopicRefused      Kafka would not make a topic
├── ConnectorRefused  Kafka Connect would not take a connector's configuration
├── ConnectorFailed   a connector or its task has stopped with an error
├── SlotLost          a connector's replication slot is gone, and with it the changes since
├── NotPublished      a connector's publication lacks the table that it is to capture
├── NotSkipped        a change can't be skipped, or there is none to skip
└── NotFlowing        a new row did not arrive in time
"""


class ConnectError(Exception):
    """The way from PostgreSQL into Kafka is not open."""


class ServerMissing(ConnectError):
    """Names the server, its address and the setting that gives it."""


class TopicMismatch(ConnectError):
    """Names every topic that differs, with what it has and what it should have."""


class TopicRefused(ConnectError):
    """Names the topic and Kafka's reason."""


class ConnectorRefused(ConnectError):
    """Names the connector and Kafka Connect's reason."""


class ConnectorFailed(ConnectError):
    """Names the connector and the first line of its trace."""


class SlotLost(ConnectError):
    """Names the connectors, their slots and what helps."""


class NotPublished(ConnectError):
    """Names the connector, the publication and the table."""


class NotFlowing(ConnectError):
    """Names the connectors that stay silent and the state of their slots."""


class NotSkipped(ConnectError):
    """Names the connector and says why nothing was skipped."""
