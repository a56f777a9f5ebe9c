"""Makes a directory of images, one subdirectory per class, from Tux Paint.

Its stamps are about 800 small photographs and drawings, most of them with a
transparent background. Debian and Ubuntu package them (GPL 2):

  apt install tuxpaint-stamps-default
  python examples/stamps_folder.py --output_dir=stamps
  python download_and_convert_data.py --dataset_name=image_folder \
      --source=stamps --dataset_dir=stamps-data

A class is a top directory of the collection, such as `animals`, with the PNG
files of all its subdirectories. The result contains symbolic links; the
collection is only read.
"""
import argparse
import collections
import os
import sys

_SOURCE = '/usr/share/tuxpaint/stamps'
_MIN_IMAGES = 30


def main(argv=None):
  """Runs the program on the arguments `argv`, by default the command line."""
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
  parser.add_argument(
      '--output_dir', required=True, help='directory to make; must not exist')
  parser.add_argument(
      '--source', default=_SOURCE,
      help='directory of the stamps (default: %(default)s)')
  parser.add_argument(
      '--min_pictures', type=int, default=_MIN_IMAGES,
      help='minimum number of images of a class (default: %(default)s); '
      'smaller classes are left out')
  arguments = parser.parse_args(argv)
  try:
    counts = link(
        arguments.source, arguments.output_dir, arguments.min_pictures)
  except ValueError as error:
    sys.exit('stamps_folder.py: %s' % error)
  for name, count in sorted(counts.items()):
    print('%-12s %d' % (name, count))
  print('%d images, %d classes, in %s' % (
      sum(counts.values()), len(counts), arguments.output_dir))


def link(source, output_dir, min_images=_MIN_IMAGES):
  """Makes the directory.

  Args:
    source: directory of the stamps.
    output_dir: directory to make, with one subdirectory of links per class. The
      link to birds/owl.png of a class is called birds_owl.png.
    min_images: minimum number of images of a class.

  Returns:
    A dict of class to its number of images.

  Raises:
    ValueError: there are no stamps, fewer than 2 classes are large enough, or
      `output_dir` exists.
  """
  if not os.path.isdir(source):
    raise ValueError(
        'there is no directory %s. Install the stamps (apt install '
        'tuxpaint-stamps-default) or give their directory with --source.' %
        source)
  if os.path.lexists(output_dir):
    raise ValueError('%s exists already: remove it, or give another '
                     '--output_dir.' % output_dir)
  found = _find(source)
  classes = {name: images for name, images in found.items()
             if len(images) >= min_images}
  if len(classes) < 2:
    raise ValueError(
        '%d classes of %s have %d images or more; 2 are needed, so lower '
        '--min_pictures. There are: %s' % (
            len(classes), source, min_images, ', '.join(
                '%s %d' % (name, len(found[name])) for name in sorted(found))))
  for name, images in classes.items():
    os.makedirs(os.path.join(output_dir, name))
    for image in images:
      os.symlink(
          os.path.realpath(os.path.join(source, name, image)),
          os.path.join(output_dir, name, image.replace(os.sep, '_')))
  return {name: len(images) for name, images in classes.items()}


def _find(source):
  """Returns a dict of class to the paths of its images in its directory."""
  found = collections.defaultdict(list)
  for name in sorted(os.listdir(source)):
    top = os.path.join(source, name)
    if not os.path.isdir(top):
      continue
    for directory, _, files in os.walk(top):
      found[name] += [os.path.relpath(os.path.join(directory, file), top)
                      for file in sorted(files) if file.endswith('.png')]
  return dict(found)


if __name__ == '__main__':
  main()
