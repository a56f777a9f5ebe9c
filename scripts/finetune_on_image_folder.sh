#!/bin/sh
# Fine-tunes a network on your own images with --preset=finetune: its head for 2
# epochs, then all layers for 8; evaluates each epoch, exports the best.
#
#   scripts/finetune_on_image_folder.sh mobilenet_v1 --source=IMAGES
#
# The first argument is the network, one of train_image_classifier.py
# --list_models. IMAGES is a directory with one subdirectory per class; if it
# has no validation images, they are sampled from it. CHECKPOINT is required
# for networks without a published checkpoint.
#
# Writes to data/IMAGES, runs/NETWORK_on_IMAGES and, beside the latter, to
# NETWORK_on_IMAGES-export, by the last part of the path of IMAGES.
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

name=${1:-}
case $name in
  -h | --help) ;;  # `start` answers.
  '' | -*) fail 'the network is missing.' \
    "Type: $0 mobilenet_v1 --source=IMAGES" ;;
  *) shift ;;
esac
source=
# Two directories of images do not share a dataset.
for word; do
  case $word in
    --source=?*) source=${word#--source=}
      title=${source%/}; title=${title##*/}; title=${title%%.*}
      DATA_DIR=${DATA_DIR:-data/$title}
      TRAIN_DIR=${TRAIN_DIR:-runs/${name}_on_$title} ;;
  esac
done
start "$name" image_folder validation "$@"
[ -n "$source" ] || fail 'the images are missing.' \
  "Type: $0 $name --source=IMAGES"
convert "$@"
# TRAIN_FLAGS is a list of words.
# shellcheck disable=SC2086,SC2154
run train_image_classifier.py --preset=finetune --model_name="$name" \
  --checkpoint_path="${CHECKPOINT:-$name}" --source="$source" \
  --dataset_dir="$data_dir" --train_dir="$train_dir" \
  ${STEPS:+--max_number_of_steps="$STEPS"} \
  ${BATCH_SIZE:+--batch_size="$BATCH_SIZE"} \
  ${IMAGE_SIZE:+--train_image_size="$IMAGE_SIZE"} ${TRAIN_FLAGS:-}
