#!/bin/sh
# Trains lenet, resnet_v1_50 and mobilenet_v2 for some steps on the GPU: in
# single precision, in half precision, compiled by XLA, and on two GPUs. Prints
# one table: images/s of the last steps, and the last loss or why there is none.
#
#   scripts/gpu_check.sh
#   STEPS=100 NETWORKS=resnet_v1_50 scripts/gpu_check.sh
#   scripts/gpu_check.sh --on_cpu      the same without a GPU, to try it
#
# Without a GPU it says so and ends well. Data and models are made in a
# temporary directory. Variables, each with a default:
#   NETWORKS    names, separated by blanks
#   STEPS       steps of each training (20)
#   BATCH_SIZE  images of a step on each device (32)
#   PYTHON      the Python to run
set -eu
# shellcheck source=scripts/recipe.sh disable=SC1091
. "$(dirname "$0")/recipe.sh"

on_cpu=
case ${1:-} in
  -h | --help) head_of "$0"; exit ;;
  --on_cpu) on_cpu=--clone_on_cpu ;;
  ?*) fail "unknown word '$1'." "Type: $0 [--on_cpu]" ;;
esac
find_python
check_variables
steps=${STEPS:-20} batch=${BATCH_SIZE:-32}

gpus=$(TF_CPP_MIN_LOG_LEVEL=3 "$python" -W ignore -c 'import sys
sys.path.insert(0, sys.argv[1])
from slim_common import runtime
runtime.start()
import tensorflow as tf
from deployment import devices
from tensorflow.python.client import device_lib
print("TensorFlow %s, Python %s" % (tf.__version__, sys.version.split()[0]))
if devices.available_gpus():
  for device in device_lib.list_local_devices():
    print(device.physical_device_desc)' "$root" 2>/dev/null |
  grep -e '^TensorFlow' -e '^device:')
printf '%s\n' "$gpus"
number=$(printf '%s\n' "$gpus" | grep -c '^device:' || true)
if [ "$number" = 0 ] && [ -z "$on_cpu" ]; then
  printf '%s\n' 'TensorFlow sees no GPU here, so there is nothing to check;' \
    'deployment/README.md says what each GPU needs.'
  exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" - "$work/images" <<'PY'
import os
import sys

import numpy as np
from PIL import Image

random = np.random.RandomState(0)
for label in ('dark', 'light'):
  os.makedirs(os.path.join(sys.argv[1], label))
  for index in range(64):
    pixels = random.randint(0, 128, [240, 240, 3]) + 127 * (label == 'light')
    Image.fromarray(pixels.astype(np.uint8)).save(
        os.path.join(sys.argv[1], label, '%d.jpg' % index))
PY
"$python" "$root/download_and_convert_data.py" --dataset_name=image_folder \
  --source="$work/images" --dataset_dir="$work/data" \
  --validation_fraction=0.1 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# check NETWORK NAME [FLAG...]: one row of the table.
check() {
  network=$1 name=$2
  shift 2
  log=$work/$network-$name
  if "$python" "$root/train_image_classifier.py" --dataset_name=image_folder \
      --dataset_dir="$work/data" --model_name="$network" --train_dir="$log.d" \
      --batch_size="$batch" --max_number_of_steps="$steps" \
      --log_every_n_steps=$(((steps + 1) / 2)) --learning_rate=0.001 --seed=1 \
      $on_cpu "$@" >"$log" 2>&1; then
    sed -n "s/^.*step $steps of .*  loss \([^ ]*\) .*  \([^ ]*\) images.*\$/\
\2 \1/p" "$log" | tail -n 1 | while read -r speed loss; do
      printf '%-14s %-10s %9s  loss %s\n' "$network" "$name" "$speed" "$loss"
    done
  else
    failed=$((failed + 1))
    printf '%-14s %-10s %9s  %s\n' "$network" "$name" - "$(tail -n 1 "$log")"
  fi
}

failed=0
printf '\n%-14s %-10s %9s\n' network computed images/s
for network in ${NETWORKS:-lenet resnet_v1_50 mobilenet_v2}; do
  check "$network" fp32
  check "$network" fp16 --fp16
  check "$network" xla --xla
  if [ "$number" -ge 2 ] || [ -n "$on_cpu" ]; then
    check "$network" 2-clones --num_clones=2
  else
    printf '%-14s %-10s %9s  needs 2 GPUs\n' "$network" 2-clones -
  fi
done
[ "$failed" = 0 ] || fail "$failed trainings failed."
