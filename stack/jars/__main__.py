"""Writes the lock files anew: resolves roots.toml in pure Python and notes each jar's sha256."""

import hashlib
import tempfile
import tomllib
from pathlib import Path

from jgo.maven import MavenContext

from stack.jars import ENVIRONMENTS, LOCKS


def resolve(coordinates: list[str], repository: Path) -> list[str]:
    """The lines of a lock file for these coordinates and everything that they need at run time."""
    context = MavenContext(repo_cache=repository, timeout=60)
    roots = [context.create_dependency(coordinate) for coordinate in coordinates]
    _, nodes = context.resolver.get_dependency_list(roots)
    artifacts = [root.artifact for root in roots] + [node.dep.artifact for node in nodes]
    lines = {}
    for artifact in artifacts:
        digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
        lines[f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"] = digest
    return [f"{coordinate} {digest}" for coordinate, digest in lines.items()]


def main() -> None:
    """Write one lock file per environment."""
    roots = tomllib.loads((LOCKS / "roots.toml").read_text())
    with tempfile.TemporaryDirectory() as repository:
        for environment in ENVIRONMENTS:
            lines = resolve(roots[environment], Path(repository))
            (LOCKS / f"{environment}.lock").write_text("\n".join(lines) + "\n")
            print(f"{environment}: {len(lines)} jars")


if __name__ == "__main__":
    main()
