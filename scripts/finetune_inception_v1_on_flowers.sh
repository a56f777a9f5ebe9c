#!/bin/sh
# Fine-tunes Inception V1 on the flower photographs: its head for 3,000 steps,
# then all layers for 1,000; evaluates after each.
#
#   scripts/finetune_inception_v1_on_flowers.sh
#   CHECKPOINT=inception_v1.ckpt \
#     scripts/finetune_inception_v1_on_flowers.sh --source=flower_photos.tgz
#
# Writes to data/flowers and runs/inception_v1_on_flowers.
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

start inception_v1 flowers validation "$@"
convert "$@"
pretrained inception_v1_2016_08_28
tune_head InceptionV1/Logits 3000 \
  --learning_rate=0.01 --log_every_n_steps=100
tune_all 1000 --learning_rate=0.001 --log_every_n_steps=100
