# What there is: `make`. Each target is one line of what it does; logic lives in Python files that mypy sees.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
BIN := .venv/bin
PYTHON := PYTHONPATH=tests:. $(BIN)/python
# Runs what follows as root: as it is for root, in namespaces of its own for a normal user, who is root there.
ROOT := $(PYTHON) -m lab.rootless
# In one process for all others: what they lack is said once there.
WORKERS_OF_ROOT = $(if $(filter 0,$(shell id -u)),2,0)
API ?= embedded
MODE ?= layer2
SEED ?= 1
# Where tests with namespaces are: to collect all others takes longer than some of these.
LABS := tests/lab tests/contract tests/manifests tests/speaker tests/cluster tests/test_bgp_docs.py

.DEFAULT_GOAL := help
.PHONY: help setup packages routers promtool demo test check format lint types arch proto proto-check docs sim unit lab image kube record cluster cluster-packages cluster-up cluster-down mutate bench bench-gate clean

help:  ## what there is to do here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: .venv/ready  ## install what the project needs (every target does this by itself)

.venv/ready: requirements.lock pyproject.toml tests/bootstrap.py
	@python3 tests/bootstrap.py

packages:
	@python3 tests/bootstrap.py packages iproute2 nftables curl util-linux

demo: setup packages  ## the whole job on real packets, in network namespaces; MODE=bgp behind a router; API=real for a real kube-apiserver
	@$(if $(filter bgp,$(MODE)),python3 tests/bootstrap.py packages bird2 && )$(if $(filter real,$(API)),$(PYTHON) -m cluster.build > /dev/null && )$(ROOT) $(BIN)/python -m lab.demo --mode $(MODE) --api $(API)

routers: setup
	@python3 tests/bootstrap.py packages bird2 frr gobgpd openbgpd tshark

promtool: setup
	@python3 tests/bootstrap.py packages prometheus

test: unit lab  ## every test but those that need the real kube-apiserver

check: lint types arch proto-check  ## format, lint, types, import contracts, generated code: what CI runs first

format: setup  ## write the house's format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: setup  ## format and lint, changing nothing
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: setup  ## mypy, strict
	@$(BIN)/mypy

arch: setup  ## import contracts and the house's own rules
	@$(BIN)/lint-imports && $(BIN)/pytest -q tests/test_architecture.py

proto: setup  ## generate bareway/rpc/v1 from proto/
	@$(PYTHON) tests/generate_rpc.py

proto-check: proto
	@git diff --exit-code --stat -- bareway/rpc/v1

docs: setup  ## write docs/flags.md, docs/reasons.md, docs/metrics.md and the tables of docs/configuration.md from the code, and what pages show of a terminal
	@$(PYTHON) tests/generate_docs.py && $(PYTHON) tests/generate_completion.py && $(PYTHON) -m support.refreshing

sim: setup  ## replay one seed in virtual time: make sim SEED=7, of controllers or routers: make sim WORLD=control SEED=7
	@$(PYTHON) -m sim$(addprefix .,$(WORLD)) $(SEED)

unit: setup  ## the quick tests alone: no root, no namespaces
	@echo "test: the quick ones, two at a time" && $(BIN)/pytest -n 2 --dist worksteal -q -m 'not real and not lab and not cluster'

lab: setup packages routers promtool  ## the tests in network namespaces alone
	@echo "test: many speakers in the lab, one test at a time, since two cores hardly bear them" && $(ROOT) $(BIN)/pytest -q -m 'crowd and not real' tests/lab
	@echo "test: the lab, two at a time, since it waits for real clocks" && $(ROOT) $(BIN)/pytest -n 2 --dist loadfile -m 'lab and not crowd and not host and not real and not cluster' $(LABS)
	@echo "test: what root alone can do" && $(BIN)/pytest -n $(WORKERS_OF_ROOT) --dist loadfile -q -m 'host and not real and not cluster' $(LABS)

image: setup  ## the container image as an OCI archive in dist/, without Docker
	@$(PYTHON) -m cluster.image

kube: setup packages  ## build the real kube-apiserver (minutes, once) and run the contract and lab tests against it
	@$(PYTHON) -m cluster.build && $(ROOT) $(BIN)/pytest -n 2 -q -m 'real and not lab and not cluster' tests/contract tests/manifests tests/cluster
	@$(ROOT) $(BIN)/pytest -q -m 'real and lab' tests/lab

record: setup packages  ## write down anew what the programs ask an API server: after a change of that
	@$(PYTHON) -m cluster.build && $(ROOT) $(BIN)/python -m cluster.recording

cluster-packages: packages
	@python3 tests/bootstrap.py packages containerd runc containernetworking-plugins conntrack bird2

cluster: setup cluster-packages  ## install on a real cluster of three kubelet nodes, and break it: five to seven minutes
	@$(PYTHON) -m cluster.ring build && $(BIN)/pytest -m cluster tests/cluster

cluster-up: setup cluster-packages  ## the same cluster for a person to look at: prints its kubeconfig
	@$(PYTHON) -m cluster.build && $(PYTHON) -m cluster.ring up --bareway

cluster-down: setup  ## end it
	@$(PYTHON) -m cluster.ring down

mutate: setup  ## break a package in thousands of ways and count what its tests notice: make mutate ONLY=decide; ONLY='decide layer2' COMMIT=HEAD SAMPLE=1000 MINUTES=90
	@$(PYTHON) -m mutation $(ONLY) $(addprefix --commit ,$(COMMIT)) $(addprefix --sample ,$(SAMPLE)) $(addprefix --minutes ,$(MINUTES)) $(addprefix --workers ,$(WORKERS)) $(if $(ON),--on) $(if $(AGAIN),--again)

bench: setup packages  ## measure and print JSON, every trial kept: make bench TRIALS=10; ONLY=controller; ONLY=layer2 SCENARIO=power-off NODES=8
	@python3 tests/bootstrap.py packages keepalived serf bird2 $(if $(filter bgp,$(ONLY)),frr gobgpd) && $(PYTHON) -m bench$(addprefix .,$(ONLY)) $(addprefix --trials ,$(TRIALS)) $(addprefix --scenario ,$(SCENARIO)) $(addprefix --nodes ,$(NODES)) $(addprefix --profile ,$(PROFILE)) $(addprefix --family ,$(FAMILY)) $(addprefix --addresses ,$(ADDRESSES)) $(addprefix --loss ,$(LOSS)) $(addprefix --minutes ,$(MINUTES)) $(addprefix --hours ,$(HOURS)) $(addprefix --runs ,$(RUNS))

bench-gate: setup packages  ## a powered-off node is replaced in less than a third of keepalived's time, same run
	@python3 tests/bootstrap.py packages keepalived && $(PYTHON) -m bench.gate

clean:  ## remove what the lab left behind and what was built here
	@if [ -x $(BIN)/python ]; then $(PYTHON) -m lab clean || true; fi; rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
