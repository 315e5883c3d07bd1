# make run    set up (once) and open the app in the browser; options: make run ARGS="--port 8000"
# make test   set up (once), lint, and run every test, those in a real browser too
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install
APT := apt-get install -y -q --no-install-recommends

.PHONY: run test ready format clean

run: .venv/run.stamp
	$(BIN)/python app.py $(ARGS)

test:
	@$(MAKE) --no-print-directory --jobs=2 ready  # Chromium comes while pip works
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

ready: .venv/test.stamp .venv/browser.stamp .venv/ort.stamp
	@:

format: .venv/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .pytest_cache .ruff_cache test-results

# The stamps are newer than the requirements they were made from, so a second run installs nothing.
.venv/run.stamp: requirements.txt | $(BIN)/python
	$(PIP) -r requirements.txt
	@touch $@

.venv/test.stamp: requirements.txt requirements-dev.txt | $(BIN)/python
	$(PIP) -r requirements-dev.txt
	@touch $@ .venv/run.stamp

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 run")'
	$(PYTHON) -m venv .venv || { rm -rf .venv; echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

# The browser tests need a Chromium; Debian has one without windows, which is faster. Without any they are skipped, or
# fail where CI is set.
.venv/browser.stamp: | $(BIN)/python
	@$(BIN)/python tests/chromium.py 2>/dev/null || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -q && { $(APT) chromium-headless-shell || $(APT) chromium; }; } || true
	@if $(BIN)/python tests/chromium.py; then touch $@; fi

# The tests of exported web pages need ONNX Runtime Web, an npm package; npm fetches it once, into exports/.
# Without it they are skipped, or fail where CI is set. After the browser: two apt-get at once get in each other's way.
.venv/ort.stamp: .venv/test.stamp | .venv/browser.stamp
	@$(BIN)/python tests/ort_files.py 2>/dev/null || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -q && $(APT) npm; } || true
	@if $(BIN)/python tests/ort_files.py; then touch $@; fi
