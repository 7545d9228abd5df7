"""Users and ACLs are set as the table has them, and what Kafka refuses is said."""

from typing import Any

import pytest
from kafka.admin import ACL, ACLOperation, ACLResourcePatternType, ResourceType
from kafka.errors import NoError, SecurityDisabledError

from connect.access.grants import acls, grant, rights
from connect.access.principals import Principal
from connect.errors import AccessRefused

GUEST = Principal("guest", ("outcomes",), ("requests",), groups=("guests",))
PASSWORDS = {"guest": "word", "other": "word"}


class FakeBroker:
    def __init__(self) -> None:
        self.users: list[str] = []
        self.acls: set[ACL] = set()
        self.user_error: str | None = None
        self.error: Any = NoError

    def alter_user_scram_credentials(self, alterations: list[Any]) -> dict[str, str | None]:
        self.users = [each.user for each in alterations]
        return dict.fromkeys(self.users, self.user_error)

    def describe_acls(self, acl_filter: Any) -> tuple[list[Any], Any]:
        return [acl for acl in self.acls if acl.principal == acl_filter.principal], self.error

    def create_acls(self, new: list[Any]) -> dict[str, list[Any]]:
        self.acls |= set(new)
        return {"failed": [] if self.error is NoError else [self.error]}

    def delete_acls(self, acl_filters: list[Any]) -> list[tuple[Any, list[Any], Any]]:
        gone = {_right(each) for each in acl_filters}
        self.acls = {acl for acl in self.acls if _right(acl) not in gone}
        return [(each, [], self.error) for each in acl_filters]


def _right(acl: Any) -> tuple[Any, ...]:
    return acl.principal, acl.operation, acl.resource_pattern.resource_type, acl.resource_pattern.resource_name


def test_a_principal_gets_its_password_and_its_rights_once() -> None:
    broker = FakeBroker()
    assert grant(broker, [GUEST], PASSWORDS) == (4, 0)
    assert broker.users == ["guest"]
    assert broker.acls == acls(GUEST)
    assert grant(broker, [GUEST], PASSWORDS) == (0, 0)


def test_rights_are_taken_that_the_table_lacks_and_others_stay() -> None:
    broker = FakeBroker()
    other = Principal("other", ("outcomes",))
    grant(broker, [GUEST, other], PASSWORDS)
    less = Principal("guest", ("outcomes",))
    assert grant(broker, [less], PASSWORDS) == (0, 2)
    assert broker.acls == acls(less) | acls(other)


def test_each_right_is_the_least_of_kafka_s_operations() -> None:
    assert rights(GUEST) == {
        (ResourceType.TOPIC, "outcomes", ACLOperation.READ),
        (ResourceType.TOPIC, "requests", ACLOperation.WRITE),
        (ResourceType.GROUP, "guests", ACLOperation.READ),
        (ResourceType.TOPIC, "*", ACLOperation.DESCRIBE),
    }
    watching = Principal("guest", watches=("ours",), creates=("own",), reads_configuration=("own",), all_names=False)
    assert rights(watching) == {
        (ResourceType.GROUP, "ours", ACLOperation.DESCRIBE),
        (ResourceType.TOPIC, "own", ACLOperation.CREATE),
        (ResourceType.TOPIC, "own", ACLOperation.DESCRIBE_CONFIGS),
    }
    sizes = Principal("guest", all_names=False, reads_log_sizes=True)
    assert rights(sizes) == {(ResourceType.CLUSTER, "kafka-cluster", ACLOperation.DESCRIBE)}


def test_a_name_that_ends_in_a_star_is_a_prefix_and_a_star_alone_stands_for_all_names() -> None:
    patterns = {
        (each.resource_pattern.resource_name, each.resource_pattern.pattern_type)
        for each in acls(Principal("guest", ("outcomes",), groups=("guest*",)))
    }
    literal, prefixed = ACLResourcePatternType.LITERAL, ACLResourcePatternType.PREFIXED
    assert patterns == {("outcomes", literal), ("*", literal), ("guest", prefixed)}


def test_a_user_that_kafka_refuses_is_named_with_the_reason() -> None:
    broker = FakeBroker()
    broker.user_error = "the iterations are too few"
    with pytest.raises(AccessRefused, match="user guest can't be made: the iterations"):
        grant(broker, [GUEST], PASSWORDS)
    assert not broker.acls


def test_a_broker_without_access_control_is_not_passed_over() -> None:
    broker = FakeBroker()
    broker.error = SecurityDisabledError
    with pytest.raises(AccessRefused, match=r"the ACLs of guest .* read: SecurityDisabledError"):
        grant(broker, [GUEST], PASSWORDS)


@pytest.mark.parametrize("present", [[], [Principal("guest", ("more",))]])
def test_an_acl_that_is_refused_is_an_error(present: list[Principal]) -> None:
    broker = FakeBroker()
    grant(broker, present, PASSWORDS)
    describe = broker.describe_acls
    broker.describe_acls = lambda acl_filter: (describe(acl_filter)[0], NoError)  # type: ignore[method-assign]
    broker.error = SecurityDisabledError
    with pytest.raises(AccessRefused, match="ACL"):
        grant(broker, [Principal("guest", all_names=bool(present))] if present else [GUEST], PASSWORDS)
