# shellcheck shell=sh disable=SC2034
# Reads the words OUT [SOURCE] of the two ImageNet scripts beside it, which
# source it; what follows them is left to the script.

if [ $# -lt 1 ] || [ "${1#-}" != "$1" ]; then
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
  exit 2
fi
python=${PYTHON:-python}
out=$1
shift
source=${IMAGENET_SOURCE:-}
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  source=$1
  shift
fi
if [ -z "$source" ]; then
  echo "Give the directory of the archives: $0 $out SOURCE" >&2
  exit 2
fi
