"""Locks the jars: resolves roots.toml in pure Python and notes the sha256 of each jar."""

import hashlib
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from jgo.maven import MavenContext

from stack.jars import ENVIRONMENTS, LOCKS, OPTIONAL


def resolve(coordinates: list[str], repository: Path) -> list[str]:
    """The lines of a lock file for these coordinates and everything that they need at run time."""
    context = MavenContext(repo_cache=repository, timeout=60)
    roots = [context.create_dependency(coordinate) for coordinate in coordinates]
    resolved = [root for root in roots if not root.artifact.classifier]
    nodes = context.resolver.get_dependency_list(resolved)[1] if resolved else []
    artifacts = [root.artifact for root in roots] + [node.dep.artifact for node in nodes]
    lines = {}
    for artifact in artifacts:
        digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
        names = (artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier)
        lines[":".join(name for name in names if name)] = digest
    return [f"{coordinate} {digest}" for coordinate, digest in lines.items()]


def lock() -> Iterator[str]:
    """Write one lock file per environment, and tell how many jars are in each."""
    roots = tomllib.loads((LOCKS / "roots.toml").read_text())
    with tempfile.TemporaryDirectory() as repository:
        for environment in ENVIRONMENTS + OPTIONAL:
            lines = resolve(roots[environment], Path(repository))
            (LOCKS / f"{environment}.lock").write_text("\n".join(lines) + "\n")
            yield f"{environment}: {len(lines)} jars"
