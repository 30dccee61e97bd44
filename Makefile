# Needs Python 3.11-3.14 with pip, make and git; everything else comes from the hash-pinned locks in requirements/.
PY ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
DEMO_ARGS ?=
TEST_ARGS ?=

.PHONY: setup demo test test-all check bench assets messages lock format clean

setup: .venv/.run
demo: setup
	$(BIN)/rilon demo $(DEMO_ARGS)
test: .venv/.dev
	$(BIN)/python -m pytest -n 2 -m "not long" $(TEST_ARGS)
# The long ones by themselves, one after the other: they kill, fill and measure. 5: TEST_ARGS names none of that kind.
test-all: .venv/.dev
	@$(BIN)/python -m pytest -n 2 -m "not long" $(TEST_ARGS); quick=$$?; \
	$(BIN)/python -m pytest -m long $(TEST_ARGS); long=$$?; \
	echo "quick tests: $$quick, long tests: $$long"; \
	case $$quick$$long in 00|05|50) ;; *) exit 1;; esac
check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/unit/test_house.py
bench: .venv/.dev
	$(BIN)/python -m bench
assets: .venv/.dev
	$(BIN)/python web/build.py
messages: .venv/.dev
	$(BIN)/python web/messages.py $(LANGUAGE)
format: .venv/.dev
	$(BIN)/ruff check --fix-only -q . ; $(BIN)/ruff format -q .
clean:
	rm -rf .venv .tools

# uv is installed beside the project (not into the system's Python, which Debian guards) and pinned by hash like the rest.
$(UV): requirements/uv.txt
	@$(PY) -c 'import sys; sys.exit("RILON needs Python 3.11 to 3.14") if not (3, 11) <= sys.version_info[:2] <= (3, 14) else None'
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes --upgrade --target .tools -r requirements/uv.txt
	@touch $@
.venv/bin/python: | $(UV)
	$(UV) venv -q --allow-existing --python $(PY) .venv
.venv/.run: requirements/run.txt pyproject.toml | $(UV) .venv/bin/python
	$(UV) pip install -q --python .venv --require-hashes -r requirements/run.txt
	$(UV) pip install -q --python .venv --no-deps --no-build-isolation -e .
	@touch $@
.venv/.dev: requirements/dev.txt .venv/.run
	$(UV) pip install -q --python .venv --require-hashes -r requirements/dev.txt
	@touch $@

# Locks name versions and hashes, never an index host.
LOCK := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml
lock: | $(UV)
	$(LOCK) --extra embedded --extra build -o requirements/run.txt
	$(LOCK) --all-extras -o requirements/dev.txt
	echo 'uv==0.13.9' | $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate - -o requirements/uv.txt
