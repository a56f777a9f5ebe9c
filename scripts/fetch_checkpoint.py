"""Downloads the archive of a pretrained network, once, and prints its path.

  python fetch_checkpoint.py inception_v3_2016_08_28 FOLDER

--checkpoint_path takes the archive as it is. The progress goes to standard
error.
"""
import argparse
import contextlib
import os
import sys

from datasets.conversion import downloads

_MIRRORS = (
    'http://download.tensorflow.org/models/',
    'https://storage.googleapis.com/download.tensorflow.org/models/')
_SUFFIX = '.tar.gz'


def main(argv=None):
  """Runs the program; `argv` is a list of words, those of the shell if None."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument('name', help='of the archive, without .tar.gz')
  parser.add_argument('folder', help='where it goes; made if need be')
  arguments = parser.parse_args(argv)
  try:
    with contextlib.redirect_stdout(sys.stderr):
      archive = fetch(arguments.name, arguments.folder)
  except OSError as error:
    sys.exit('fetch_checkpoint.py: %s' % error)
  print(archive)


def fetch(name, folder, mirrors=_MIRRORS):
  """Returns the path of a published archive; downloads it once.

  Args:
    name: of the archive, without .tar.gz.
    folder: where it goes.
    mirrors: URLs of folders that may have the archive, ending with /.

  Raises:
    OSError: no mirror gave the archive.
  """
  archive = os.path.join(folder, name + _SUFFIX)
  if os.path.exists(archive):
    return archive
  return downloads.fetch(
      [mirror + name + _SUFFIX for mirror in mirrors], archive,
      advice='Fetch it in another way and type CHECKPOINT=FILE before the '
             'command.')


if __name__ == '__main__':
  main()
