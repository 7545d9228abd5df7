"""Gives the brokers the users and ACLs of ``principals()``, idempotently."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.errors import NoError

from connect.access.principals import Principal
from connect.errors import AccessRefused

ANY_HOST: Final = "*"
CLUSTER: Final = "kafka-cluster"

# What a right is to: a type of resource, its name, and the operation.
Right = tuple[ResourceType, str, ACLOperation]


class AccessAdmin(Protocol):
    """Kafka's admin client, as far as it is used here."""

    def alter_user_scram_credentials(self, alterations: list[Any]) -> dict[str, str | None]: ...
    def describe_acls(self, acl_filter: Any) -> tuple[list[Any], Any]: ...
    def create_acls(self, acls: list[Any]) -> dict[str, list[Any]]: ...
    def delete_acls(self, acl_filters: list[Any]) -> list[tuple[Any, list[Any], Any]]: ...


def grant(admin: AccessAdmin, principals: Iterable[Principal], passwords: Mapping[str, str]) -> tuple[int, int]:
    """Set each principal's password, add the rights that it lacks, take those that it should not have.

    Returns how many ACLs were added and how many removed. ACLs of other principals stay. Raises AccessRefused.
    """
    known = list(principals)
    wanted = {acl for principal in known for acl in acls(principal)}
    _set_passwords(admin, {principal.name: passwords[principal.name] for principal in known})
    present = {acl for principal in known for acl in _present(admin, principal)}
    _add(admin, wanted - present)
    _remove(admin, present - wanted)
    return len(wanted - present), len(present - wanted)


def acls(principal: Principal) -> set[ACL]:
    """The ACLs that a principal needs."""
    return {_acl(principal.name, *right) for right in rights(principal)}


def rights(principal: Principal) -> set[Right]:
    """The rights of a principal, in Kafka's operations."""
    topics = {
        ACLOperation.READ: principal.reads,
        ACLOperation.WRITE: principal.writes,
        ACLOperation.CREATE: principal.creates,
        ACLOperation.DESCRIBE_CONFIGS: principal.reads_configuration,
        ACLOperation.DESCRIBE: ("*",) if principal.all_names else (),
    }
    groups = {ACLOperation.READ: principal.groups, ACLOperation.DESCRIBE: principal.watches}
    found = {(ResourceType.TOPIC, name, operation) for operation, names in topics.items() for name in names}
    found |= {(ResourceType.GROUP, name, operation) for operation, names in groups.items() for name in names}
    return found | ({(ResourceType.CLUSTER, CLUSTER, ACLOperation.DESCRIBE)} if principal.reads_log_sizes else set())


def _acl(user: str, resource: ResourceType, name: str, operation: ACLOperation) -> ACL:
    return ACL(f"User:{user}", ANY_HOST, operation, ACLPermissionType.ALLOW, pattern_of(resource, name))


def pattern_of(resource: ResourceType, name: str) -> ResourcePattern:
    """The resources that a name in the table stands for: ``name*`` for a prefix, ``*`` alone literally, for all."""
    prefix = name.removesuffix("*")
    if prefix in ("", name):
        return ResourcePattern(resource, name)
    return ResourcePattern(resource, prefix, ACLResourcePatternType.PREFIXED)


def _set_passwords(admin: AccessAdmin, passwords: Mapping[str, str]) -> None:
    changes = [
        UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, word) for user, word in passwords.items()
    ]
    for user, error in admin.alter_user_scram_credentials(changes).items():
        if error is not None:
            raise AccessRefused(f"user {user} can't be made: {error}")


def _present(admin: AccessAdmin, principal: Principal) -> list[ACL]:
    anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    whose = ACLFilter(f"User:{principal.name}", None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
    found, error = admin.describe_acls(whose)
    _check(error, f"the ACLs of {principal.name} can't be read")
    return found


def _add(admin: AccessAdmin, missing: set[ACL]) -> None:
    if not missing:
        return
    for error in admin.create_acls(list(missing))["failed"]:
        _check(error, "an ACL can't be added")


def _remove(admin: AccessAdmin, surplus: set[ACL]) -> None:
    if not surplus:
        return
    for acl, _, error in admin.delete_acls([_filter(acl) for acl in surplus]):
        _check(error, f"{acl} can't be removed")


def _filter(acl: ACL) -> ACLFilter:
    at = acl.resource_pattern
    pattern = ResourcePatternFilter(at.resource_type, at.resource_name, at.pattern_type)
    return ACLFilter(acl.principal, acl.host, acl.operation, acl.permission_type, pattern)


def _check(error: type[Exception], what: str) -> None:
    if error is not NoError:
        raise AccessRefused(f"{what}: {error.__name__}")
