# Every target does the set-up that is missing: a fresh clone needs Python >= 3.11 with venv, make and
# git. Works with GNU make 3.81 and later.

SHELL := /bin/sh
BIN := .venv/bin
RUN_READY := .venv/.ready-run
DEV_READY := .venv/.ready-dev
SERVERS_READY := .venv/.ready-servers
WORKERS ?= 2
# One more than two cores: some of the fast tests wait.
FAST_WORKERS ?= 3
# Where the environment forbids bytecode, every worker would compile all tests anew.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/pytest

# make run HOST=0.0.0.0 TCP_PORT=7001 HTTP_PORT=7080 DATA=./data ARGS="--log-level debug"
# Only from make's command line: shells export a HOST or a PORT of their own.
given = $(if $(findstring command line,$(origin $(1))),$(if $($(1)),$(2) $($(1))))
SERVE = $(call given,HOST,--host) $(call given,TCP_PORT,--tcp-port) \
	$(call given,HTTP_PORT,--http-port) $(call given,DATA,--data-dir) $(call given,ARGS)
ifeq ($(origin PORT),command line)
$(error There are two ports: say TCP_PORT= or HTTP_PORT=)
endif

.PHONY: help run web chat demo setup test test-fast test-deps check format proto docs-settings bench soak

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' Makefile

run: $(RUN_READY) web-if-possible ## Run a server here (HOST=0.0.0.0 for the LAN; TCP_PORT=, HTTP_PORT=, DATA=, ARGS=)
	@$(BIN)/tinyqq serve $(SERVE)

web: $(RUN_READY) ## Build the web client, if web/ has changed
	@$(BIN)/python scripts/web_client.py

# Without it a server runs all the same, with a small page in its place.
.PHONY: web-if-possible
web-if-possible: $(RUN_READY)
	@$(BIN)/python scripts/web_client.py || true

chat: $(RUN_READY) ## Talk, in a second terminal (URL= of another server)
	@$(BIN)/tinyqq chat $(call given,URL) $(call given,ARGS)

demo: $(RUN_READY) web-if-possible ## Run a server with people, friendships, a group and a bot to try
	@$(BIN)/tinyqq demo $(SERVE)

setup: $(DEV_READY) ## Make .venv with everything for development

test: check $(SERVERS_READY) ## Everything that must hold: the checks, then all tests but soak
	@$(BIN)/python scripts/web_client.py build
	@$(BIN)/python scripts/web_client.py test
	@$(PYTEST) -q -n $(WORKERS) -m "not soak" --ignore=tests/architecture

test-fast: $(DEV_READY) ## The tests that need no processes, in under a minute (rules: make check)
	@$(PYTEST) -q -n $(FAST_WORKERS) -m "not soak and not slow and not needs" \
		--ignore=tests/architecture

test-deps: ## Install the servers that tests start for themselves (root; Debian, Ubuntu)
	@scripts/test-deps.sh

check: $(DEV_READY) ## Format, lint, types, import rules, generated files
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .venv/lint-imports.txt || { cat .venv/lint-imports.txt; exit 1; }
	@$(BIN)/python scripts/web_client.py check
	@$(BIN)/pytest -q tests/architecture

format: $(DEV_READY) ## Format and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

proto: $(DEV_READY) ## Generate src/tinyqq/_pb from proto/
	@$(BIN)/python -m grpc_tools.protoc -Iproto \
		--plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy \
		--python_out=src --mypy_out=src proto/tinyqq/_pb/*.proto
	@$(BIN)/python -m grpc_tools.protoc -Iproto \
		--plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
		--grpc_python_out=src --mypy_grpc_out=src proto/tinyqq/_pb/node.proto
	@$(BIN)/python scripts/web_client.py packages
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iproto \
		--plugin=protoc-gen-es=web/node_modules/.bin/protoc-gen-es \
		--es_out=web/src/core/wire/_pb --es_opt=target=ts,import_extension=none \
		proto/tinyqq/_pb/client.proto proto/tinyqq/_pb/content.proto

docs-settings: $(DEV_READY) ## Generate docs/reference/settings.md
	@mkdir -p docs/reference
	@$(BIN)/tinyqq config reference > docs/reference/settings.md

bench: $(DEV_READY) ## Measure; prints a table
	@$(BIN)/python -m bench $(call given,ARGS)

soak: $(DEV_READY) ## Open and close links between nodes a thousand times: memory must not grow
	@$(BIN)/python -m bench.node_stream --soak 1000

$(RUN_READY): pyproject.toml uv.lock
	@PYTHON="$(PYTHON)" scripts/setup.sh run
	@touch $@

$(DEV_READY): pyproject.toml uv.lock
	@PYTHON="$(PYTHON)" scripts/setup.sh dev
	@touch $(RUN_READY) $@

# Made only where all servers are there: elsewhere they are looked for again each time.
$(SERVERS_READY): scripts/test-deps.sh src/tinyqq/lab/servers/packages.txt | $(DEV_READY)
	@scripts/test-deps.sh auto $@
