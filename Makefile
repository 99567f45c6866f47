# The lines behind these targets stand in README.md, for people without make.
PYTHON ?= python3
BIN := .venv/bin
RUN := OMP_NUM_THREADS=1
# Tests at a time; `make test AT_ONCE=8` where there are more cores.
AT_ONCE ?= 2

.PHONY: demo test test-full check format embedded screenshots

.venv/demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable . --constraint constraints.txt
	touch $@

.venv/dev: .venv/demo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --requirement requirements-dev.txt
	touch $@

demo: .venv/demo  ## install, and train on the embedded data
	$(BIN)/wbtui run --preset digits_lt
	@command -v wbtui > /dev/null || echo '. .venv/bin/activate makes wbtui a command of this shell'

test: .venv/dev  ## install, and run every test
	$(RUN) $(BIN)/python -m pytest -n $(AT_ONCE) --dist worksteal

test-full: .venv/dev  ## the long form: many more examples and kills
	$(RUN) WBTUI_EXAMPLES=2000 WBTUI_KILLS=50 WBTUI_SECONDS=30 $(BIN)/python -m pytest -n $(AT_ONCE) --dist worksteal --timeout 3600

check: .venv/dev  ## format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

embedded: .venv/demo  ## train the runs of docs/embedded.md and write the page from their folders
	for preset in digits_lt glyphs_lt; do \
	  $(BIN)/wbtui run --runs runs/embedded --preset $$preset --variant ce,wd,wd_fr_etf,wb --seed 0,1,2 || exit 1; done
	$(BIN)/python benchmarks/embedded.py --runs runs/embedded

screenshots: .venv/demo  ## train on the digits and take the pictures of docs/dashboard.md
	$(RUN) $(BIN)/python -m docs.screenshots
