#!/bin/sh
# Finds a Python and makes the environment of one stack.
#
#   scripts/bootstrap.sh                makes it, unless it is ready
#   scripts/bootstrap.sh --find-python  prints the Python it would be made with
#
# Reads the variables STACK (stock, mkl or tf2), PYTHON (found if empty) and
# VENV (a directory; .venv, .venv-mkl or .venv-tf2 if empty). An environment
# that is incomplete, out of date or of another Python is made again.
set -eu

say() {
  printf '%s\n' "$*"
}

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# Prints the version of a Python as 3.7, or nothing if it does not run: pyenv
# puts a python3.7 on the path that only says that there is none.
version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' \
    2>/dev/null </dev/null || true
}

# Debian's python3 comes without ensurepip.
makes_environments() {
  "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 </dev/null
}

# Prints the Python of a version that `uv` finds; nothing without uv.
ask_uv() {
  uv python find --system "$1" 2>/dev/null </dev/null || true
}

check_given_python() {
  found=$(version_of "$PYTHON")
  [ -n "$found" ] || fail \
    "PYTHON=$PYTHON does not run; STACK=$stack needs Python $allowed." \
    "Type: make env STACK=$stack PYTHON=/path/to/python$first"
  case " $versions " in
    *" $found "*) ;;
    *) fail "PYTHON=$PYTHON is Python $found; STACK=$stack needs $allowed." \
      "Type: make env STACK=$stack PYTHON=/path/to/python$first" ;;
  esac
  makes_environments "$PYTHON" || fail \
    "PYTHON=$PYTHON lacks the modules venv and ensurepip." \
    "On Debian and Ubuntu: apt install python$found-venv"
}

# Prints the first Python that runs, by the order of the versions and, for each
# version, on the search path, of pyenv, of uv.
search_python() {
  pyenv_root=${PYENV_ROOT:-$(pyenv root 2>/dev/null || say "${HOME:-}/.pyenv")}
  for version in $versions; do
    for candidate in "python$version" python3 python \
        "$pyenv_root/versions/$version".*/bin/python "$(ask_uv "$version")"; do
      if [ "$(version_of "$candidate")" = "$version" ] &&
          makes_environments "$candidate"; then
        command -v "$candidate"
        return
      fi
    done
  done
  if command -v uv >/dev/null; then
    say "asking uv for Python $first" >&2
    uv python install "$first" </dev/null >&2 || return 1
    candidate=$(ask_uv "$first")
    if makes_environments "$candidate"; then
      say "$candidate"
      return
    fi
  fi
  return 1
}

find_python() {
  if [ -n "$PYTHON" ]; then
    check_given_python
    command -v "$PYTHON"
  else
    search_python || fail \
      "STACK=$stack needs Python $allowed with venv and ensurepip; none found" \
      "Get one (pyenv install $first; uv python install $first) or name one: \
make env STACK=$stack PYTHON=/path/to/python$first"
  fi
}

# Prints the Python that an environment was made from, because the one found may
# be in the directory to be emptied: `activate` puts it on the path.
base_of() {
  "$1" -c 'import os, sys
path = "%s/bin/python%d.%d" % ((sys.base_prefix,) + sys.version_info[:2])
print(path if os.access(path, os.X_OK) else sys.executable)' </dev/null
}

# Prints the same for two Pythons of one installation.
installation_of() {
  "$1" -c 'import sys; print(sys.base_prefix, sys.version)' </dev/null
}

is_ready() {
  [ -f "$mark" ] && [ "$(cat "$mark")" = "$key" ] &&
    "$venv/bin/python" -c '' 2>/dev/null || return 1
  [ -z "$PYTHON" ] || [ "$(installation_of "$PYTHON")" = \
    "$(installation_of "$venv/bin/python")" ]
}

# Empties the directory if an earlier run made it, and fails if not. The mark is
# hidden from *, so that this can be interrupted too.
clear_directory() {
  [ ! -d "$venv" ] || [ -f "$mark" ] || rmdir "$venv" 2>/dev/null || fail \
    "$venv was not made by make env, so it is left alone." \
    "Remove it (rm -r $venv) or name another: make env VENV=DIRECTORY"
  mkdir -p "$venv"
  say unfinished >"$mark"
  rm -rf "${venv:?}"/*
}

# Quiet; the second try, for an unreliable network, shows the output of pip.
pip_install() {
  "$venv/bin/python" -m pip install --disable-pip-version-check -qq "$@" ||
    "$venv/bin/python" -m pip install --disable-pip-version-check "$@" ||
    fail "Could not install $what into $venv (on $(uname -sm))." \
      "pip needs its package index, and TensorFlow 1.15 an x86-64 processor." \
      "Run the same command again to start over."
}

make_environment() {
  what='the build tools'
  say "making $venv with $python"
  clear_directory
  "$python" -m venv "$venv"
  pip_install -r requirements/build.txt
  what=$tensorflow
  say "installing $what into $venv (about a minute)"
  pip_install -r "requirements/$stack.txt"
  what='this project'
  pip_install --no-deps --no-build-isolation --use-pep517 -e .
  TF_CPP_MIN_LOG_LEVEL=3 "$venv/bin/python" -W ignore -c \
    'import tensorflow.compat.v1, tf_slim' ||
    fail "$tensorflow is installed in $venv, but does not run here."
  say "$key" >"$mark"
}

stack=${STACK:-stock}
case $stack in
  stock) tensorflow='TensorFlow 1.15.5' versions=3.7 allowed=3.7 ;;
  mkl) tensorflow="Intel's TensorFlow 1.15.2" versions=3.7 allowed=3.7 ;;
  tf2) tensorflow='TensorFlow 2.12.1' versions='3.11 3.10 3.9 3.8'
    allowed='3.8 to 3.11' ;;
  *) fail "STACK=$stack is unknown; the stacks are stock, mkl and tf2." ;;
esac
first=${versions%% *}
PYTHON=${PYTHON:-}
case $PYTHON in
  [!/]*/*) PYTHON=$PWD/$PYTHON ;;
esac
# Packages there would count as installed, and pip would install elsewhere.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX

case ${1:-} in
  --find-python) find_python; exit ;;
  ?*) fail "unknown argument $1; the only one is --find-python." ;;
esac

cd "$(dirname "$0")/.."
default_venv=.venv-$stack
[ "$stack" != stock ] || default_venv=.venv
venv=${VENV:-$default_venv}
mark=$venv/.bootstrap
key="$stack in $PWD, $(cat requirements/*.txt setup.py | cksum)"

# Without flock, nothing keeps two runs apart.
if command -v flock >/dev/null; then
  exec 9<setup.py
  flock -n 9 || { say 'waiting for another make env'; flock 9 || true; }
fi
if ! is_ready; then
  python=$(find_python)
  python=$(base_of "$python")
  make_environment
fi
say "$tensorflow is ready in $venv"
