#!/bin/sh
# Fine-tunes a network on your own images: its head for 1,000 steps, then all
# layers for 500; evaluates after each.
#
#   CHECKPOINT=mobilenet_v1_1.0_224.ckpt \
#     scripts/finetune_on_image_folder.sh mobilenet_v1 --source=IMAGES
#
# The first argument is the network, one of train_image_classifier.py
# --list_models. IMAGES is a directory with one subdirectory per class; if it
# has no validation images, they are sampled from it. CHECKPOINT is required.
#
# Writes to data/IMAGES and runs/NETWORK_on_IMAGES, by the last part of the path
# of IMAGES.
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

name=${1:-}
case $name in
  -h | --help) ;;  # `start` answers.
  '' | -*) fail 'the network is missing.' \
    "Type: CHECKPOINT=FILE $0 mobilenet_v1 --source=IMAGES" ;;
  *) shift ;;
esac
# Two directories of images do not share a dataset.
for word; do
  case $word in
    --source=?*) title=${word%/}; title=${title##*[/=]}; title=${title%%.*}
      DATA_DIR=${DATA_DIR:-data/$title}
      TRAIN_DIR=${TRAIN_DIR:-runs/${name}_on_$title} ;;
  esac
done
start "$name" image_folder validation "$@"
[ -n "${CHECKPOINT:-}" ] || fail 'the pretrained network is missing.' \
  "Type: CHECKPOINT=FILE $0 $name --source=IMAGES"
heads=$(heads_of "$name")
convert "$@"
pretrained "$name"
tune_head "$heads" 1000 --learning_rate=0.01 \
  --learning_rate_decay_type=fixed --log_every_n_steps=10
tune_all 500 --learning_rate=0.0001 \
  --learning_rate_decay_type=fixed --log_every_n_steps=10
