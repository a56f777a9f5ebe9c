#!/bin/sh
# Converts ImageNet (ILSVRC 2012) from its archives, or from directories.
#
#   datasets/download_and_convert_imagenet.sh OUT SOURCE [FLAG...]
#
# SOURCE is as for download_imagenet.sh; or a directory that holds train/ and
# validation/, which stay as they are, and perhaps the file
# imagenet_2012_bounding_boxes.csv. The variable IMAGENET_SOURCE replaces SOURCE
# if it is left out, PYTHON names the Python to run. OUT gets the TFRecord
# files; archives are unpacked to OUT/raw-data, which can be removed afterwards.
# The flags are those of build_imagenet_data.py. The same command resumes a run
# that was stopped.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Says what these are; OUT and SOURCE leave the words.
out='' source='' python=''
# shellcheck source=datasets/imagenet_words.sh disable=SC1091
. "$here/imagenet_words.sh"
subset=
overwrite=
for flag in "$@"; do
  case $flag in
    --allow_subset | --allow_subset=[Tt]rue) subset=$flag ;;
    --overwrite | --overwrite=[Tt]rue) overwrite=$flag ;;
  esac
done
if [ -e "$out/dataset_info.json" ] && [ -z "$overwrite" ]; then
  echo "$out holds a dataset already: nothing to do (--overwrite converts it" \
    "anew)."
  exit 0
fi

if [ -d "$source/train" ] && [ -d "$source/validation" ]; then
  data=$source
else
  data=$out/raw-data
  "$here/download_imagenet.sh" "$data" "$source" ${subset:+"$subset"}
fi
boxes=$data/imagenet_2012_bounding_boxes.csv
if [ ! -e "$boxes" ]; then
  echo "There is no $boxes: the records will have no boxes."
  boxes=
fi
"$python" "$here/build_imagenet_data.py" --train_directory="$data/train" \
  --validation_directory="$data/validation" --output_directory="$out" \
  --bounding_box_file="$boxes" "$@"
