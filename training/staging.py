"""Folders of results that appear complete, or not at all."""
import contextlib
import os
import shutil
import tempfile


def check_writable(path, flag):
  """Checks, before the work, that a file or folder can be made.

  Args:
    path: what is to be made.
    flag: the flag that chose it, for the message.

  Raises:
    ValueError: something on the way is not a folder, or may not be written.
  """
  folder = os.path.dirname(os.path.abspath(path))
  while not os.path.lexists(folder):
    folder = os.path.dirname(folder)
  if not os.path.isdir(folder):
    raise ValueError('%s cannot be written: %s is not a folder. Choose another '
                     '%s.' % (path, folder, flag))
  try:
    # Tried, as access rights say nothing about a disk that cannot be written.
    tempfile.TemporaryFile(dir=folder).close()
  except OSError as error:
    raise ValueError('%s cannot be written: the folder %s may not be changed '
                     '(%s). Choose another %s.' % (
                         path, folder, error.strerror, flag))


@contextlib.contextmanager
def staged(folder, last):
  """Makes a folder whose content moves to `folder` once it is complete.

  What has the same name there is replaced; the rest stays. If the block
  raises, `folder` is as it was. A process that is killed leaves the folder
  that was being filled, `<folder>.unfinished-*`.

  Args:
    folder: the folder to fill; made if it is not there.
    last: the name of what moves there last, once all the rest is there. While
      `folder` changes, it has no such thing.

  Yields:
    The path of a folder beside `folder`, or in it if it is there.
  """
  folder = os.path.abspath(folder)
  # The folder around one that is there need not be ours, nor on its disk.
  place = folder if os.path.isdir(folder) else os.path.dirname(folder)
  os.makedirs(place, exist_ok=True)
  unfinished = tempfile.mkdtemp(
      prefix=os.path.basename(folder) + '.unfinished-', dir=place)
  try:
    inside = os.path.join(unfinished, 'new')
    os.mkdir(inside)
    yield inside
    if os.path.lexists(folder):
      _replace(inside, folder, last, unfinished)
    else:
      os.rename(inside, folder)
  finally:
    shutil.rmtree(unfinished)


def _replace(source, target, last, aside):
  """Moves the content of one folder to another, replaced things to a third."""
  names = sorted(os.listdir(source), key=lambda name: (name == last, name))
  for name in reversed(names):
    # A file is replaced in one step; a folder has to be moved away first.
    if name == last or os.path.isdir(os.path.join(target, name)) or (
        os.path.isdir(os.path.join(source, name))):
      _move_if_there(os.path.join(target, name),
                     os.path.join(aside, name + '.old'))
  for name in names:
    os.replace(os.path.join(source, name), os.path.join(target, name))


def _move_if_there(path, new_path):
  if os.path.lexists(path):
    os.rename(path, new_path)
