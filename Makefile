# Prepares the environment and runs what is most often run; `make` lists it.

STACK ?= stock
VENV ?= $(if $(filter stock,$(STACK)),.venv,.venv-$(STACK))
TESTS ?= tests
KILLS ?= 20

.PHONY: help env quickstart test test-scripts test-kill test-exports fuzz

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make env           prepare the environment (about a minute the first time)
#: make quickstart    convert, train, evaluate, export and classify real digits
#: make test          run the tests; TESTS='tests/nets -k lenet' runs some
#:
#: Longer ones, minutes to hours:
#: make test-scripts  run each recipe of scripts/, the large networks too
#: make test-kill     kill -9 a training 20 times over and go on; KILLS=3 for
#:                    fewer
#: make test-exports  compare all networks in all exported forms with their
#:                    checkpoints; NETWORKS='lenet vgg_16' does some
#: make fuzz          feed damaged files to all that reads files; FUZZ='--seed=1'
#:
#: STACK=stock        TensorFlow 1.15.5, Python 3.7, in .venv (the default)
#: STACK=mkl          Intel's TensorFlow 1.15.2, Python 3.7, in .venv-mkl
#: STACK=tf2          TensorFlow 2.12.1, Python 3.8 to 3.11, in .venv-tf2
#: PYTHON=PATH        the Python to make the environment with
#: VENV=FOLDER        where the environment goes

env:
	@STACK='$(STACK)' PYTHON='$(PYTHON)' VENV='$(VENV)' scripts/bootstrap.sh

quickstart: env
	@'$(VENV)/bin/python' examples/quickstart.py

# A file of tests stays in one process, where it builds a big network once.
test: env
	@'$(VENV)/bin/python' -m pytest -q -n 2 --dist loadfile $(TESTS)

test-scripts: env
	@TEST_SCRIPTS=all '$(VENV)/bin/python' -m pytest -q --durations=9 tests/scripts

test-kill: env
	@'$(VENV)/bin/python' -W ignore -m tests.programs.kill_and_resume \
	  --kills=$(KILLS)

test-exports: env
	@TEST_EXPORTS=all '$(VENV)/bin/python' -m pytest -q tests/exports
	@'$(VENV)/bin/python' -m tests.exports.all_networks $(NETWORKS)

fuzz: env
	@'$(VENV)/bin/python' -W ignore -m tests.fuzz.run $(FUZZ)
