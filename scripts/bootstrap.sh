#!/bin/sh
# Finds a Python and makes the environment of one stack.
#
#   scripts/bootstrap.sh                makes it, or sees that it is ready
#   scripts/bootstrap.sh --find-stack   prints the stack that this machine has
#                                       the Python for, and why on stderr
#   scripts/bootstrap.sh --find-python  prints the Python it would be made with
#
# Reads the variables STACK (stock, mkl, tf2 or tf212; found if empty), PYTHON
# (found if empty) and VENV (a directory; .venv, .venv-mkl, ... if empty). An
# environment that is unfinished, out of date or of another Python is made anew.
# Where there is no Python for it, uv gets one; where there is no uv, it is
# installed from the package index into .uv, and its Python as well.
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
  "$1" python find --system "$2" 2>/dev/null </dev/null || true
}

known_pythons() {
  for minor in 14 13 12 11 10 9 8 7; do say "python3.$minor"; done
}

# Sets what a stack is: its name in messages and the Pythons it runs on, the
# one to take first in front.
choose() {
  stack=$1
  case $stack in
    stock) tensorflow='TensorFlow 1.15.5' versions=3.7 allowed=3.7 ;;
    mkl) tensorflow="Intel's TensorFlow 1.15.2" versions=3.7 allowed=3.7 ;;
    tf2) tensorflow='TensorFlow 2.21.0' versions='3.13 3.12 3.11 3.10'
      allowed='3.10 to 3.13' ;;
    tf212) tensorflow='TensorFlow 2.12.1' versions='3.11 3.10 3.9 3.8'
      allowed='3.8 to 3.11' ;;
    *) fail \
      "STACK=$stack is unknown; the stacks are stock, mkl, tf2 and tf212." ;;
  esac
  first=${versions%% *}
}

runs_tensorflow_1() {
  case $(uname -m 2>/dev/null || say x86_64) in
    x86_64 | amd64) ;;
    *) return 1 ;;
  esac
}

check_machine() {
  case $stack in
    stock | mkl) runs_tensorflow_1 || fail \
      "STACK=$stack: TensorFlow 1.15 exists for x86-64 processors only; this \
is $(uname -sm)." "Type: make env STACK=tf2" ;;
    tf212) case $(uname -sm 2>/dev/null) in
      'Darwin arm64') fail "STACK=tf212: TensorFlow 2.12.1 does not exist for \
macOS on arm64." "Type: make env STACK=tf2" ;;
    esac ;;
  esac
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
        "$pyenv_root/versions/$version".*/bin/python \
        "$root/.uv/python/cpython-$version".*/bin/python3 \
        "$(ask_uv uv "$version")"; do
      if [ "$(version_of "$candidate")" = "$version" ] &&
          makes_environments "$candidate"; then
        command -v "$candidate"
        return
      fi
    done
  done
  return 1
}

# Prints a uv that knows where the wanted Python is to be had: the one of the
# search path, or one installed by whatever Python there is. From 0.7.0 on, uv
# has no Python 3.7.
find_uv() {
  wanted=uv
  [ "$first" != 3.7 ] || wanted='uv==0.6.17'
  case $(uv python list --only-downloads "$first" 2>/dev/null </dev/null) in
    *"$first"*) say uv; return ;;
  esac
  for candidate in python3 python $(known_pythons); do
    [ -n "$(version_of "$candidate")" ] || continue
    say "installing $wanted into $root/.uv" >&2
    "$candidate" -m pip install --disable-pip-version-check -q --upgrade \
      --target "$root/.uv/package" "$wanted" </dev/null >&2 || continue
    say "$root/.uv/package/bin/uv"
    return
  done
  return 1
}

# Prints the Python that uv gets, if it can.
fetch_python() {
  uv=$(find_uv) || return 1
  say "asking uv for Python $first" >&2
  if [ "$uv" != uv ]; then
    export UV_PYTHON_INSTALL_DIR="$root/.uv/python"
  fi
  "$uv" python install "$first" </dev/null >&2 || return 1
  candidate=$(ask_uv "$uv" "$first")
  makes_environments "$candidate" && say "$candidate"
}

find_python() {
  check_machine
  if [ -n "$PYTHON" ]; then
    check_given_python
    command -v "$PYTHON"
  else
    search_python || fetch_python || fail \
      "STACK=$stack needs Python $allowed with venv and ensurepip; none found \
and none to be had" \
      "Get one (pyenv install $first; apt install python$first-venv) or name \
one: make env STACK=$stack PYTHON=/path/to/python$first"
  fi
}

# Chooses the stack by the Python that was given, or is found: TensorFlow 1.15
# where Python 3.7 is, as it is what the library is written for.
find_stack() {
  if [ -n "$PYTHON" ]; then
    found=$(version_of "$PYTHON")
    case $found in
      3.7) choose stock ;;
      3.8 | 3.9) choose tf212 ;;
      *) choose tf2 ;;
    esac
    reason="PYTHON=$PYTHON is Python ${found:-that does not run}"
    return
  fi
  choose stock
  reason='Python 3.7 was found'
  if runs_tensorflow_1; then
    why='there is no Python 3.7'
    ! search_python >/dev/null || return 0
  else
    why="TensorFlow 1.15 does not exist for $(uname -m)"
  fi
  choose tf2
  if python=$(search_python); then
    reason="$why; Python $(version_of "$python") was found"
  else
    reason="$why and none of 3.10 to 3.13; uv is asked for one"
  fi
}

# Prints the Python that an environment was made from, as the one found may be
# in the directory that is about to be emptied: `activate` puts it on the path.
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

# Empties the directory of what an earlier run left, and of nothing that
# somebody else made. The mark is hidden from *, so that this too may be
# interrupted.
clear_directory() {
  [ ! -d "$venv" ] || [ -f "$mark" ] || rmdir "$venv" 2>/dev/null || fail \
    "$venv was not made by make env, so it is left alone." \
    "Remove it (rm -r $venv) or name another: make env VENV=DIR"
  mkdir -p "$venv"
  say unfinished >"$mark"
  rm -rf "${venv:?}"/*
}

# Quiet; the second try, for an unreliable network, shows the output of pip.
pip_install() {
  "$venv/bin/python" -m pip install --disable-pip-version-check -qq "$@" ||
    "$venv/bin/python" -m pip install --disable-pip-version-check "$@" ||
    fail "Could not install $what into $venv (on $(uname -sm))." \
      "pip needs its package index." \
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
  case $stack in
    # These lists are complete.
    tf2 | tf212) pip_install --no-deps -r "requirements/$stack.txt" ;;
    *) pip_install -r "requirements/$stack.txt" ;;
  esac
  what='this project'
  pip_install --no-deps --no-build-isolation --use-pep517 -e .
  "$venv/bin/python" -W ignore -c \
    'from slim_common import runtime; runtime.start()' ||
    fail "$tensorflow is installed in $venv, but does not run here."
  say "$key" >"$mark"
}

root=$(cd "$(dirname "$0")/.." && pwd)
PYTHON=${PYTHON:-}
case $PYTHON in
  [!/]*/*) PYTHON=$PWD/$PYTHON ;;
esac
# Packages there would count as installed, and pip would install elsewhere.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX

case ${1:-} in
  '' | --find-python | --find-stack) ;;
  *) fail "unknown argument $1; there are --find-python and --find-stack." ;;
esac
if [ -n "${STACK:-}" ]; then
  choose "$STACK"
else
  find_stack
  say "STACK=$stack ($tensorflow): $reason." >&2
fi
case ${1:-} in
  --find-stack) say "$stack"; exit ;;
  --find-python) find_python; exit ;;
esac

cd "$root"
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
