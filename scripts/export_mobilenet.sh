#!/bin/sh
# Exports a MobileNet V1 that was trained on ImageNet. No Bazel is needed.
#
#   scripts/export_mobilenet.sh <1.0|0.75|0.50|0.25> <224|192|160|128>
#   scripts/export_mobilenet.sh 1.0 224 mobilenet_v1_1.0_224.ckpt
#
# The third word is a checkpoint, as CHECKPOINT below; without one it is
# downloaded. Makes /tmp/mobilenet_v1_<version>_<size>, which must not exist:
#
#   unfrozen_graph.pb  the network, without weights
#   frozen_graph.pb    the network with its weights: `input` to `predictions`;
#                      it is called frozen_inference_graph.pb besides
#   saved_model        the same, as a SavedModel
#   model_int8.tflite  the same in 8 bits, for TensorFlow Lite, with DATA_DIR
#   labels.txt         names of the classes
#   model.json         what goes in and comes out
#
# Variables, each with a default:
#   CHECKPOINT  a .ckpt, one of its files, their folder, or a .tar.gz of them
#   DATA_DIR    ImageNet as TFRecord files, whose pictures show the ranges that
#               8 bits have to hold
#   OUTPUT_DIR  another folder to make
#   PICTURE     a picture to classify with the frozen graph
#   PYTHON      the Python to run
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

usage="Type: $0 <1.0|0.75|0.50|0.25> <224|192|160|128> [CHECKPOINT]"
case ${1:-} in
  -h | --help) head_of "$0"; exit ;;
  1.0) network=mobilenet_v1 ;;
  0.75) network=mobilenet_v1_075 ;;
  0.50) network=mobilenet_v1_050 ;;
  0.25) network=mobilenet_v1_025 ;;
  *) fail "the version '${1:-}' is none of 1.0, 0.75, 0.50, 0.25." "$usage" ;;
esac
case ${2:-} in
  224 | 192 | 160 | 128) ;;
  *) fail "the size '${2:-}' is none of 224, 192, 160, 128." "$usage" ;;
esac
[ $# -le 3 ] || fail "stray word '$4'." "$usage"
name=mobilenet_v1_$1_$2
CHECKPOINT=${3:-${CHECKPOINT:-}}
output=${OUTPUT_DIR:-/tmp/$name}
output=${output%/}
[ ! -e "$output" ] || fail "$output exists already." \
  "Remove it, or type: OUTPUT_DIR=FOLDER $0 $*"
[ -z "${PICTURE:-}" ] || [ -e "$PICTURE" ] ||
  fail "there is no picture PICTURE=$PICTURE."
find_python
check_variables

# The folder gets its name when all is in it.
unfinished=$output.unfinished
rm -rf "$unfinished"
trap 'rm -rf "$unfinished"' EXIT
checkpoint=
pretrained "${name}_2017_06_14"
run export_inference_graph.py --model_name="$network" --image_size="$2" \
  --dataset_name=imagenet --output_file="$unfinished/unfrozen_graph.pb" \
  --checkpoint_path="$checkpoint" --output_dir="$unfinished" \
  ${DATA_DIR:+--dataset_dir="$DATA_DIR" --int8}
ln "$unfinished/frozen_inference_graph.pb" "$unfinished/frozen_graph.pb"
mv "$unfinished" "$output"
[ -z "${PICTURE:-}" ] || run classify_image.py "$PICTURE" \
  --graph="$output/frozen_graph.pb"
say "$output has" "$(cd "$output" && ls)"
