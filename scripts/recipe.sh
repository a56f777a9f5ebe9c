# shellcheck shell=sh
# What the recipes beside this file share; they source it.
#
# A recipe converts a dataset, then trains and evaluates, in one stage or, to
# fine-tune, in two. The words after its name are flags of
# download_and_convert_data.py, such as --source=ARCHIVE for files that need
# not be downloaded. Run again after Ctrl-C it goes on where it was: a dataset
# that is there is kept, a stage goes on from its last checkpoint.
#
# Variables, each with a default:
#   DATA_DIR     folder of the converted dataset
#   TRAIN_DIR    folder of checkpoints, summaries and logs
#   CHECKPOINT   to fine-tune: the pretrained network, as a .ckpt, one of its
#                files, their folder, or a .tar.gz of them; downloaded to
#                /tmp/checkpoints if not given
#   STEPS        steps of each stage, to try a recipe out
#   BATCH_SIZE   pictures a step
#   IMAGE_SIZE   side of the pictures the network sees, in pixels
#   TRAIN_FLAGS  further flags of train_image_classifier.py
#   PYTHON       the Python to run; that of an active environment, else that of
#                `make env`, if not given

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

# Prints the comment at the head of a script, without its first line.
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

# check_number NAME VALUE: that a variable, where it is given, is 1 or more.
check_number() {
  case $2 in
    '') ;;
    *[!0-9]* | 0*) fail "$1=$2 is no number of 1 or more." \
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
      "Give a .ckpt (of three files: the part before .index), its folder, or" \
      "a .tar.gz; without one it is downloaded."
  fi
}

# begin NETWORK DATASET SPLIT DATA_DIR TRAIN_DIR [WORD...]: what every recipe
# does first. SPLIT is evaluated; the folders are those of slim's recipe.
begin() {
  network=$1 dataset=$2 split=$3
  data_dir=${DATA_DIR:-$4} train_dir=${TRAIN_DIR:-$5}
  shift 5
  for word; do
    case $word in
      -h | --help) head_of "$0"; head_of "$root/scripts/recipe.sh" | sed 1d
        exit ;;
      --dataset_dir*) fail "$word is given by a variable." \
        "Type: DATA_DIR=FOLDER $0" ;;
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

# pretrained NAME: says as $checkpoint what CHECKPOINT is, or downloads
# NAME.tar.gz.
pretrained() {
  checkpoint=${CHECKPOINT:-}
  [ -n "$checkpoint" ] || checkpoint=$(
    PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} \
      "$python" "$root/scripts/fetch_checkpoint.py" "$1" /tmp/checkpoints)
}

# heads_of NETWORK: prints the scopes of the layers that tell the classes.
heads_of() {
  card=$("$python" "$root/train_image_classifier.py" --describe_model="$1")
  printf '%s\n' "$card" | sed -n '/^ *head,/{n;s/^ *//p;}' | grep . ||
    fail "--describe_model=$1 names no head."
}

# stage FOLDER STEPS [FLAG...]: trains to that step and evaluates.
stage() {
  folder=$1 steps=${STEPS:-$2}
  shift 2
  # TRAIN_FLAGS is a list of words.
  # shellcheck disable=SC2086
  run train_image_classifier.py --train_dir="$folder" \
    --dataset_name="$dataset" --dataset_dir="$data_dir" \
    --dataset_split_name=train --model_name="$network" \
    --max_number_of_steps="$steps" --save_interval_secs=60 \
    --save_summaries_secs=60 "$@" ${BATCH_SIZE:+--batch_size="$BATCH_SIZE"} \
    ${IMAGE_SIZE:+--train_image_size="$IMAGE_SIZE"} ${TRAIN_FLAGS:-}
  run eval_image_classifier.py --checkpoint_path="$folder" \
    --eval_dir="$folder" --dataset_name="$dataset" --dataset_dir="$data_dir" \
    --dataset_split_name="$split" --model_name="$network" \
    ${BATCH_SIZE:+--batch_size="$BATCH_SIZE"} \
    ${IMAGE_SIZE:+--eval_image_size="$IMAGE_SIZE"}
}

# train STEPS [FLAG...]: a recipe's only stage.
train() {
  stage "$train_dir" "$@"
}

# tune_head SCOPES STEPS [FLAG...]: trains the last layers alone, from new.
tune_head() {
  scopes=$1 head_steps=$2
  shift 2
  tune "$train_dir" "$head_steps" --checkpoint_path="$checkpoint" \
    --checkpoint_exclude_scopes="$scopes" --trainable_scopes="$scopes" "$@"
}

# tune_all STEPS [FLAG...]: then trains all layers, from what tune_head made.
tune_all() {
  all_steps=$1
  shift
  tune "$train_dir/all" "$all_steps" --checkpoint_path="$train_dir" "$@"
}

tune() {
  stage "$@" --batch_size=32 --optimizer=rmsprop --weight_decay=0.00004
}
