#!/bin/sh
# Exports a MobileNet V1 that was trained on ImageNet. Does not need Bazel.
#
#   scripts/export_mobilenet.sh <1.0|0.75|0.50|0.25> <224|192|160|128>
#   scripts/export_mobilenet.sh 1.0 224 mobilenet_v1_1.0_224.ckpt
#
# The third argument is a checkpoint, as CHECKPOINT below. Makes the directory
# exports/mobilenet_v1_<version>_<size>, which must not exist:
#
#   unfrozen_graph.pb  the network, without weights
#   frozen_graph.pb    the network with its weights, from `input` to
#                      `predictions`; also named frozen_inference_graph.pb
#   saved_model        the same, as a SavedModel
#   model_int8.tflite  the same in 8 bits, for TensorFlow Lite; with DATA_DIR
#   labels.txt         names of the classes
#   model.json         description of inputs and outputs
#
# Variables:
#   CHECKPOINT  a .ckpt, one of its files, their directory, or a .tar.gz of
#               them; default: downloaded to $TF_SLIM_CHECKPOINTS, or else to
#               checkpoints in the current directory
#   DATA_DIR    directory of ImageNet's TFRecord files, on whose images the
#               8-bit network is calibrated; default: no 8-bit network
#   OUTPUT_DIR  directory to make instead
#   PICTURE     image to classify with the frozen graph; default: none
#   PYTHON      Python interpreter
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
  *) fail "the version '${1:-}' is not one of 1.0, 0.75, 0.50, 0.25." \
    "$usage" ;;
esac
case ${2:-} in
  224 | 192 | 160 | 128) ;;
  *) fail "the size '${2:-}' is not one of 224, 192, 160, 128." "$usage" ;;
esac
[ $# -le 3 ] || fail "unexpected argument '$4'." "$usage"
name=mobilenet_v1_$1_$2
CHECKPOINT=${3:-${CHECKPOINT:-}}
output=${OUTPUT_DIR:-exports/$name}
output=${output%/}
[ ! -e "$output" ] || fail "$output exists already." \
  "Remove it, or type: OUTPUT_DIR=DIRECTORY $0 $*"
[ -z "${PICTURE:-}" ] || [ -e "$PICTURE" ] ||
  fail "there is no image PICTURE=$PICTURE."
find_python
check_variables

# The directory gets its name when it is complete.
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
