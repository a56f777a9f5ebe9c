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
  if not os.access(folder, os.W_OK):
    raise ValueError('%s cannot be written: the folder %s may not be changed. '
                     'Choose another %s.' % (path, folder, flag))


@contextlib.contextmanager
def staged(folder):
  """Makes a folder whose content moves to `folder` once it is complete.

  What has the same name there is replaced; the rest stays. If the block
  raises, `folder` is as it was.

  Args:
    folder: the folder to fill; made if it is not there.

  Yields:
    The path of a folder beside it.
  """
  folder = os.path.abspath(folder)
  os.makedirs(os.path.dirname(folder), exist_ok=True)
  unfinished = tempfile.mkdtemp(
      prefix=os.path.basename(folder) + '.unfinished-',
      dir=os.path.dirname(folder))
  try:
    inside = os.path.join(unfinished, 'new')
    os.mkdir(inside)
    yield inside
    os.makedirs(folder, exist_ok=True)
    for name in sorted(os.listdir(inside)):
      _move(os.path.join(inside, name), os.path.join(folder, name),
            os.path.join(unfinished, name + '.old'))
  finally:
    shutil.rmtree(unfinished)


def _move(source, target, old):
  """Puts `source` in the place of `target`."""
  # A file is replaced in one step; a folder has to be moved away first.
  if os.path.isdir(target):
    os.rename(target, old)
  os.replace(source, target)
