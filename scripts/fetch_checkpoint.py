"""Downloads the archive of a pretrained network and prints its path.

  python scripts/fetch_checkpoint.py --list
  python scripts/fetch_checkpoint.py inception_v3_2016_08_28 DIRECTORY

--checkpoint_path takes the archive as it is. An archive that the directory
already holds is not downloaded again. Progress goes to standard error.
"""
import argparse
import contextlib
import csv
import os
import sys

if __name__ == '__main__':
  # Python puts the directory of this file there instead of the project's.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from datasets.conversion import downloads
from slim_common import suggest

_TABLE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'nets',
    'checkpoints.csv')
_COLUMNS = {
    'name': 'name', 'model_name': '--model_name', 'depth_multiplier': 'width',
    'image_size': 'size', 'preprocessing': 'preprocessing',
    'labels_offset': 'offset', 'top1': 'top-1', 'top5': 'top-5',
    'note': 'note'}
# Hosts that serve the same files as another one.
_MIRRORS = {
    'http://download.tensorflow.org/':
        'https://storage.googleapis.com/download.tensorflow.org/',
    'https://storage.cloud.google.com/': 'https://storage.googleapis.com/'}


def main(argv=None):
  """Runs the program with a list of arguments; the command line's if None."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('name', nargs='?', help='name from the table')
  parser.add_argument(
      'directory', nargs='?', help='directory to download to; made if missing')
  parser.add_argument(
      '--list', action='store_true', help='print the table of the archives')
  parser.add_argument(
      '--mirror', metavar='URL',
      help='URL of a directory to download from; any name is accepted')
  arguments = parser.parse_args(argv)
  if arguments.list:
    print(table())
    return
  if not arguments.directory:
    parser.error('a name and a directory are required; see --list')
  try:
    with contextlib.redirect_stdout(sys.stderr):
      archive = fetch(arguments.name, arguments.directory, arguments.mirror)
  except (OSError, ValueError) as error:
    sys.exit('fetch_checkpoint.py: %s' % error)
  print(archive)


def rows():
  """Returns the published checkpoints, a list of dicts from column to text."""
  with open(_TABLE, encoding='utf-8', newline='') as file:
    return list(csv.DictReader(file))


def table():
  """Returns the published checkpoints as a Markdown table."""
  cells = [list(_COLUMNS.values())] + [
      [row[column] for column in _COLUMNS] for row in rows()]
  widths = [max(map(len, column)) for column in zip(*cells)]
  cells.insert(1, ['-' * width for width in widths])
  return '\n'.join('| %s |' % ' | '.join(map(str.ljust, line, widths))
                   for line in cells)


def fetch(name, directory, mirror=None):
  """Downloads an archive unless the directory holds it, and returns its path.

  Args:
    name: name of the archive, without .tar.gz or .tgz.
    directory: path of the directory; made if missing.
    mirror: URL of a directory to download from; None for the published URLs.

  Raises:
    ValueError: the name is not in the table and there is no `mirror`.
    OSError: the archive cannot be downloaded.
  """
  urls = {row['name']: row['url'] for row in rows()}
  if name not in urls and not mirror:
    raise ValueError(
        'there is no checkpoint %s%s --list names all; --mirror=URL downloads '
        'others.' % (name, suggest.hint(name, urls)))
  url = urls.get(name, name + '.tar.gz')
  file = url.rpartition('/')[2]
  path = os.path.join(directory, file)
  if os.path.exists(path):
    return path
  sources = [mirror.rstrip('/') + '/' + file] if mirror else [url] + [
      url.replace(host, other) for host, other in _MIRRORS.items()
      if url.startswith(host)]
  return downloads.fetch(
      sources, path, advice='Download it in another way and give its path as '
      '--checkpoint_path, or to a recipe as CHECKPOINT=PATH.')


if __name__ == '__main__':
  main()
