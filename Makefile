# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything is installed into .venv and .build by pip as this machine configures it. ONLY=words runs some gates only.

GATES = tests/gate/run.sh
IN_VENV = PATH="$(CURDIR)/.venv/bin:$$PATH" ANSIBLE_COLLECTIONS_PATH="$(CURDIR)/.build/collections"

.DEFAULT_GOAL := help
.PHONY: help quickstart test gate unit map bench bench-fleet test-fleet test-connections test-attacks test-browser bench-page fuzz test-selinux docs test-site catalogue pictures test-renovate release clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

quickstart: ## Pin real tools, put them on this machine, prove it: the whole story in a few minutes, without root
	@$(GATES) setup
	@$(IN_VENV) docs/quickstart/run.sh

test: ## Run the gates that every contributor needs; with ALL=yes, those of make gate, with HOSTS=yes, test-fleet beside them
	@$(GATES) $(if $(ALL),gate,test) $(if $(HOSTS),--real-hosts) --only "$(ONLY)"

gate: ## Run every gate, on the oldest and the newest ansible-core and every Python found
	@$(MAKE) --no-print-directory test ALL=yes

unit: ## Run unit tests only: all, or those that T=path or T=path::name names
	@$(GATES) unit --tests "$(or $(T),tests/unit)"

map: ## Write the map of packages and files into CONTRIBUTING.md, and the index of the guide
	@$(GATES) map

catalogue: ## Write what is made from the catalogue: docs/catalogue.md, and the table in docs/ci/renovate.json5
	@$(GATES) setup
	@$(IN_VENV) PYTHONPATH="$(CURDIR)/.build/collections" python3 tests/gate/catalogue_page.py
	@$(IN_VENV) python3 tests/gate/renovate.py

bench: ## Measure the promises in numbers
	@$(GATES) setup
	@$(IN_VENV) tests/bench/run

bench-fleet: ## Measure what a fleet costs, and write docs/fleet.md and docs/scale.md (needs root on Debian, 20 minutes)
	@$(GATES) setup
	@$(IN_VENV) python3 tests/bench/fleet/run.py
	@$(IN_VENV) python3 tests/bench/scale.py --write

test-fleet: ## Converge real hosts of many userlands, and audit 20 with planted faults (needs root on Debian)
	@$(GATES) setup
	@$(IN_VENV) tests/fleet/run
	@$(IN_VENV) tests/fleet/audit

test-connections: ## Converge one host over every connection, shell and way to become somebody (needs root on Debian, 4 minutes)
	@$(GATES) setup
	@$(IN_VENV) tests/fleet/anywhere

test-browser: ## Try the page of a fleet in Chromium (needs chromium and chromedriver, 3 minutes)
	@$(GATES) gate --only "in a browser"

bench-page: ## Measure how fast the page of 1,000 hosts with 50 tools each opens and filters in Chromium
	@$(GATES) page

test-attacks: ## Let local users try every attack in every role (needs root, takes hours)
	@PINNED_RELEASE_ATTACKS=all $(GATES) gate --only crashes

fuzz: ## Let a fuzzer try a reader of hostile bytes: READER=program SECONDS=60 (the readers are in tests/fuzz/readers.py)
	@$(GATES) fuzz --reader "$(READER)" --seconds "$(or $(SECONDS),60)"

test-selinux: ## Converge a virtual machine that enforces SELinux (needs root on Debian, 10 minutes)
	@$(GATES) setup
	@$(IN_VENV) PINNED_RELEASE_LAB_NAME=selinux tests/fleet/run tests/fleet/selinux.yml selinux

docs: ## Build the web site in .build/docs/build/html: guide, reference of every plugin, role, playbook and file
	@$(GATES) docs

test-site: ## Build the web site, try every page in Chromium as a phone shows it, and take pictures in .build/docs/pictures
	@$(GATES) site

test-renovate: ## Let Renovate find and raise the versions of a manifest (downloads 150 MB from npm and PyPI, 3 minutes)
	@$(GATES) renovate

pictures: ## Draw the pictures of README, docs and CONTRIBUTING anew (needs chromium and chromedriver)
	@$(GATES) draw

release: ## Make the files of a release from the commit that is checked out, with digests and a bill of materials
	@$(GATES) release

clean: ## Remove everything that the gates made
	rm -rf .venv .build tests/output .hypothesis .mypy_cache .pytest_cache .ruff_cache
