#!/bin/sh
# Trains LeNet on MNIST for 20,000 steps and evaluates it on the test digits.
#
#   scripts/train_lenet_on_mnist.sh
#   scripts/train_lenet_on_mnist.sh --source=datasets/samples/mnist
#
# Writes to data/mnist and runs/lenet_on_mnist.
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

start lenet mnist test "$@"
convert "$@"
train 20000 --preprocessing_name=lenet --batch_size=50 \
  --learning_rate=0.01 --learning_rate_decay_type=fixed --optimizer=sgd \
  --weight_decay=0 --log_every_n_steps=100
