"""Elasticsearch from its jars alone, in a Python process of its own (stack/search_node.py)."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

from stack import jars
from stack.child import Command
from stack.java import JAVA_ENVIRONMENT, log_to_console
from stack.member import HOST, StackMember, answers, emptied, write

TRANSPORT = "transport-netty4"
IN_MODULE = (TRANSPORT, "elasticsearch-ssl-config")
DESCRIPTOR = "plugin-descriptor.properties"


class Elasticsearch(StackMember):
    """A cluster of one node."""

    name = "elasticsearch"

    def preparations(self) -> Sequence[Command]:
        """Lay out the home folder of a distribution: lib/, modules/, config/."""
        self._lay_out()
        quiet = {"org__elasticsearch__nativeaccess": "error", "org__elasticsearch__features": "warn"}
        write(self.folder / "config" / "log4j2.properties", log_to_console(**quiet))
        return ()

    def command(self) -> Command:
        ports = (str(self.settings.elasticsearch_port), str(self.settings.elasticsearch_transport_port))
        argv = (sys.executable, "-m", "stack.search_node", str(self.folder), self.settings.elasticsearch_heap, *ports)
        return Command(argv, self.log, env=JAVA_ENVIRONMENT, cwd=Path(__file__).parents[1], death_signal=signal.SIGTERM)

    def ready(self) -> bool:
        """Whether the node is a cluster that answers."""
        return answers(f"http://{HOST}:{self.settings.elasticsearch_port}/_cluster/health")

    def _lay_out(self) -> None:
        library, module = emptied(self.folder / "lib"), emptied(self.folder / "modules" / TRANSPORT)
        for jar in jars.locked("elasticsearch"):
            in_module = jar.artifact in IN_MODULE or jar.artifact.startswith("netty-")
            ((module if in_module else library) / jar.name).symlink_to(self.settings.jars / jar.name)
            if jar.artifact == TRANSPORT:
                with ZipFile(self.settings.jars / jar.name) as archive:
                    descriptor = archive.read(f"META-INF/es-plugins/{TRANSPORT}/{DESCRIPTOR}")
                (module / DESCRIPTOR).write_bytes(descriptor)
