#!/bin/sh
# Fine-tunes a network on pictures of your own: its head for 1,000 steps, then
# all layers for 500; evaluates after each.
#
#   CHECKPOINT=mobilenet_v1_1.0_224.ckpt \
#     scripts/finetune_on_image_folder.sh mobilenet_v1 --source=PICTURES
#
# The first word is the network, one of train_image_classifier.py --list_models;
# PICTURES is a folder of a sub-folder a class. The validation pictures are
# drawn from it, where it has none. CHECKPOINT has to be given here.
#
# Makes /tmp/image_folder and /tmp/image_folder-models/<network>, there `all`.
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

name=${1:-}
case $name in
  -h | --help) ;;  # `begin` answers.
  '' | -*) fail 'the network is missing.' \
    "Type: CHECKPOINT=FILE $0 mobilenet_v1 --source=PICTURES" ;;
  *) shift ;;
esac
begin "$name" image_folder validation \
  /tmp/image_folder "/tmp/image_folder-models/$name" "$@"
[ -n "${CHECKPOINT:-}" ] || fail 'the pretrained network is missing.' \
  "Type: CHECKPOINT=FILE $0 $name --source=PICTURES"
heads=$(heads_of "$name")
convert "$@"
pretrained "$name"
tune_head "$heads" 1000 --learning_rate=0.01 \
  --learning_rate_decay_type=fixed --log_every_n_steps=10
tune_all 500 --learning_rate=0.0001 \
  --learning_rate_decay_type=fixed --log_every_n_steps=10
