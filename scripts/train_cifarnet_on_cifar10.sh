#!/bin/sh
# Trains CifarNet on CIFAR-10 for 100,000 steps and evaluates it on the test
# split.
#
#   scripts/train_cifarnet_on_cifar10.sh
#   scripts/train_cifarnet_on_cifar10.sh --source=cifar-10-python.tar.gz
#
# Writes to data/cifar10 and runs/cifarnet_on_cifar10.
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

start cifarnet cifar10 test "$@"
convert "$@"
train 100000 --preprocessing_name=cifarnet --batch_size=128 \
  --save_interval_secs=120 --save_summaries_secs=120 --log_every_n_steps=100 \
  --optimizer=sgd --learning_rate=0.1 --learning_rate_decay_factor=0.1 \
  --num_epochs_per_decay=200 --weight_decay=0.004
