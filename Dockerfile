# Three images: `app` (API, workers, bootstrap), `kafka`, and `connect` (Kafka Connect with Debezium).
FROM python:3.11.13-slim-bookworm AS packages
COPY requirements/app.lock /build/app.lock
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/app.lock

FROM python:3.11.13-slim-bookworm AS app
RUN groupadd --gid 10001 turnstile \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin turnstile \
    && install --directory --owner=turnstile --group=turnstile --mode=0700 /var/lib/turnstile
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY settings.py setting_types.py ./
COPY telemetry telemetry
COPY tables tables
COPY connect connect
COPY migrations migrations
COPY streams streams
COPY api api
COPY ops ops
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
CMD ["python", "-m", "api"]

# The plugin's jars come from the manifest that the embedded stack uses, each checked against its sha256.
FROM python:3.11.13-slim-bookworm AS jars
COPY requirements/dev.lock /build/dev.lock
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/dev.lock
WORKDIR /build
COPY stack stack
RUN python -c "from pathlib import Path; from stack import jars; \
    jars.fetch(Path('/plugin'), jars.locked('debezium')); jars.fetch(Path('/agent'), jars.locked('jmx'))"

# Kafka with the agent that tells Prometheus of it. The base image runs as its own user, appuser.
FROM apache/kafka:4.1.2 AS kafka
COPY --from=jars --chmod=0444 /agent/*.jar /opt/agent/
COPY --chmod=0444 ops/prometheus/jmx-kafka.yml ops/prometheus/jmx-connect.yml /opt/agent/

FROM kafka AS connect
COPY --from=jars --chmod=0444 /plugin/*.jar /opt/connect/plugins/debezium/
COPY --chmod=0444 ops/connect/worker.properties /opt/connect/worker.properties
EXPOSE 8083
CMD ["/opt/kafka/bin/connect-distributed.sh", "/opt/connect/worker.properties"]
