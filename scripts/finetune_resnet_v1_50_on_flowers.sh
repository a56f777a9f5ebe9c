#!/bin/sh
# Fine-tunes ResNet V1 50 on the flower photographs: its head for 3,000 steps,
# then all layers for 1,000; evaluates after each.
#
#   scripts/finetune_resnet_v1_50_on_flowers.sh
#   CHECKPOINT=resnet_v1_50.ckpt \
#     scripts/finetune_resnet_v1_50_on_flowers.sh --source=flower_photos.tgz
#
# Writes to data/flowers and runs/resnet_v1_50_on_flowers.
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

start resnet_v1_50 flowers validation "$@"
convert "$@"
pretrained resnet_v1_50_2016_08_28
tune_head resnet_v1_50/logits 3000 \
  --learning_rate=0.01 --log_every_n_steps=100
tune_all 1000 --learning_rate=0.001 --log_every_n_steps=100
