# Prepares the environment and runs what is most often run; `make` lists it.

# Without STACK: what this machine has a Python for. Not asked for `make help`.
ifeq ($(STACK),)
ifneq ($(filter-out help test-all test-tf212,$(MAKECMDGOALS)),)
STACK := $(shell PYTHON='$(PYTHON)' scripts/bootstrap.sh --find-stack)
endif
endif
VENV ?= $(if $(filter stock,$(STACK)),.venv,.venv-$(STACK))
TESTS ?= tests -m 'not slow'
KILLS ?= 20
OUTPUT ?= bench-output

.PHONY: help env quickstart test test-tf212 test-scripts test-kill \
  test-kill-cluster test-all test-exports test-import fuzz env-peers bench \
  bench-compare

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make env           prepare the environment (about a minute the first time)
#: make quickstart    convert, train, evaluate, export and classify real digits
#: make test          run the tests but the slow ones, 10 to 15 minutes;
#:                    TESTS='tests/nets -k lenet' runs some
#:
#: Longer ones, minutes to hours:
#: make test-all      run all tests, about 40 minutes
#: make test-tf212    the smoke tests on TensorFlow 2.12, Python 3.8 to 3.11
#: make test-scripts  run each recipe of scripts/, the large networks too
#: make test-kill     kill -9 a training 20 times over and go on; KILLS=3 for
#:                    fewer
#: make test-kill-cluster
#:                    the same of each process of a distributed training, and
#:                    processes that are stopped, do not come or differ
#: make test-exports  compare all networks in all exported forms with their
#:                    checkpoints; NETWORKS='lenet vgg_16' does some
#: make test-import   compare imported weights with Keras, torchvision and timm
#:                    (STACK=tf2); ROWS='keras timm/vgg_16' does some, and
#:                    IMAGES='a.jpg b.jpg' trained weights from packages too
#: make env-peers     prepare PyTorch and Keras (Python 3.11 to 3.13, 7 GB), to
#:                    compare with: for make bench, make test-import
#: make bench         measure all stacks that exist, and the peers, into
#:                    OUTPUT=bench-output: small networks, few turns;
#:                    BENCH='--full' or '--only=step' does more or less
#: make bench-compare hold two such folders against each other: A=DIR B=DIR
#: make fuzz          feed damaged files to all that reads files; FUZZ='--seed=1'
#:
#: STACK=stock        TensorFlow 1.15.5, Python 3.7, in .venv
#: STACK=mkl          Intel's TensorFlow 1.15.2, Python 3.7, in .venv-mkl
#: STACK=tf2          TensorFlow 2.21.0, Python 3.10 to 3.13, in .venv-tf2
#: STACK=tf212        TensorFlow 2.12.1, Python 3.8 to 3.11, in .venv-tf212
#:                    Without it: stock where Python 3.7 is, tf2 elsewhere
#: PYTHON=PATH        the Python to make the environment with
#: VENV=DIR           directory of the environment

env:
	@STACK='$(STACK)' PYTHON='$(PYTHON)' VENV='$(VENV)' scripts/bootstrap.sh

quickstart: env
	@'$(VENV)/bin/python' examples/quickstart.py

# Each process takes half of the files, where big networks are built once, and
# what is left of the other half.
test: env
	@'$(VENV)/bin/python' -m pytest -q -n 2 --dist worksteal $(TESTS)

test-tf212:
	@'$(MAKE)' --no-print-directory test STACK=tf212 TESTS=tests/smoke.py

test-all:
	@'$(MAKE)' --no-print-directory test TESTS=tests

test-scripts: env
	@TEST_SCRIPTS=all '$(VENV)/bin/python' -m pytest -q --timeout=0 \
	  --durations=9 tests/scripts

test-kill: env
	@'$(VENV)/bin/python' -W ignore -m tests.programs.kill_and_resume \
	  --kills=$(KILLS)

test-kill-cluster: env
	@'$(VENV)/bin/python' -W ignore -m tests.programs.kill_cluster \
	  --kills=$(KILLS)
	@'$(VENV)/bin/python' -W ignore -m tests.programs.cluster_faults

test-exports: env .venv-openvino
	@TEST_EXPORTS=all '$(VENV)/bin/python' -m pytest -q --timeout=0 \
	  tests/exports
	@'$(VENV)/bin/python' -m tests.exports.all_networks $(NETWORKS)

test-import: env env-peers
	@PYTHON_OF_FRAMEWORKS=.venv-peers/bin/python \
	  '$(VENV)/bin/python' -W ignore -m tests.import_weights.compare $(ROWS)
	@TEST_IMPORT=all '$(VENV)/bin/python' -m pytest -q -k fine_tuning \
	  tests/image_classifier/import_weights/sources_test.py
	@[ -z '$(IMAGES)' ] || \
	  PYTHON_OF_FRAMEWORKS=.venv-peers/bin/python \
	  '$(VENV)/bin/python' -W ignore -m tests.import_weights.genuine $(IMAGES)

env-peers: .venv-peers

.venv-peers: requirements/peers.txt
	@"$$(STACK=tf2 scripts/bootstrap.sh --find-python)" -m venv --clear $@
	@$@/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

bench: env
	@'$(VENV)/bin/python' -W ignore -m benchmarks.bench \
	  --output_dir='$(OUTPUT)' $(BENCH)

bench-compare: env
	@'$(VENV)/bin/python' -W ignore -m benchmarks.bench --compare='$(A),$(B)'

.venv-openvino: requirements/openvino.txt
	@'$(VENV)/bin/python' -m venv --clear $@
	@$@/bin/python -m pip install -q --disable-pip-version-check -r $<
	@touch $@

fuzz: env
	@'$(VENV)/bin/python' -W ignore -m tests.fuzz.run $(FUZZ)
