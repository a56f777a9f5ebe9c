"""Makes a folder of pictures, one sub-folder a class, of Tux Paint's stamps.

The stamps are some 800 small photographs and drawings, most of them cut out,
so that transparency shows around them. Debian and Ubuntu have them (GPL 2):

  apt install tuxpaint-stamps-default
  python examples/stamps_folder.py --output_dir=/tmp/stamps
  python download_and_convert_data.py --dataset_name=image_folder \
      --source=/tmp/stamps --dataset_dir=/tmp/stamps-data

A class is a folder at the top of the collection, such as `animals`, with the
PNG files in all the folders below it. The result holds links; the collection
is only read.
"""
import argparse
import collections
import os
import sys

_SOURCE = '/usr/share/tuxpaint/stamps'
_SUFFIX = '.png'
_LEAST = 30


def main(argv=None):
  """Runs the program; `argv` is a list of words, those of the shell if None."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument(
      '--output_dir', required=True, help='folder to make; it must not exist')
  parser.add_argument(
      '--source', default=_SOURCE, help='the stamps (default: %(default)s)')
  parser.add_argument(
      '--min_pictures', type=int, default=_LEAST,
      help='smaller classes are left out (default: %(default)s)')
  arguments = parser.parse_args(argv)
  try:
    counts = link(
        arguments.source, arguments.output_dir, arguments.min_pictures)
  except ValueError as error:
    sys.exit('stamps_folder.py: %s' % error)
  for name, count in sorted(counts.items()):
    print('%-12s %d' % (name, count))
  print('%d pictures, %d classes, in %s' % (
      sum(counts.values()), len(counts), arguments.output_dir))


def link(source, output_dir, min_pictures=_LEAST):
  """Makes the folder.

  Args:
    source: the folder of the stamps.
    output_dir: the folder to make, of a folder of links a class. The link to
      birds/owl.png of a class is called birds_owl.png.
    min_pictures: how many pictures a class needs.

  Returns:
    A dict of class to how many pictures it has.

  Raises:
    ValueError: there are no stamps, fewer than 2 classes are large enough, or
      `output_dir` exists.
  """
  if not os.path.isdir(source):
    raise ValueError(
        'there is no folder %s. Install the stamps (apt install '
        'tuxpaint-stamps-default) or give their folder with --source.' % source)
  if os.path.lexists(output_dir):
    raise ValueError('%s exists already: remove it, or give another '
                     '--output_dir.' % output_dir)
  found = _find(source)
  classes = {name: pictures for name, pictures in found.items()
             if len(pictures) >= min_pictures}
  if len(classes) < 2:
    raise ValueError(
        '%d classes of %s have %d pictures or more; 2 are needed, so lower '
        '--min_pictures. There are: %s' % (
            len(classes), source, min_pictures, ', '.join(
                '%s %d' % (name, len(found[name])) for name in sorted(found))))
  for name, pictures in classes.items():
    os.makedirs(os.path.join(output_dir, name))
    for picture in pictures:
      os.symlink(
          os.path.realpath(os.path.join(source, name, picture)),
          os.path.join(output_dir, name, picture.replace(os.sep, '_')))
  return {name: len(pictures) for name, pictures in classes.items()}


def _find(source):
  """Returns a dict of class to the paths of its pictures, from its folder."""
  found = collections.defaultdict(list)
  for name in sorted(os.listdir(source)):
    top = os.path.join(source, name)
    if not os.path.isdir(top):
      continue
    for folder, _, files in os.walk(top):
      found[name] += [os.path.relpath(os.path.join(folder, file), top)
                      for file in sorted(files) if file.endswith(_SUFFIX)]
  return dict(found)


if __name__ == '__main__':
  main()
