#!/bin/sh
# Fine-tunes Inception V3 on the flower photographs: its heads for 1,000 steps,
# then all layers for 500; evaluates after each.
#
#   scripts/finetune_inception_v3_on_flowers.sh
#   CHECKPOINT=inception_v3.ckpt \
#     scripts/finetune_inception_v3_on_flowers.sh --source=flower_photos.tgz
#
# Writes to data/flowers and runs/inception_v3_on_flowers.
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

start inception_v3 flowers validation "$@"
convert "$@"
pretrained inception_v3_2016_08_28
tune_head InceptionV3/Logits,InceptionV3/AuxLogits 1000 \
  --learning_rate=0.01 --learning_rate_decay_type=fixed --log_every_n_steps=100
tune_all 500 --learning_rate=0.0001 --learning_rate_decay_type=fixed \
  --log_every_n_steps=10
