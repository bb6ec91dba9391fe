# The commands anyone types; `make` alone lists them.

.DEFAULT_GOAL := list
.PHONY: list up down status logs demo test bench check clean

# An environment somebody else activated is not ours.
unexport VIRTUAL_ENV
# Without it each of hundreds of processes compiles every module it imports: half of its start, and of finding the tests.
unexport PYTHONDONTWRITEBYTECODE
# The interpreter is the machine's own.
export UV_PYTHON_DOWNLOADS := never

UV = $(or $(shell command -v uv 2>/dev/null),.run/tools/bin/uv)
STACK = .venv/bin/python -m local_stack
TYPED = $(patsubst %/,%,$(sort $(dir $(wildcard libs/*/ services/*/ deploy/local/)))) deploy/grafana tests $(if $(wildcard benchmarks/*.py),benchmarks)
PACKAGES = $(notdir $(patsubst %/pyproject.toml,%,$(wildcard services/*/pyproject.toml))) sandbox local-stack kabar-cli

.venv:
	@deploy/local/bootstrap

list:
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 17

up: ## start everything, print the address, an admin token and a request to paste
	@deploy/local/bootstrap
	@$(STACK) up

down: ## stop everything, keep what is stored
	@if [ -x .venv/bin/python ]; then $(STACK) down; fi

status: .venv ## one line per process; fails when one is not ready
	@$(STACK) status

logs: .venv ## follow the services' logs; of one or of a server with service=mongodb
	@$(STACK) logs --service="$(service)"

demo: ## start everything and show what it does
	@deploy/local/bootstrap
	@$(STACK) demo

test: ## run all tests with servers of their own; some with args="-k name"
	@deploy/local/bootstrap --tests
	@.venv/bin/python -m tests $(args)

bench: ## every speed beside a peer's in the same run; args="--only planning,webhooks", or "--messages 20000"
	@deploy/local/bootstrap --tests
	@.venv/bin/python -m benchmarks $(args)

check: ## style, types, import rules, declared dependencies
	@deploy/local/bootstrap
	$(UV) lock --check
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(TYPED)
	.venv/bin/lint-imports
	@# The shared environment hides an undeclared dependency; one with a single package in it does not.
	@for package in $(PACKAGES); do \
		module=$$(echo "$$package" | tr - _); \
		echo "$$package imports what it declares"; \
		$(UV) run --quiet --locked --isolated --no-dev --package "$$package" python -c "import $$module.__main__" || exit 1; \
	done

clean: ## stop everything, delete what is stored and every cache
	@if [ -x .venv/bin/python ]; then $(STACK) clean; else rm -rf .run; fi
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
