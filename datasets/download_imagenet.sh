#!/bin/sh
# Gets ImageNet (ILSVRC 2012) ready to convert: unpacks its three archives.
#
#   datasets/download_imagenet.sh OUT SOURCE [--allow_subset]
#
# SOURCE is the folder of ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and
# ILSVRC2012_bbox_train_v2.tar.gz, which https://image-net.org gives to those
# who sign up, or the URL of such a folder, which is downloaded. The variable
# IMAGENET_SOURCE serves where SOURCE is left out, PYTHON names the Python to
# run. OUT gets train/ (a folder a synset), validation/, bounding_boxes/ and
# imagenet_2012_bounding_boxes.csv. Start it again to go on where it stopped.
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
