#!/bin/sh
# Prepares ImageNet (ILSVRC 2012) for conversion: unpacks its three archives.
#
#   datasets/download_imagenet.sh OUT SOURCE [--allow_subset]
#
# SOURCE is the directory of ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar
# and ILSVRC2012_bbox_train_v2.tar.gz, which https://image-net.org gives to
# those who sign up, or the URL of such a directory, from which they are
# downloaded. The variable IMAGENET_SOURCE replaces SOURCE if it is left out,
# PYTHON names the Python to run. OUT gets train/ (one directory per synset),
# validation/, bounding_boxes/ and imagenet_2012_bounding_boxes.csv. The same
# command resumes a run that was stopped.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Says what these are; OUT and SOURCE leave the words.
out='' source='' python=''
# shellcheck source=datasets/imagenet_words.sh disable=SC1091
. "$here/imagenet_words.sh"

"$python" "$here/imagenet_tools/unpack_imagenet.py" --source="$source" \
  --output_directory="$out" "$@"
boxes=$out/imagenet_2012_bounding_boxes.csv
if [ ! -e "$boxes" ]; then
  "$python" "$here/process_bounding_boxes.py" "$out/bounding_boxes" \
    --output_file="$boxes"
fi
