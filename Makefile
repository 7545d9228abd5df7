# Turnstile's commands; `make` alone lists them. Nothing but Python (3.11, 3.12 or 3.13) and make has to be installed.
.DEFAULT_GOAL := help
.PHONY: help install run worker servers test server-tests servers-e2e servers-chaos check unit unit-pythons lint format containers containers-quick deployment structure bench chaos demo screenshots browser dlq reindex status verify backup drill rehearsal clean-data secrets settings metrics runbooks openapi contract strimzi translations lock
SHELL := /bin/bash
# With their byte code kept, test files are collected in half the time, and processes start sooner.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
CHOSEN = $$(stack/find_python.sh $(PYTHON))
# What the order of the tests is drawn from.
ORDER ?= 20261128
PYTEST := $(BIN)/python -m pytest --randomly-seed=$(ORDER)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
CONTAINERS_TIMEOUT_S := 300
# Shared by all clones, by the hashes of files: what mypy has checked, and the constants that Hypothesis finds in the code.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/turnstile
MYPY_CACHE := $(CACHE)/mypy
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis
# Two halves of the tests on servers, each on a stack and ports of its own: their tests mostly wait.
SERVER_PARTS := servers-chaos servers-e2e
BOTH := $(MAKE) --no-print-directory --jobs=2 --output-sync=target
# Tests have their files in memory if so many GB of it are free and may hold programs: a disk syncs every table.
MEMORY = $(shell awk '$$2 == "/dev/shm" && $$4 !~ /noexec/' /proc/mounts 2>/dev/null | grep -q . && \
  df -Pk /dev/shm | awk 'NR == 2 && $$4 > $(1) * 1048576 { print "PYTEST_DEBUG_TEMPROOT=" $$6 }')
IN_MEMORY := -o tmp_path_retention_policy=failed
UNIT = $(call MEMORY,1) $(PYTEST) -q -p no:schemathesis $(IN_MEMORY) --durations=40 -p tests.unit.parallel --processes 8
ON_SERVERS = $(call MEMORY,8) $(PYTEST) $(IN_MEMORY) --durations=40
STACK := env $(if $(WORKERS),TURNSTILE_WORKERS=$(WORKERS)) $(if $(BROKERS),TURNSTILE_BROKERS=$(BROKERS)) $(if $(KAFKA_SECURITY),TURNSTILE_KAFKA_SECURITY=$(KAFKA_SECURITY)) $(if $(PAPER),TURNSTILE_PAPER=$(PAPER))
CODE := settings translations telemetry tables connect providers migrations streams api stack ops lab tests examples

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## build the virtual environment from the lock file; anew if another Python is the best now; PYTHON=3.12 with the best of that series
	@python=$(CHOSEN) && \
	{ [ -L $(VENV) ] || [ "$$(cat $(STAMP) 2>/dev/null)" = "$$python" ] || rm -f $(STAMP); } && \
	$(MAKE) --no-print-directory $(STAMP) CHOSEN="$$python"

# It holds which Python the environment was made with. Most modules are never imported, so pip compiles none.
$(STAMP): requirements/dev.lock
	@set -e; \
	if [ -L $(VENV) ]; then echo "$(VENV) is a link: what it leads to is taken as it is" >&2; exit; fi; \
	python=$(CHOSEN); \
	echo "installing into $(VENV)"; \
	[ "$$(cat $@ 2>/dev/null)" = "$$python" ] || rm -rf $(VENV); \
	"$$python" -m venv $(VENV); \
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements/dev.lock; \
	echo "$$python" >$@

run: $(STAMP) ## start everything, Ctrl-C stops it; WORKERS=3, BROKERS=3 for more of them, ZIPKIN=1 with traces, KAFKA_SECURITY=1 with users and rights in Kafka, PAPER=hostile with a provider of payments that lies
	@exec $(STACK) $(BIN)/python -m stack run $(if $(ZIPKIN),--zipkin)

worker: $(STAMP) ## one more worker beside make run, in a terminal of its own; Ctrl-C takes it away; ROLE=indexer
	@exec $(BIN)/python -m stack worker $(ROLE)

servers: $(STAMP) ## start the five servers alone; Ctrl-C stops them
	@exec $(BIN)/python -m stack servers

test: unit server-tests ## run every test, the ones on real servers included; ORDER=7 in another order

server-tests: $(STAMP) browser ## the tests on real servers alone, in two halves at once; each half prints when it is done
	@$(BOTH) $(SERVER_PARTS)

servers-e2e: $(STAMP) browser
	TURNSTILE_FREE_PORTS=20000-25999 $(ON_SERVERS) -p no:schemathesis tests/e2e tests/edges

servers-chaos: $(STAMP) browser
	TURNSTILE_FREE_PORTS=26000-32767 $(ON_SERVERS) tests/chaos tests/integration

check: $(STAMP) ## linters, formatter, types, import contracts, unit tests, on two cores: about 65 s, a first time 85
	@$(BOTH) lint unit

# With a + make prints what comes as it comes, also beside the linters.
unit: $(STAMP) ## the unit tests alone, in several processes
	+$(UNIT) tests/unit

unit-pythons: ## the unit tests under each of Python 3.11, 3.12 and 3.13 that is here, in environments of their own
	@set -e; found=$$(stack/find_python.sh --each); failed=; \
	while read -r series python; do \
	  echo "unit tests under Python $$series: $$python"; \
	  $(MAKE) --no-print-directory install unit VENV=.venvs/$$series PYTHON="$$python" </dev/null || failed="$$failed $$series"; \
	done <<<"$$found"; \
	if [ -n "$$failed" ]; then echo "unit tests failed under Python$$failed" >&2; exit 1; fi

lint: $(STAMP) ## what of make check runs no test
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/python -m mypy --cache-dir "$(MYPY_CACHE)"
	$(BIN)/python $(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: $(STAMP) ## let the formatter and the linter change what they can
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

structure: $(STAMP) ## sizes, import chain, circles, names of the code; WITH=../another beside that checkout's
	@$(BIN)/python -m lab.structure $(if $(WITH),--tree "$(WITH)" --tree .) --detail

demo: $(STAMP) ## an on-sale of 500 tickets and one that is paid online, against what make run started; PAPER=hostile with a provider that lies; HALL=1 a hall of 2,000 seats, drawn before and after
	@$(BIN)/python -m lab.demo $(if $(HALL),hall,sell $(if $(PAPER),--paper $(PAPER)))

bench: $(STAMP) ## measure everything into lab/bench/results; ONLY="ledger.many ledger.hot" only these
	@$(BIN)/python -m lab.bench run $(ONLY)

screenshots: $(STAMP) ## pictures of all pages into docs/images, on servers of its own; needs a Chromium
	@$(BIN)/python -m lab.demo screenshots

browser: ## install Debian's Chromium for the tests of the pages, where that can be done
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get update && apt-get install -y --no-install-recommends chromium; } >/dev/null 2>&1; then \
	  echo "installed chromium"; \
	else echo "THERE IS NO CHROMIUM AND NONE COULD BE INSTALLED: the tests of the pages will be skipped" >&2; fi

containers: $(STAMP) ## build the image and run its parts as docker-compose.yml says, beside embedded servers; needs root on Debian, or podman and a base image
	$(BIN)/python -m pytest tests/containers -s -v -p no:randomly --timeout=1200

containers-quick: $(STAMP) ## make containers where the image was built before, for five minutes at most; else it says so
	@if podman image exists turnstile-app:$(VERSION) 2>/dev/null; then \
	  timeout --signal=INT --kill-after=60 $(CONTAINERS_TIMEOUT_S) env --default-signal=INT $(MAKE) --no-print-directory containers || { code=$$?; \
	    [ $$code = 124 ] || exit $$code; echo "CONTAINERS NOT TESTED: they took more than $(CONTAINERS_TIMEOUT_S) s" >&2; }; \
	else echo "CONTAINERS NOT TESTED: no image was built here yet; make containers does it" >&2; fi

deployment: $(STAMP) ## the tests of deployment files that need programs made with Go, which it builds first
	@$(BIN)/python -m tests.golang
	$(PYTEST) tests/unit/deploy -q -rs

chaos: $(STAMP) ## sell while everything is killed, paused, cut off: SEED=1 MINUTES=10, WITHOUT="index version" as a control
	@$(BIN)/python -m lab.chaos run --seed $(or $(SEED),1) --minutes $(or $(MINUTES),10) $(if $(WITHOUT),--without "$(WITHOUT)")

dlq: $(STAMP) ## dead letters: make dlq DO="list", "show ID", "replay ID", "replay --all mailer", "count"
	@./turnstile dlq $(or $(DO),list)

reindex: $(STAMP) ## build the search index anew from PostgreSQL, while changes go on
	@./turnstile reindex

status: $(STAMP) ## every part in a line, of what make run started; ./turnstile --help for more
	@./turnstile status

verify: $(STAMP) ## hold the promises against live data: the ledger's sums, the search index, the replication slots
	@./turnstile verify

backup: $(STAMP) ## a set of backups of what make run started, into backups/; the 7 newest are kept: TO=folder KEEP=7
	@$(BIN)/python -m stack backup-all "$(or $(TO),backups)" --keep $(or $(KEEP),7)

drill: $(STAMP) ## on servers of its own: sell, back up, destroy, restore, check every promise, tell the minutes
	@$(BIN)/python -m lab.demo drill

rehearsal: $(STAMP) ## on servers of its own: sell with the checkout FROM, upgrade to this one, check every promise
	@$(BIN)/python -m lab.demo rehearsal "$(or $(FROM),../old)"

clean-data: $(STAMP) ## delete the data folder, so that the next run starts afresh
	@$(BIN)/python -m stack clean

secrets: ## make the secret files that docker compose wants, once; nothing but Python is needed
	@python3 -m ops.secrets

settings: $(STAMP) ## write docs/settings.md anew from the code
	@$(BIN)/python -m ops docs settings --write

metrics: $(STAMP) ## write docs/metrics.md anew from the code
	@$(BIN)/python -m ops docs metrics --write

runbooks: $(STAMP) ## write the dashboard of runbooks anew from docs/operations.md
	@$(BIN)/python -m ops docs runbooks --write

openapi: $(STAMP) ## write docs/openapi.json anew from the code
	@$(BIN)/python -m ops docs openapi --write

contract: $(STAMP) ## write docs/asyncapi.json and docs/schemas.json anew from the code
	@$(BIN)/python -m ops docs asyncapi --write
	@$(BIN)/python -m ops docs schemas --write

strimzi: $(STAMP) ## write the topics and users of deploy/examples anew from the code
	@$(BIN)/python -m tests.unit.deploy.strimzi

translations: $(STAMP) ## bring the catalogues of texts up to date with the code
	@$(BIN)/python -m translations

lock: $(STAMP) ## compile the lock files anew (needs uv); the jars' too
	uv pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.11 \
	  -o requirements/dev.lock requirements/dev.in
	uv pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.11 \
	  -c requirements/dev.lock -o requirements/app.lock requirements/app.in
	uv pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.11 \
	  -c requirements/dev.lock -o requirements/jars.lock requirements/jars.in
	$(BIN)/python -m stack jars
