"""Converts the flower photographs: 3,320 to train on, 350 to validate with.

The validation images are the first 350 after a shuffle by seed 0 of the sorted
listing, so they are the same on every machine. JPEGs are kept byte for byte,
whatever their EXIF orientation.

The TensorFlow Team, "Flowers", January 2019, from
http://download.tensorflow.org/example_images/flower_photos.tgz.
"""

from datasets.conversion import dataset_writer
from datasets.conversion import downloads
from datasets.conversion import engine
from datasets.conversion import image_checks
from datasets.conversion import image_lists
from datasets.conversion import provenance

_NAME = 'flowers'
_FILES = 'flowers_%s_%05d-of-%05d.tfrecord'
_NUM_IMAGES, _NUM_VALIDATION = 3670, 350
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
        background='white', keep=False):
  """Writes `flowers_{train,validation}_*.tfrecord` and `labels.txt`.

  Args:
    dataset_dir: directory for them. An existing dataset is kept.
    source: a directory with one subdirectory per kind of flower, an archive of
      it, or a URL; None to download it.
    overwrite: whether an existing dataset is replaced.
    num_workers: number of processes; None for one per core.
    on_bad_image: 'fail' (nothing is published) or 'skip'.
    max_pixels: maximum height times width; larger images are bad.
    background: color shown through transparency: a name or #rrggbb.
    keep: whether a dataset of another source or of other options is kept; else
      it is an error.

  Raises:
    ValueError: an argument, the source, or an image is bad.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  policy = image_checks.Policy(
      max_pixels, image_checks.parse_background(background), turn=False)
  with dataset_writer.DatasetWriter(dataset_dir, _NAME, num_workers) as writer:
    origin = provenance.Origin([source] if source else [], {
        'on_bad_image': on_bad_image, 'max_pixels': max_pixels,
        'background': background})
    if writer.keep_existing(
        sum(_files().values(), []), overwrite, origin, keep):
      return
    listing = image_lists.from_directory(downloads.obtain(
        source, _PUBLISHED, writer.download_dir, writer.unpack_dir),
                                         source or _PUBLISHED.files[0].name)
    engine.convert_listing(writer, listing, _plan, policy, on_bad_image)


def _files():
  """Returns a dict of split name to the names of its record files."""
  return {split: engine.shard_names(
      _FILES, split, _NUM_SHARDS, _NUM_SHARDS)
          for split in ('train', 'validation')}


def _plan(splits):
  """Returns a dict of split name to (file names, images in their order)."""
  images = splits['train'].shuffled(_SEED)
  if len(images) <= _NUM_VALIDATION:
    raise ValueError('the source has %d images; %d are needed to validate '
                     'with, and more to train on' % (
                         len(images), _NUM_VALIDATION))
  if len(images) != _NUM_IMAGES:
    print('Note: %d images, not the %d of the published archive.' % (
        len(images), _NUM_IMAGES))
  files = _files()
  return {'train': (files['train'], images[_NUM_VALIDATION:]),
          'validation': (files['validation'], images[:_NUM_VALIDATION])}
