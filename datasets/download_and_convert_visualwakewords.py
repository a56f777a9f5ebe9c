"""Makes Visual Wake Words from COCO: is there a person in the image?

An image has label 1 if an object of the class takes more than a given fraction
of its area, else 0. The class is any of COCO's 80, the images and annotations
those of 2014 or of 2017. JPEGs are kept byte for byte, whatever their EXIF
orientation: the boxes are those of the stored pixels.

What is downloaded or unpacked stays in `coco_dirname` in the dataset's
directory, so that a run that was stopped is resumed.

A. Chowdhery et al., "Visual Wake Words Dataset", arXiv:1906.05721.
"""
import collections
import os
import urllib.parse

from datasets.conversion import archives
from datasets.conversion import coco
from datasets.conversion import dataset_writer
from datasets.conversion import directories
from datasets.conversion import downloads
from datasets.conversion import engine
from datasets.conversion import image_checks
from datasets.conversion import provenance
from slim_common import atomic_files
from slim_common import transfer

_NAME = 'visualwakewords'
# What the records depend on, besides the source.
_OPTIONS = ('small_object_area_threshold', 'foreground_class_of_interest',
            'on_bad_image', 'max_pixels', 'background')
_FILES = '%s.record-%05d-of-%05d'
_NUM_SHARDS = collections.OrderedDict((('train', 100), ('val', 10)))
_HOST = 'http://images.cocodataset.org/'
# The host is a bucket of the second mirror.
_MIRRORS = (_HOST, 'https://s3.amazonaws.com/images.cocodataset.org/')

# Size in bytes and SHA-256 of the files.
_PUBLISHED = {
    'zips/train2014.zip': (
        13510573713,
        'ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775'),
    'zips/val2014.zip': (
        6645013297,
        'fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0'),
    'annotations/annotations_trainval2014.zip': (
        252872794,
        '031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009'),
    'zips/train2017.zip': (
        19336861798,
        '69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929'),
    'zips/val2017.zip': (
        815585330,
        '4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05'),
    'annotations/annotations_trainval2017.zip': (
        252907541,
        '113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268'),
}
_NUM_IMAGES = {'train2014': 82783, 'val2014': 40504,
                 'train2017': 118287, 'val2017': 5000}

# The URLs, or names, of the three archives of a year.
_Urls = collections.namedtuple('_Urls', 'train val annotations')
_YEARS = tuple(_Urls(*(_HOST + path % year for path in (
    'zips/train%s.zip', 'zips/val%s.zip',
    'annotations/annotations_trainval%s.zip'))) for year in ('2014', '2017'))


def run(dataset_dir, small_object_area_threshold=0.005,
        foreground_class_of_interest='person', source=None, overwrite=False,
        num_workers=None, on_bad_image='fail',
        max_pixels=image_checks.MAX_PIXELS, background='white',
        coco_dirname='coco_dataset', coco_train_url=_YEARS[0].train,
        coco_validation_url=_YEARS[0].val,
        coco_annotations_url=_YEARS[0].annotations, keep=False):
  """Writes `{train,val}.record-*` and `labels.txt`.

  Args:
    dataset_dir: directory for them. An existing dataset is kept.
    small_object_area_threshold: minimum object area, as a fraction of the
      image area; objects of this area or less are ignored.
    foreground_class_of_interest: the COCO class that makes the label 1.
    source: a directory of COCO's zip archives or of their content (train2014/,
      val2014/, annotations/, or the same of 2017), or the URL of a directory
      of the archives; None to download them.
    overwrite: whether an existing dataset is replaced.
    num_workers: number of processes; None for one per core.
    on_bad_image: 'fail' (nothing is published) or 'skip'.
    max_pixels: maximum height times width; larger images are bad.
    background: color shown through transparency: a name or #rrggbb.
    coco_dirname: name of the directory for COCO, in `dataset_dir`.
    coco_train_url: URL of the archive of the training images.
    coco_validation_url: URL of the archive of the validation images.
    coco_annotations_url: URL of the archive of the annotations.
    keep: whether a dataset of another source or other options is kept.

  Raises:
    ValueError: an argument, an archive, an annotation or an image is bad.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  policy = image_checks.Policy(
      max_pixels, image_checks.parse_background(background), turn=False,
      only_jpeg=True)
  urls = _Urls(coco_train_url, coco_validation_url, coco_annotations_url)
  with dataset_writer.DatasetWriter(dataset_dir, _NAME, num_workers) as writer:
    names = [_FILES % (split, shard, count)
             for split, count in _NUM_SHARDS.items() for shard in range(count)]
    if not (overwrite or keep):
      _check_class(writer, dataset_dir, foreground_class_of_interest)
    options = dict(zip(_OPTIONS, (
        small_object_area_threshold, foreground_class_of_interest,
        on_bad_image, max_pixels, background)))
    if writer.keep_existing(names, overwrite, provenance.Origin(
        [source] if source else list(urls), options, read=False), keep):
      return
    parts = _directories(source, os.path.join(dataset_dir, coco_dirname), urls)
    splits = collections.OrderedDict()
    for split in _NUM_SHARDS:
      directory = getattr(parts, split)
      title = os.path.basename(directory)
      images = coco.read(
          os.path.join(parts.annotations, 'instances_%s.json' % title),
          directory, foreground_class_of_interest, small_object_area_threshold)
      _print_counts(title, images, foreground_class_of_interest)
      splits[split] = _split(split, images)
    engine.convert(
        writer, splits, ['background', foreground_class_of_interest],
        coco.features_of, policy, on_bad_image)


def _check_class(writer, dataset_dir, class_name):
  """Raises ValueError if the existing dataset is of another class."""
  info = writer.existing_info()
  if info and class_name not in info['class_names']:
    raise ValueError(
        '%s holds %s for the class %s, not %s: give --overwrite or another '
        '--dataset_dir' % (
            dataset_dir, _NAME, info['class_names'][-1], class_name))


def _print_counts(title, images, class_name):
  if not images:
    raise ValueError('%s: the annotations name no image' % title)
  count = sum(image.label for image in images)
  print('%s: %d images, %d of them with %s' % (
      title, len(images), count, class_name))
  if not count:
    raise ValueError(
        '%s: no image shows %s: give another --foreground_class_of_interest or '
        'a smaller --small_object_area_threshold' % (title, class_name))
  if len(images) != _NUM_IMAGES.get(title, len(images)):
    print('Note: not the %d that were published.' % _NUM_IMAGES[title])


def _split(split, images):
  """Returns the Split whose files take the images in turn."""
  files = engine.shard_names(_FILES, split, len(images), _NUM_SHARDS[split])
  return engine.Split(
      files, len(images), lambda shard: images[shard::len(files)])


def _directories(source, coco_dir, urls):
  """Returns the directories of the three parts, in a _Urls.

  What does not exist yet is downloaded or unpacked to `coco_dir`.

  Raises:
    ValueError: an archive is damaged or unsafe.
    OSError: a part does not exist and cannot be downloaded.
  """
  os.makedirs(coco_dir, exist_ok=True)
  try:
    if source and '://' not in source:
      if not os.path.isdir(source):
        raise FileNotFoundError('there is no directory %s: --source takes the '
                                'directory of the COCO archives, or of their '
                                'content, or its URL' % source)
      urls = _year_of(source, urls)
    # An archive has a directory of its name, except for the annotations.
    return _Urls(
        _directory(source, coco_dir, urls.train, _stem(urls.train), ''),
        _directory(source, coco_dir, urls.val, _stem(urls.val), ''),
        _directory(source, coco_dir, urls.annotations, 'annotations',
                   'instances_%s.json' % _stem(urls.train)))
  finally:
    if not os.listdir(coco_dir):
      os.rmdir(coco_dir)


def _year_of(source, urls):
  """Returns the _Urls whose images are in a directory; else those given."""
  for year in (urls,) + _YEARS:
    if any(os.path.exists(os.path.join(source, name))
           for name in (_stem(year.train), os.path.basename(year.train))):
      return year
  return urls


def _stem(url):
  return os.path.splitext(os.path.basename(urllib.parse.urlsplit(url).path))[0]


def _directory(source, coco_dir, url, title, needed):
  """Returns the directory of one part.

  Args:
    source: as for `run`.
    coco_dir: directory for what is downloaded and unpacked.
    url: URL of the archive of this part.
    title: name of the directory in the archive.
    needed: name of a file that the directory must hold, or ''.
  """
  name = os.path.basename(urllib.parse.urlsplit(url).path)
  unpacked = os.path.join(coco_dir, _stem(url))
  is_local = bool(source) and '://' not in source
  candidates = [os.path.join(coco_dir, title), unpacked]
  if is_local:
    candidates.insert(0, os.path.join(source, title))
  for directory in candidates:
    if os.path.exists(os.path.join(directory, needed)):
      return directory
  if is_local:
    archive = os.path.join(source, name)
    if not os.path.exists(archive):
      raise FileNotFoundError('there is neither the directory %s nor the '
                              'archive %s in %s' % (title, name, source))
  else:
    archive = _fetch(source, url, os.path.join(coco_dir, name))
  _unpack(archive, unpacked, title)
  return unpacked


def _fetch(source, url, path):
  """Downloads an archive to `path`; one that exists is kept."""
  size = sha256 = None
  urls = [url]
  if source:
    # A mirror of COCO has its directories, or not.
    name = os.path.basename(path)
    directory = os.path.dirname(urllib.parse.urlsplit(url).path)
    base = source.rstrip('/') + '/'
    urls = [base + name, base + os.path.basename(directory) + '/' + name]
  else:
    for mirror in _MIRRORS:
      known = url[len(mirror):]
      if url.startswith(mirror) and known in _PUBLISHED:
        urls = [each + known for each in _MIRRORS]
        size, sha256 = _PUBLISHED[known]
  if not sha256 and os.path.exists(path):
    return path
  return transfer.fetch(urls, path, size, sha256, downloads.GIVE_SOURCE)


def _unpack(archive, directory, title):
  """Unpacks the directory `title` of an archive as `directory`."""
  with atomic_files.new_directory(directory) as unpacked:
    archives.unpack(archive, unpacked)
    inner = os.path.join(unpacked, title)
    for name in os.listdir(inner) if os.path.isdir(inner) else ():
      os.rename(os.path.join(inner, name), os.path.join(unpacked, name))
    directories.remove_if_empty(inner)
