"""Stand-ins for Python and uv, and a project of its own for bootstrap.sh."""
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Answers what bootstrap.sh asks of a Python, and notes what it is told to do.
_PYTHON = """
case "$*" in
  *os.access*) echo "{path}" ;;
  *base_prefix*) echo "{installation} {version}" ;;
  *version_info*) echo {version} ;;
  *ensurepip*) {ensurepip} ;;
  '-m venv '*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  '-m pip '*) echo "$*" >>"{notes}"
    if [ -e "{notes}.offline" ]; then
      rm "{notes}.offline"; echo no network >&2; exit 1
    fi ;;
esac
"""


def write_command(path, body):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text('#!/bin/sh\n' + body)
  path.chmod(0o755)
  return path


def write_python(path, version, installation='here', ensurepip='true',
                 notes='/dev/null'):
  return write_command(path, _PYTHON.format(
      path=path, version=version, installation=installation,
      ensurepip=ensurepip, notes=notes))


def write_uv(path, version):
  """Writes a `uv` that has one Python to install; returns where it puts it."""
  python = path.parent.parent / 'uv/installed' / ('python' + version)
  later = write_python(path.parent.parent / 'uv/later', version)
  python.parent.mkdir()
  write_command(path, """
case "$*" in
  'python list --only-downloads {version}') echo cpython-{version}.9-linux ;;
  'python find --system {version}') [ -x {python} ] && echo {python} ;;
  'python install {version}') /bin/cp {later} {python}
    echo "into ${{UV_PYTHON_INSTALL_DIR-the default}}" >&2 ;;
esac""".format(version=version, python=python, later=later))
  return python


def copy_project(directory):
  root = directory / 'project'
  for part in ('scripts', 'requirements'):
    shutil.copytree(str(ROOT / part), str(root / part))
  (root / 'setup.py').write_text('')
  return root
