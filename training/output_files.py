"""Files of results: complete under their names, or not there at all."""
import contextlib
import os


def check(paths, overwrite):
  """Checks, before the work, that its files can be written; makes folders.

  Args:
    paths: dict of flag name to the path given with it, None where it was not.
    overwrite: whether files may exist, to be replaced.

  Raises:
    ValueError: a file exists, two flags name one file, or the folder cannot
      be written.
  """
  flags = {}
  for flag, path in paths.items():
    if path is None:
      continue
    full = os.path.abspath(path)
    if full in flags:
      raise ValueError('--%s and --%s both name %s: give each a file of its '
                       'own.' % (flags[full], flag, path))
    flags[full] = flag
    if os.path.isdir(full) or path.endswith(os.sep):
      raise ValueError('--%s=%s is a folder: give the name of a file.' % (
          flag, path))
    if os.path.exists(path) and not overwrite:
      raise ValueError('--%s=%s exists: give another name, or --overwrite to '
                       'replace it.' % (flag, path))
    _make_folder(flag, path, os.path.dirname(os.path.abspath(path)))


def check_folder(flag, folder):
  """Checks, before the work, that files can be written to a folder; makes it.

  Args:
    flag: name of the flag.
    folder: what was given with it; '' for none.

  Raises:
    ValueError: it cannot be made or written.
  """
  # What is not on a file system is TensorFlow's business.
  if folder and '://' not in folder:
    _make_folder(flag, folder, folder)


@contextlib.contextmanager
def publish(path, mode='w', **arguments):
  """Opens a file that takes its name when it is complete.

  Args:
    path: the name.
    mode: as for `open`.
    **arguments: of `open`.

  Yields:
    The open file. If an error leaves the block, nothing is left.
  """
  unfinished = path + '.unfinished'
  try:
    with open(unfinished, mode, **arguments) as output:
      yield output
    os.replace(unfinished, path)
  finally:
    if os.path.exists(unfinished):
      os.remove(unfinished)


def _make_folder(flag, path, folder):
  try:
    os.makedirs(folder, exist_ok=True)
  except OSError as error:
    raise ValueError('--%s=%s: the folder cannot be made: %s. Give a name '
                     'elsewhere.' % (flag, path, error.strerror))
  if not os.access(folder, os.W_OK):
    raise ValueError('--%s=%s: the folder may not be written. Give a name '
                     'elsewhere.' % (flag, path))
