# Three images: `app` (API, workers, jobs), `kafka`, and `connect` (Kafka Connect with Debezium). A build argument takes
# another base: --build-arg PYTHON=python@sha256:…
# The official images' Python is built with profile-guided optimization (--enable-optimizations --with-lto).
ARG PYTHON=python:3.11.17-slim-bookworm
ARG KAFKA=apache/kafka:4.3.1

# pip works from an environment of its own, so that the one for the image has none. The compiled packages lose the
# symbols that only a debugger reads.
FROM ${PYTHON} AS packages
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/*
COPY requirements/app.lock /build/app.lock
RUN python -m venv /build/tools \
    && python -m venv --without-pip /opt/venv \
    && /build/tools/bin/python -m pip --python /opt/venv/bin/python install --no-cache-dir \
        --disable-pip-version-check --require-hashes -r /build/app.lock \
    && find /opt/venv -name '*.so*' -type f -exec strip --strip-unneeded {} +

FROM ${PYTHON} AS app
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Turnstile" \
      org.opencontainers.image.description="API, workers and jobs of a ticket sale that cannot oversell" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The base image's own pip is a tool of development.
RUN rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
    && groupadd --gid 10001 turnstile \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin turnstile \
    && install --directory --owner=turnstile --group=turnstile --mode=0700 /var/lib/turnstile /var/lib/snapshots
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY settings settings
COPY translations translations
COPY telemetry telemetry
COPY tables tables
COPY connect connect
COPY providers providers
COPY migrations migrations
COPY streams streams
COPY api api
COPY ops ops
COPY docs/operations.md docs/
COPY stack/__init__.py stack/errors.py stack/settings.py stack/paper.py stack/paper_books.py stack/paper_pages.py stack/
COPY stack/paper_templates stack/paper_templates
# In a clone that was made with another umask (077) only its owner may read the files.
RUN chmod --recursive a+rX /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
CMD ["python", "-m", "api"]

# The plugin's jars come from the manifest that the embedded stack uses, each checked against its sha256.
FROM ${PYTHON} AS jars
COPY requirements/jars.lock /build/jars.lock
RUN python -m venv /build/tools \
    && /build/tools/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/jars.lock
WORKDIR /build
COPY stack stack
RUN /build/tools/bin/python -c "from pathlib import Path; from stack import jars; \
    jars.fetch(Path('/plugin'), jars.locked('debezium')); jars.fetch(Path('/agent'), jars.locked('jmx'))"

# Kafka with the agent that tells Prometheus of it. The base image runs as its own user, appuser.
FROM ${KAFKA} AS kafka
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Kafka for Turnstile" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=jars --chmod=0444 /agent/*.jar /opt/agent/
COPY --chmod=0444 ops/prometheus/jmx-kafka.yml ops/prometheus/jmx-connect.yml /opt/agent/

FROM kafka AS connect
LABEL org.opencontainers.image.title="Kafka Connect for Turnstile"
COPY --from=jars --chmod=0444 /plugin/*.jar /opt/connect/plugins/debezium/
COPY --chmod=0444 ops/connect/worker.properties /opt/connect/worker.properties
EXPOSE 8083
CMD ["/opt/kafka/bin/connect-distributed.sh", "/opt/connect/worker.properties"]
