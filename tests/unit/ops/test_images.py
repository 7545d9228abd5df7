"""The Dockerfile and the files that go into the images."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from stack import jars
from stack.kafka_connect import KafkaConnect
from stack.settings import StackSettings

ROOT = Path(__file__).parents[3]
JARS_MODULE = ROOT / "stack" / "jars" / "__init__.py"
ALL_ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")}
# The module, and its members that stand in the same line.
IMPORTS = re.compile(
    r"^ *(?:from(?= [\w.]+ import )|import(?= [\w.]+(?: as \w+)?$)) ([\w.]+)(?: import ([\w, ]*))?", re.MULTILINE
)
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ARGUMENTS = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE))
STAGES = [
    (re.sub(r"\$\{(\w+)\}", lambda found: ARGUMENTS[found[1]], image), name)
    for image, name in re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
]


def stage(name: str) -> str:
    found = re.search(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_every_base_image_is_pinned_and_names_no_registry() -> None:
    for image, name in STAGES:
        if image in {stage for _, stage in STAGES}:
            continue
        assert re.fullmatch(r"([a-z]+/)?[a-z]+:\d+\.\d+\.\d+[\w.-]*", image), f"{name}: {image}"


def test_kafka_in_the_images_is_the_kafka_of_the_embedded_stack(services: dict[str, dict[str, str]]) -> None:
    version = next(jar.version for jar in jars.locked("kafka") if jar.artifact == "kafka_2.13")
    stages = {name: image for image, name in STAGES}
    assert (stages["kafka"], stages["connect"]) == (f"apache/kafka:{version}", "kafka")
    assert services["kafka"]["image"] == "turnstile-kafka"


@pytest.mark.parametrize("server", ["kafka", "connect"])
def test_the_agent_in_the_images_is_that_of_the_embedded_stack(
    services: dict[str, dict[str, dict[str, str]]], server: str
) -> None:
    [agent] = jars.locked("jmx")
    flag = services[server]["environment"]["KAFKA_OPTS"]
    assert flag == f"-javaagent:/opt/agent/{agent.name}=9404:/opt/agent/jmx-{server}.yml"


def test_elasticsearch_in_the_images_is_of_the_series_of_the_embedded_one(services: dict[str, dict[str, str]]) -> None:
    version = next(jar.version for jar in jars.locked("elasticsearch") if jar.artifact == "elasticsearch")
    name, _, tag = services["elasticsearch"]["image"].partition(":")
    assert (name, tag.rsplit(".", 1)[0]) == ("elasticsearch", version.rsplit(".", 1)[0])


def test_what_the_images_are_built_for_is_a_stage(services: dict[str, dict[str, dict[str, str]]]) -> None:
    targets = {service["build"]["target"] for service in services.values() if "build" in service}
    assert targets == {"app", "kafka", "connect"}
    assert targets <= {name for _, name in STAGES}


def test_the_app_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (.*)$", stage("app"), re.MULTILINE) == ["10001:10001"]


def test_its_user_may_read_the_files_whatever_umask_they_were_cloned_with() -> None:
    [after] = re.findall(r"^RUN chmod --recursive a\+rX /app$(.*)", stage("app"), re.MULTILINE | re.DOTALL)
    assert "USER" in after
    assert "COPY" not in after


def test_everything_is_installed_by_hash() -> None:
    commands = DOCKERFILE.replace("\\\n", " ")
    installs = re.findall(r"pip(?: --python \S+)? install (.*)$", commands, re.MULTILINE)
    assert len(installs) == 2
    assert all("--require-hashes -r /build/" in line for line in installs)


def test_the_version_of_the_images_is_that_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name in ("app", "kafka"):
        assert f"ARG VERSION={version}\n" in stage(name)
        assert 'org.opencontainers.image.version="${VERSION}"' in stage(name)


def test_no_image_has_what_is_for_development() -> None:
    assert "dev.lock" not in DOCKERFILE
    assert "python -m venv --without-pip /opt/venv" in stage("packages")
    assert "rm -rf /usr/local/lib/python3*/site-packages/*" in stage("app")


def test_the_packages_have_no_symbols_which_are_a_seventh_of_the_image() -> None:
    assert "-exec strip --strip-unneeded {} +" in stage("packages")
    assert "binutils" not in stage("app")


def test_the_stage_of_the_jars_installs_what_their_module_imports_in_the_versions_of_the_embedded_stack() -> None:
    needed = set(re.findall(r"^(?:from|import) (httpx|jgo)", JARS_MODULE.read_text(), re.MULTILINE))
    wanted = (ROOT / "requirements" / "jars.in").read_text().splitlines()[1:]
    assert {line.partition("==")[0] for line in wanted} == needed
    pins = [pins_of(name) for name in ("jars", "dev")]
    assert pins[0] <= pins[1]


def pins_of(lock: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", (ROOT / "requirements" / f"{lock}.lock").read_text(), re.MULTILINE))


def copies(name: str) -> Iterator[tuple[str, str]]:
    """What a stage copies from the project: source and target."""
    for line in re.findall(r"^COPY (?!--from)(.*)$", stage(name), re.MULTILINE):
        *sources, target = [word for word in line.split() if not word.startswith("--")]
        yield from ((source, target) for source in sources)


def files_of(source: str) -> list[str]:
    """The files of the project that copying one brings into an image: .dockerignore may hold some back."""
    path = ROOT / source
    found = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    return [name for each in found if is_let_through(name := str(each.relative_to(ROOT)))]


def is_let_through(name: str) -> bool:
    """Whether the last rule of .dockerignore that names a file, or a folder above it, lets it through."""
    return [rule for rule, pattern in IGNORED if pattern.fullmatch(name)][-1].startswith("!")


def pattern_of(rule: str) -> re.Pattern[str]:
    stars = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*"}
    words = re.split(r"(\*\*/|\*\*|\*)", rule.removeprefix("!"))
    return re.compile("".join(stars.get(word, re.escape(word)) for word in words) + "(/.*)?")


IGNORED = [(rule, pattern_of(rule)) for rule in (ROOT / ".dockerignore").read_text().splitlines()]


@pytest.mark.parametrize("name", ["packages", "app", "jars", "kafka", "connect"])
def test_everything_that_is_copied_exists_and_is_let_through(name: str) -> None:
    for source, _ in copies(name):
        assert (ROOT / source).exists(), source
        assert files_of(source), source


def test_what_is_in_the_image_imports_and_reads_nothing_that_is_not() -> None:
    there = {name for source, _ in copies("app") for name in files_of(source)}
    locked = {pin.partition("==")[0].partition("[")[0] for pin in pins_of("app")}
    packages = {top for top, names in packages_distributions().items() if locked & {normal(name) for name in names}}
    for name in there:
        if not name.endswith(".py"):
            continue
        text = (ROOT / name).read_text()
        for module, members in IMPORTS.findall(text):
            if module.partition(".")[0] not in ALL_ROOMS:
                assert module.partition(".")[0] in packages | sys.stdlib_module_names, f"{name}: {module}"
                continue
            path = module.replace(".", "/")
            places = [path, *(f"{path}/{member.split()[0]}" for member in members.split(", ") if member)]
            assert any({f"{place}.py", f"{place}/__init__.py"} & there for place in places), f"{name}: {module}"
        for up, parts in re.findall(r"__file__\)\.parents\[(\d)\]((?: / \"[\w.]+\")+)", text):
            folder = Path(name).parents[int(up)]
            wanted = folder.joinpath(*re.findall(r"[\w.]+", parts))
            assert any(Path(each).is_relative_to(wanted) for each in there), f"{name}: {wanted}"


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def test_the_plugin_is_fetched_from_the_manifest_by_code_that_needs_no_more_than_is_copied() -> None:
    copied = stage("jars")
    assert "jars.locked('debezium')" in copied
    assert "COPY stack stack" in copied
    imports = re.findall(r"^from stack\.(\w+)", JARS_MODULE.read_text(), re.MULTILINE)
    assert [f"!stack/{name}.py" for name in imports] == ["!stack/errors.py"]


def test_kafka_connect_is_configured_like_the_embedded_one(tmp_path: Path) -> None:
    lines = (ROOT / "ops" / "connect" / "worker.properties").read_text().splitlines()
    container = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    embedded = KafkaConnect(StackSettings(home=tmp_path, kafka_security=True))._configuration()
    assert set(container) == set(embedded)
    places = {"bootstrap.servers", "listeners", "rest.advertised.host.name", "plugin.path"}
    places.add("config.providers.directory.param.allowed.paths")
    assert {key: container[key] for key in container.keys() - places} == {
        key: str(embedded[key]).replace(str(tmp_path / "secrets" / "connect"), "/run/secrets")
        for key in embedded.keys() - places
    }
