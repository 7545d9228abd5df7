"""The Helm chart: valid for Kubernetes, with the settings that there are, and as docker-compose.yml has it."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import kubernetes_validate
import pytest

from api.http.limits import ConnectionLimits
from connect.topics import group
from ops.secrets import make_secrets
from settings import ROLES, Role, Settings
from tests.golang import program
from tests.settings_names import variables
from tests.yaml_files import read_documents, read_yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "helm"
OLDEST, NEWEST = "1.29.0", "1.37.0"
KNOWN = variables(Settings) | {"TURNSTILE_SECRETS_DIR"}
VALUES = read_yaml((CHART / "values.yaml").read_text())
COMPOSE = read_yaml((ROOT / "docker-compose.yml").read_text())["services"]
# Kinds of other projects: the Prometheus operator and KEDA.
FOREIGN = {"ServiceMonitor", "ScaledObject"}
# The mail relay of a cluster wants a password, the catcher of mails doesn't.
RELAY = {"smtp_password": "turnstile_smtp_password"}

Resource = dict[str, Any]


def render(*options: str, version: str = NEWEST) -> list[Resource]:
    command = (program("helm"), "template", "turnstile", str(CHART), "--kube-version", version, *options)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [each for each in read_documents(done.stdout) if each]


@pytest.fixture(scope="module")
def chart() -> list[Resource]:
    return render()


def of_kind(resources: Iterable[Resource], *kinds: str) -> dict[str, Resource]:
    """The resources of these kinds by the part that each is of."""
    return {name_of(each): each for each in resources if each["kind"] in kinds}


def name_of(resource: Resource) -> str:
    return str(resource["metadata"]["name"]).removeprefix("turnstile-")


def pods(resources: Iterable[Resource]) -> dict[str, Resource]:
    resources = list(resources)
    found = of_kind(resources, "Deployment", "StatefulSet", "Job")
    scheduled = {name: each["spec"]["jobTemplate"] for name, each in of_kind(resources, "CronJob").items()}
    return {name: each["spec"]["template"]["spec"] for name, each in (found | scheduled).items()}


def served(resources: Iterable[Resource]) -> dict[str, Resource]:
    """The pods that are services of docker-compose.yml, too."""
    return {name: pod for name, pod in pods(resources).items() if name not in VALUES["backups"]}


def environment(pod: Resource) -> dict[str, Any]:
    [container] = pod["containers"]
    names = [each["name"] for each in container["env"]]
    assert len(names) == len(set(names))
    return {each["name"]: each.get("value") for each in container["env"]}


@pytest.mark.parametrize(
    ("version", "options"),
    [
        (OLDEST, ()),
        (
            NEWEST,
            (
                "--set",
                "ingress.enabled=true,api.autoscaling.enabled=false,paper.enabled=true,stripe.enabled=true,stripe.pageKey=pk,tools.enabled=true",
            ),
        ),
    ],
)
def test_kubernetes_knows_every_field(version: str, options: tuple[str, ...]) -> None:
    for resource in one_of_each(render(*options, version=version)):
        kubernetes_validate.validate(resource, version, strict=True)


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "Job", "CronJob", "NetworkPolicy", "PodDisruptionBudget", "Service"]
)
def test_a_wrong_field_is_noticed(kind: str, chart: list[Resource]) -> None:
    [resource] = [each for each in one_of_each(chart) if each["kind"] == kind][:1]
    wrong = resource | {"spec": resource["spec"] | {"replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def one_of_each(resources: Iterable[Resource]) -> list[Resource]:
    """The resources that differ in more than names and values, of Kubernetes's own kinds."""
    shapes = {shape(each): each for each in resources if each["kind"] not in FOREIGN}
    return list(shapes.values())


def shape(value: object) -> str:
    """The fields of a resource, without their values."""
    if isinstance(value, dict):
        inner = {key: shape(each) for key, each in sorted(value.items()) if key != "value"}
        return f"{value.get('kind')}{inner}"
    return str(sorted({shape(each) for each in value})) if isinstance(value, list) else type(value).__name__


def test_helm_finds_nothing_to_complain_of() -> None:
    command = (program("helm"), "lint", "--strict", "--kube-version", NEWEST, str(CHART))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_variable_of_ours_is_a_setting(chart: list[Resource]) -> None:
    for name, pod in pods(chart).items():
        unknown = set(environment(pod)) - KNOWN
        assert not unknown, f"{name} sets {unknown}"


def test_settings_and_secrets_together_hold(
    chart: list[Resource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_secrets(tmp_path / "made")
    (tmp_path / "made" / "smtp_password").write_text("word")
    for name, pod in pods(chart).items():
        if "image" in VALUES["backups"].get(name, ()):
            continue  # not a program of ours
        given = tmp_path / name
        given.mkdir()
        for key, path in mounted(pod).items():
            (given / path).write_bytes((tmp_path / "made" / key).read_bytes())
        with monkeypatch.context() as its:
            for key, value in environment(pod).items():
                # The CA files are there in the cluster alone.
                if value is not None and not key.endswith("_CA"):
                    its.setenv(key, value.replace("$(TURNSTILE_WORKER_ID)", "turnstile-0"))
            needs_mails = "turnstile_smtp_password" in mounted(pod).values()
            now = Settings(_secrets_dir=given)
        assert (now.replication_factor, now.min_insync_replicas) == (3, 2)
        assert (now.smtp_password is not None) == needs_mails


def mounted(pod: Resource) -> dict[str, str]:
    """By file of ``make secrets``, the name under which a pod mounts it."""
    [volume] = [each["secret"] for each in pod["volumes"] if each["name"] == "secrets"]
    assert volume["secretName"] == VALUES["secret"]
    return {item["key"]: item["path"] for item in volume.get("items", ())}


def test_each_pod_mounts_the_secrets_and_runs_the_command_of_its_service(chart: list[Resource]) -> None:
    for name, pod in served(chart).items():
        service = COMPOSE[name]
        told = {secret["source"]: secret["target"] for secret in service["secrets"]}
        mails = RELAY if name in {"api", "notifications"} else {}
        used = mounted(pod)
        # The job of compose gives these to search-access by the anchor that jobs share.
        shared = {"database_url", "admin_password"} if name == "search-access" else set()
        spare = (
            {"elastic_password", "indexer_password", "reader_password", "exporter_password"}
            if name == "bootstrap"
            else shared
        )
        # Paper is for trying, on one host.
        spare = spare | {"paper_key"}
        assert used == {key: path for key, path in told.items() if key not in spare} | mails, name
        [container] = pod["containers"]
        assert container["command"] == service["command"], name


def test_each_part_signs_in_as_its_service_does(chart: list[Resource]) -> None:
    for name, pod in served(chart).items():
        told, service = environment(pod), COMPOSE[name]["environment"]
        assert told.get("TURNSTILE_KAFKA_USER") == (service.get("TURNSTILE_KAFKA_USER")), name
        if name != "bootstrap":
            assert told.get("TURNSTILE_ELASTICSEARCH_USER") == service.get("TURNSTILE_ELASTICSEARCH_USER"), name


def test_each_part_has_the_memory_of_its_service() -> None:
    parts = {"api": VALUES["api"], "exporter": VALUES["exporter"], "paper": VALUES["paper"], **VALUES["workers"]}
    for name, part in parts.items():
        assert part["memory"].lower().removesuffix("i") == COMPOSE[name]["mem_limit"], name


def test_every_role_is_a_stateful_set_with_a_volume_and_a_name_that_stays(chart: list[Resource]) -> None:
    sets = of_kind(chart, "StatefulSet")
    assert set(sets) == set(get_args(Role)) == set(ROLES)
    for role, each in sets.items():
        [container] = each["spec"]["template"]["spec"]["containers"]
        variables_of = {one["name"]: one for one in container["env"]}
        assert variables_of["TURNSTILE_ROLE"]["value"] == role
        name = variables_of["TURNSTILE_WORKER_ID"]["valueFrom"]
        assert name == {"fieldRef": {"fieldPath": "metadata.name"}}
        assert variables_of["TURNSTILE_WORKER_HOST"]["value"] == f"$(TURNSTILE_WORKER_ID).{each['spec']['serviceName']}"
        assert int(variables_of["TURNSTILE_WORKER_SESSION_SECONDS"]["value"]) == 30
        assert [one["metadata"]["name"] for one in each["spec"]["volumeClaimTemplates"]] == ["data"]
        assert {"name": "data", "mountPath": "/var/lib/turnstile"} in container["volumeMounts"]
        [service] = [
            one for one in of_kind(chart, "Service").values() if one["metadata"]["name"] == f"turnstile-{role}"
        ]
        assert service["spec"]["clusterIP"] == "None"


def test_no_more_than_one_of_a_part_is_taken_away_at_a_time(chart: list[Resource]) -> None:
    budgets = of_kind(chart, "PodDisruptionBudget")
    assert set(budgets) == {"api", *ROLES}
    for name, budget in budgets.items():
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] == name


def test_sales_and_notifications_follow_their_lag_and_the_api_its_load_and_nothing_else_scales(
    chart: list[Resource],
) -> None:
    scaled = of_kind(chart, "ScaledObject")
    assert set(scaled) == {"sales", "notifications"}
    for role, each in scaled.items():
        [trigger] = each["spec"]["triggers"]
        assert trigger["metadata"]["query"] == f'sum(turnstile_consumer_lag_records{{group="{group(role)}"}})'
        assert each["spec"]["maxReplicaCount"] <= int(VALUES["settings"]["partitions"])
        assert "replicas" not in of_kind(chart, "StatefulSet")[role]["spec"]
    assert set(of_kind(chart, "HorizontalPodAutoscaler")) == {"api"}
    assert of_kind(chart, "StatefulSet")["ledger"]["spec"]["replicas"] == 3


def test_what_is_asked_before_kafka_is_there_is_what_answers_then(chart: list[Resource]) -> None:
    asked = {
        name: tuple(
            pod["containers"][0][probe]["httpGet"]["path"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        )
        for name, pod in pods(chart).items()
        if "startupProbe" in pod["containers"][0]
    }
    live, ready = "/health/live", "/health/ready"
    wanted = {"api": (live, live, live), "exporter": ("/metrics", "/metrics", "/metrics")}
    assert asked == wanted | dict.fromkeys(ROLES, (live, live, ready))


def test_the_api_serves_until_nobody_sends_to_it_any_more_and_has_time_to_end(chart: list[Resource]) -> None:
    pod = pods(chart)["api"]
    [command, pause_s] = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    limits = ConnectionLimits._field_defaults
    assert int(pause_s) + limits["grace_s"] < pod["terminationGracePeriodSeconds"]


def test_every_pod_is_confined(chart: list[Resource]) -> None:
    for name, pod in pods(chart).items():
        assert pod["automountServiceAccountToken"] is False, name
        assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsNonRoot"]) == (10001, True), name
        context = pod["containers"][0]["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_each_pod_has_a_policy_and_reaches_only_the_servers_that_it_names(chart: list[Resource]) -> None:
    policies, servers = of_kind(chart, "NetworkPolicy"), VALUES["networkPolicies"]["servers"]
    assert set(policies) == set(pods(chart))
    parts = {"api": VALUES["api"], "exporter": VALUES["exporter"]}
    parts |= VALUES["workers"] | VALUES["jobs"] | VALUES["backups"]
    for name, policy in policies.items():
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        ports = {rule["ports"][0]["port"] for rule in policy["spec"]["egress"]}
        named = {servers[server]["port"] for server in parts[name]["reaches"] if server in servers}
        assert ports == named | {53} | ({6066} if "workers" in parts[name]["reaches"] else set()), name
    assert not [name for name in (*VALUES["jobs"], *VALUES["backups"]) if policies[name]["spec"]["ingress"]]


STRIPE = ("api", "payments", "tools")
WITH_STRIPE = ("--set", "stripe.enabled=true,stripe.pageKey=pk_test_1,tools.enabled=true")


def way_out(policy: Resource) -> list[Resource]:
    """What a policy lets out of the cluster by HTTPS."""
    return [rule for rule in policy["spec"]["egress"] if rule["ports"] == [{"port": 443}]]


def test_only_where_stripe_is_the_provider_what_asks_it_may_leave_the_cluster(chart: list[Resource]) -> None:
    assert not [name for name, policy in of_kind(chart, "NetworkPolicy").items() if way_out(policy)]
    policies = of_kind(render(*WITH_STRIPE), "NetworkPolicy")
    assert {name for name, policy in policies.items() if way_out(policy)} == set(STRIPE)
    [rule] = way_out(policies["payments"])
    assert "10.0.0.0/8" in rule["to"][0]["ipBlock"]["except"]


def test_what_asks_stripe_has_its_keys_and_takes_it_for_new_payments(chart: list[Resource]) -> None:
    keys = {"stripe_key": "turnstile_stripe_key", "stripe_webhook_key": "turnstile_stripe_webhook_key"}
    for resources, having in ((chart, ()), (render(*WITH_STRIPE), STRIPE)):
        for name, pod in pods(resources).items():
            if name in VALUES["backups"]:
                continue
            told = environment(pod)
            assert (keys.items() <= mounted(pod).items()) is (name in having), name
            assert (told.get("TURNSTILE_PAYMENT_PROVIDER") == "stripe") is (name in having), name
            assert (told.get("TURNSTILE_STRIPE_PAGE_KEY") == "pk_test_1") is (name in having), name


def test_prometheus_finds_every_part_under_the_labels_of_the_alerts(chart: list[Resource]) -> None:
    monitors, services = of_kind(chart, "ServiceMonitor"), of_kind(chart, "Service")
    assert set(monitors) == set(services) == {"api", "exporter", *ROLES}
    for name, monitor in monitors.items():
        [endpoint] = monitor["spec"]["endpoints"]
        labels = {one["targetLabel"]: one["replacement"] for one in endpoint["relabelings"]}
        assert labels == ({"job": "worker", "role": name} if name in ROLES else {"job": name})
        assert endpoint["port"] in {port["name"] for port in services[name]["spec"]["ports"]}


def test_the_api_asks_every_ledger_worker_by_its_own_name_and_the_exporter_knows_how_many_are_wanted() -> None:
    given = "workers.ledger.replicas=4", "--set-string", "workers.ledger.settings.standbys=2"
    parts = pods(render("--set", *given))
    asked = environment(parts["api"])["TURNSTILE_WORKER_URL"].split(",")
    assert asked == [f"http://turnstile-ledger-{number}.turnstile-ledger:6066" for number in range(4)]
    told = environment(parts["exporter"])
    assert (told["TURNSTILE_LEDGER_WORKERS"], told["TURNSTILE_STANDBYS"]) == ("4", "2")


def test_an_image_is_taken_by_its_digest_where_one_is_given() -> None:
    [image] = {pod["containers"][0]["image"] for pod in served(render("--set", "image.digest=sha256:abc")).values()}
    assert image == "turnstile-app@sha256:abc"
