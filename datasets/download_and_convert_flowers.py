"""Converts the flower photographs: 3,320 to train on, 350 to validate with.

The validation pictures are the first 350 after a shuffle by seed 0 of the
sorted listing, so they are the same on every machine. JPEGs stay byte for byte
as they are, even where EXIF would turn them.

The TensorFlow Team, "Flowers", January 2019, from
http://download.tensorflow.org/example_images/flower_photos.tgz.
"""
import random

from datasets.conversion import dataset_writer
from datasets.conversion import downloads
from datasets.conversion import image_checks
from datasets.conversion import image_files
from datasets.conversion import image_lists
from datasets.conversion import worker_pool

_NAME = 'flowers'
_FILES = 'flowers_%s_%05d-of-%05d.tfrecord'
_NUM_PICTURES, _NUM_VALIDATION = 3670, 350
_NUM_SHARDS = 5
_SEED = 0

_PUBLISHED = downloads.Published(
    mirrors=('http://download.tensorflow.org/example_images/',
             'https://storage.googleapis.com/download.tensorflow.org/'
             'example_images/'),
    files=(
        downloads.RemoteFile(
            'flower_photos.tgz', 228813984,
            '4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c'),
    ))


def run(dataset_dir, source=None, overwrite=False, num_workers=None,
        on_bad_image='fail', max_pixels=image_checks.MAX_PIXELS,
        background='white'):
  """Writes `flowers_{train,validation}_*.tfrecord` and `labels.txt`.

  Args:
    dataset_dir: the folder for them. A dataset that stands there is kept.
    source: a folder of a sub-folder a kind of flower, an archive of it, or a
      URL; None to download it.
    overwrite: whether a dataset that stands there is replaced.
    num_workers: how many processes work on it; None for one a core.
    on_bad_image: 'fail' (nothing is published) or 'skip'.
    max_pixels: larger pictures are bad ones.
    background: what shows through transparency: a colour name or #rrggbb.

  Raises:
    ValueError: an argument, the source, or a picture is bad.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  policy = image_checks.Policy(
      max_pixels, image_checks.parse_background(background), turn=False)
  with worker_pool.WorkerPool(num_workers) as workers, \
      dataset_writer.DatasetWriter(dataset_dir, _NAME, num_workers) as writer:
    if writer.keep_existing(sum(_files().values(), []), overwrite):
      return
    listing = image_lists.from_folder(downloads.obtain(
        source, _PUBLISHED, writer.download_dir, writer.unpack_dir))
    image_files.convert(writer, _NAME, listing, _plan, policy, on_bad_image,
                        workers)
    writer.publish(listing.class_names)


def _files():
  """Returns a dict of split to the names of its record files."""
  return {split: image_files.shard_names(
      _FILES, split, _NUM_SHARDS, _NUM_SHARDS)
          for split in ('train', 'validation')}


def _plan(splits):
  """Returns a dict of split to (file names, pictures in their order)."""
  pictures = list(splits['train'])
  if len(pictures) <= _NUM_VALIDATION:
    raise ValueError('the source has %d pictures; %d are needed to validate '
                     'with, and more to train on' % (
                         len(pictures), _NUM_VALIDATION))
  if len(pictures) != _NUM_PICTURES:
    print('Note: %d pictures, not the %d of the published archive.' % (
        len(pictures), _NUM_PICTURES))
  random.Random(_SEED).shuffle(pictures)
  files = _files()
  return {'train': (files['train'], pictures[_NUM_VALIDATION:]),
          'validation': (files['validation'], pictures[:_NUM_VALIDATION])}
