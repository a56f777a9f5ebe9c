# shellcheck shell=sh
# The functions of the recipes beside this file, which source it.
#
# A recipe converts a dataset, then trains and evaluates a network, in one stage
# or, to fine-tune, in two. Its arguments are flags of
# download_and_convert_data.py, such as --source=ARCHIVE for files that are not
# to be downloaded. The same command resumes a recipe that was interrupted: a
# converted dataset is kept, and a stage continues from its last checkpoint.
#
# Variables:
#   DATA_DIR     directory of the converted dataset; default: data/DATASET in
#                the current directory
#   TRAIN_DIR    directory of checkpoints, summaries and logs; default:
#                runs/NETWORK_on_DATASET in the current directory; the second
#                stage of a fine-tuning has its subdirectory `all`
#   CHECKPOINT   to fine-tune: the pretrained network, as a .ckpt, one of its
#                files, their directory, or a .tar.gz of them; default:
#                downloaded to $TF_SLIM_CHECKPOINTS, or else to checkpoints in
#                the current directory
#   STEPS        number of steps of each stage, to try a recipe
#   BATCH_SIZE   number of images in a batch
#   IMAGE_SIZE   height and width of the images, in pixels
#   TRAIN_FLAGS  further flags of train_image_classifier.py
#   PYTHON       Python interpreter; default: that of the active environment, or
#                else of `make env`

root=$(cd "$(dirname "$0")/.." && pwd)

say() {
  printf '%s\n' "$@"
}

fail() {
  printf '%s\n' "${0##*/}: $1" >&2
  shift
  [ $# = 0 ] || printf '%s\n' "$@" >&2
  exit 2
}

# Prints the comment at the top of a script, without its first line.
head_of() {
  sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//;p;};}' "$1"
}

find_python() {
  python=${PYTHON:-}
  if [ -z "$python" ] && [ -z "${VIRTUAL_ENV:-}" ]; then
    for made in "$root/.venv/bin/python" "$root/.venv-tf2/bin/python"; do
      [ -n "$python" ] || [ ! -x "$made" ] || python=$made
    done
  fi
  python=${python:-$(command -v python || command -v python3 || true)}
  "${python:-false}" -c 'import importlib.util, sys
sys.exit(not importlib.util.find_spec("tensorflow"))' </dev/null 2>/dev/null ||
    fail "${python:-python} does not run, or has no TensorFlow." \
      "Type make env in $root, or PYTHON=/path/to/python $0"
}

# check_number NAME VALUE: fails unless a variable is empty or 1 or more.
check_number() {
  case $2 in
    '') ;;
    *[!0-9]* | 0*) fail "$1=$2 must be an integer, at least 1." \
      "Type, for example: $1=100 $0" ;;
  esac
}

check_variables() {
  check_number STEPS "${STEPS:-}"
  check_number BATCH_SIZE "${BATCH_SIZE:-}"
  check_number IMAGE_SIZE "${IMAGE_SIZE:-}"
  if [ -n "${CHECKPOINT:-}" ] && [ ! -e "$CHECKPOINT" ] &&
      [ ! -e "$CHECKPOINT.index" ]; then
    fail "there is no checkpoint $CHECKPOINT." \
      "Give a .ckpt (of three files: the part before .index), its directory," \
      "or a .tar.gz; without CHECKPOINT it is downloaded."
  fi
}

# start NETWORK DATASET SPLIT [ARGUMENT...]: what every recipe does first. SPLIT
# is evaluated.
start() {
  network=$1 dataset=$2 split=$3
  data_dir=${DATA_DIR:-data/$dataset}
  train_dir=${TRAIN_DIR:-runs/${network}_on_$dataset}
  shift 3
  for word; do
    case $word in
      -h | --help) head_of "$0"; head_of "$root/scripts/recipe.sh" | sed 1d
        exit ;;
      --dataset_dir*) fail "$word is set by a variable." \
        "Type: DATA_DIR=DIRECTORY $0" ;;
      --dataset_name*) fail "$word: this recipe is for $dataset." ;;
    esac
  done
  find_python
  check_variables
}

# run PROGRAM [FLAG...]: shows a command, then runs it.
run() {
  printf '\n$ python %s\n' "$*"
  program=$1
  shift
  "$python" "$root/$program" "$@"
}

convert() {
  run download_and_convert_data.py --dataset_name="$dataset" \
    --dataset_dir="$data_dir" "$@"
}

# pretrained NAME: sets $checkpoint to CHECKPOINT, or else to NAME.tar.gz, which
# it downloads.
pretrained() {
  checkpoint=${CHECKPOINT:-}
  [ -n "$checkpoint" ] || checkpoint=$(
    PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} \
      "$python" "$root/scripts/fetch_checkpoint.py" "$1" \
      "${TF_SLIM_CHECKPOINTS:-checkpoints}")
}

# stage DIRECTORY STEPS [FLAG...]: trains to that step and evaluates.
stage() {
  directory=$1 steps=${STEPS:-$2}
  shift 2
  # TRAIN_FLAGS is a list of words.
  # shellcheck disable=SC2086
  run train_image_classifier.py --train_dir="$directory" \
    --dataset_name="$dataset" --dataset_dir="$data_dir" \
    --dataset_split_name=train --model_name="$network" \
    --max_number_of_steps="$steps" --save_interval_secs=60 \
    --save_summaries_secs=60 "$@" ${BATCH_SIZE:+--batch_size="$BATCH_SIZE"} \
    ${IMAGE_SIZE:+--train_image_size="$IMAGE_SIZE"} ${TRAIN_FLAGS:-}
  run eval_image_classifier.py --checkpoint_path="$directory" \
    --eval_dir="$directory" --dataset_name="$dataset" \
    --dataset_dir="$data_dir" --dataset_split_name="$split" \
    --model_name="$network" \
    ${BATCH_SIZE:+--batch_size="$BATCH_SIZE"} \
    ${IMAGE_SIZE:+--eval_image_size="$IMAGE_SIZE"}
}

# train STEPS [FLAG...]: the only stage of a recipe.
train() {
  stage "$train_dir" "$@"
}

# tune_head SCOPES STEPS [FLAG...]: trains new last layers only.
tune_head() {
  scopes=$1 head_steps=$2
  shift 2
  tune "$train_dir" "$head_steps" --checkpoint_path="$checkpoint" \
    --checkpoint_exclude_scopes="$scopes" --trainable_scopes="$scopes" "$@"
}

# tune_all STEPS [FLAG...]: trains all layers, from the result of tune_head.
tune_all() {
  all_steps=$1
  shift
  tune "$train_dir/all" "$all_steps" --checkpoint_path="$train_dir" "$@"
}

tune() {
  stage "$@" --batch_size=32 --optimizer=rmsprop --weight_decay=0.00004
}
