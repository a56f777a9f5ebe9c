"""Downloads the archive of a pretrained network and prints its path.

  python scripts/fetch_checkpoint.py --list
  python scripts/fetch_checkpoint.py inception_v3
  python scripts/fetch_checkpoint.py inception_v3_2016_08_28 DIRECTORY

--checkpoint_path takes the archive as it is, or the name alone. An archive that
is there already is not downloaded again: in the directory or, without one, in
$TF_SLIM_CHECKPOINTS or ~/.cache/tf_slim_models. Progress goes to standard
error.
"""
import argparse
import contextlib
import os
import sys

if __name__ == '__main__':
  # Python puts the directory of this file there instead of the project's.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from nets import pretrained

_COLUMNS = {
    'name': 'name', 'model_name': '--model_name', 'depth_multiplier': 'width',
    'image_size': 'size', 'preprocessing': 'preprocessing',
    'labels_offset': 'offset', 'top1': 'top-1', 'top5': 'top-5',
    'note': 'note'}


def main(argv=None):
  """Runs the program with a list of arguments; the command line's if None."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('name', nargs='?', help='name from the table')
  parser.add_argument(
      'directory', nargs='?', help='directory to download to; made if missing; '
      'default: $TF_SLIM_CHECKPOINTS or ~/.cache/tf_slim_models')
  parser.add_argument(
      '--list', action='store_true', help='print the table of the archives')
  parser.add_argument(
      '--mirror', metavar='URL',
      help='URL of a directory to download from; any name is accepted')
  arguments = parser.parse_args(argv)
  if arguments.list:
    print(table())
    return
  if not arguments.name:
    parser.error('a name is required; see --list')
  try:
    with contextlib.redirect_stdout(sys.stderr):
      archive = fetch(arguments.name, arguments.directory, arguments.mirror)
  except (OSError, ValueError) as error:
    sys.exit('fetch_checkpoint.py: %s' % error)
  print(archive)


def table():
  """Returns the published checkpoints as a Markdown table."""
  cells = [list(_COLUMNS.values())] + [
      [getattr(row, column) for column in _COLUMNS]
      for row in pretrained.rows()]
  widths = [max(map(len, column)) for column in zip(*cells)]
  cells.insert(1, ['-' * width for width in widths])
  return '\n'.join('| %s |' % ' | '.join(map(str.ljust, line, widths))
                   for line in cells)


def fetch(name, directory=None, mirror=None):
  """Downloads an archive unless it is there already; returns its path.

  Args:
    name: name of an archive, without .tar.gz or .tgz, or of a network.
    directory: path of the directory; made if missing. None for those that
      `pretrained.find` looks into.
    mirror: URL of a directory to download from; None for the published URLs.

  Raises:
    ValueError: the name is not in the table and there is no `mirror`.
    OSError: the archive cannot be downloaded.
  """
  row = pretrained.row_of(name)
  if row is None and mirror:
    row = pretrained.Checkpoint(
        name, *[''] * 8, url=mirror.rstrip('/') + '/' + name + '.tar.gz')
  if row is None or not (directory or mirror):
    return pretrained.find(name)
  return pretrained.fetch(
      row, directory or pretrained.directories()[0], mirror)


if __name__ == '__main__':
  main()
