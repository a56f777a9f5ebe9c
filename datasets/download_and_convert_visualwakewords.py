"""Makes Visual Wake Words from COCO: is there a person in the picture?

A picture has label 1 where an object of the class takes more than a share of
its area, else 0. Any of COCO's 80 classes will do, and the pictures and
annotations of 2014 or of 2017. JPEGs stay byte for byte as they are, even where
EXIF would turn them: the boxes are those of the stored pixels.

What had to be downloaded or unpacked stays in `coco_dirname` below the
dataset's folder, so that a run that was stopped is gone on with.

A. Chowdhery et al., "Visual Wake Words Dataset", arXiv:1906.05721.
"""
import collections
import os
import shutil
import urllib.parse

from datasets.conversion import archives
from datasets.conversion import coco
from datasets.conversion import dataset_writer
from datasets.conversion import downloads
from datasets.conversion import image_checks
from datasets.conversion import image_files
from datasets.conversion import resumable_dataset

_NAME = 'visualwakewords'
_FILES = '%s.record-%05d-of-%05d'
_NUM_SHARDS = collections.OrderedDict((('train', 100), ('val', 10)))
_HOST = 'http://images.cocodataset.org/'
# The host is a bucket of this one.
_MIRRORS = (_HOST, 'https://s3.amazonaws.com/images.cocodataset.org/')

# Size and SHA-256 of what the mirrors have.
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
_NUM_PICTURES = {'train2014': 82783, 'val2014': 40504,
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
        coco_annotations_url=_YEARS[0].annotations):
  """Writes `{train,val}.record-*` and `labels.txt`.

  Args:
    dataset_dir: the folder for them. A dataset that stands there is kept.
    small_object_area_threshold: an object counts where its area is more than
      this share of the picture's.
    foreground_class_of_interest: the COCO class that makes the label 1.
    source: a folder of COCO's zip archives or of what they hold (train2014/,
      val2014/, annotations/, or the same of 2017), or the URL of a folder of
      the archives; None to download them.
    overwrite: whether a dataset that stands there is replaced.
    num_workers: how many processes work on it; None for one a core.
    on_bad_image: 'fail' (nothing is published) or 'skip'.
    max_pixels: larger pictures are bad ones.
    background: what shows through transparency: a colour name or #rrggbb.
    coco_dirname: the folder for COCO, in `dataset_dir`.
    coco_train_url: of the archive of the pictures to train on.
    coco_validation_url: of the archive of those to validate with.
    coco_annotations_url: of the archive of the annotations.

  Raises:
    ValueError: an argument, an archive, an annotation or a picture is bad.
    OSError: a file or a mirror cannot be reached, or the disk is full.
  """
  policy = image_checks.Policy(
      max_pixels, image_checks.parse_background(background), turn=False)
  urls = _Urls(coco_train_url, coco_validation_url, coco_annotations_url)
  with dataset_writer.DatasetWriter(dataset_dir, _NAME, num_workers) as writer:
    names = [_FILES % (split, shard, count)
             for split, count in _NUM_SHARDS.items() for shard in range(count)]
    if not overwrite:
      _check_class(dataset_dir, foreground_class_of_interest)
    if writer.keep_existing(names, overwrite):
      return
    places = _places(source, os.path.join(dataset_dir, coco_dirname), urls)
    splits = collections.OrderedDict()
    for split in _NUM_SHARDS:
      folder = getattr(places, split)
      title = os.path.basename(folder)
      pictures = coco.read(
          os.path.join(places.annotations, 'instances_%s.json' % title),
          folder, foreground_class_of_interest, small_object_area_threshold)
      _print_counts(title, pictures, foreground_class_of_interest)
      splits[split] = _split(split, pictures)
    resumable_dataset.convert(
        writer, dataset_dir, _NAME, splits,
        ['background', foreground_class_of_interest], coco.features_of,
        policy, on_bad_image, num_workers)


def _check_class(dataset_dir, class_name):
  """Raises ValueError if the dataset that stands there is of another class."""
  info = resumable_dataset.standing_info(dataset_dir, _NAME)
  if info and class_name not in info['class_names']:
    raise ValueError(
        '%s holds %s for the class %s, not %s: give --overwrite or another '
        '--dataset_dir' % (
            dataset_dir, _NAME, info['class_names'][-1], class_name))


def _print_counts(title, pictures, class_name):
  if not pictures:
    raise ValueError('%s: the annotations name no picture' % title)
  print('%s: %d pictures, %d of them with %s' % (
      title, len(pictures), sum(picture.label for picture in pictures),
      class_name))
  if len(pictures) != _NUM_PICTURES.get(title, len(pictures)):
    print('Note: not the %d that were published.' % _NUM_PICTURES[title])


def _split(split, pictures):
  """Returns the Split whose files take the pictures in turn."""
  files = image_files.shard_names(
      _FILES, split, len(pictures), _NUM_SHARDS[split])
  return resumable_dataset.Split(
      files, len(pictures), lambda shard: pictures[shard::len(files)])


def _places(source, coco_dir, urls):
  """Returns the folders of the three parts, as _Urls has them.

  What is not there yet is downloaded or unpacked to `coco_dir`.

  Raises:
    ValueError: an archive is damaged or unsafe.
    OSError: a part is not there and cannot be downloaded.
  """
  os.makedirs(coco_dir, exist_ok=True)
  try:
    if source and '://' not in source:
      if not os.path.isdir(source):
        raise FileNotFoundError('there is no folder %s: --source takes the '
                                'folder of the COCO archives, or of what they '
                                'hold, or its URL' % source)
      urls = _year_of(source, urls)
    # What an archive holds lies in a folder of its name; not so annotations.
    return _Urls(
        _place(source, coco_dir, urls.train, _stem(urls.train), ''),
        _place(source, coco_dir, urls.val, _stem(urls.val), ''),
        _place(source, coco_dir, urls.annotations, 'annotations',
               'instances_%s.json' % _stem(urls.train)))
  finally:
    if not os.listdir(coco_dir):
      os.rmdir(coco_dir)


def _year_of(source, urls):
  """Returns the _Urls whose pictures lie in a folder; else those given."""
  for year in (urls,) + _YEARS:
    if any(os.path.exists(os.path.join(source, name))
           for name in (_stem(year.train), os.path.basename(year.train))):
      return year
  return urls


def _stem(url):
  return os.path.splitext(os.path.basename(urllib.parse.urlsplit(url).path))[0]


def _place(source, coco_dir, url, title, needed):
  """Returns the folder of one part.

  Args:
    source: see `run`.
    coco_dir: the folder for what is downloaded and unpacked.
    url: of the archive of this part.
    title: the name of the folder in the archive.
    needed: the name of a file that the folder must hold, or ''.
  """
  name = os.path.basename(urllib.parse.urlsplit(url).path)
  unpacked = os.path.join(coco_dir, _stem(url))
  is_local = bool(source) and '://' not in source
  candidates = [os.path.join(coco_dir, title), unpacked]
  if is_local:
    candidates.insert(0, os.path.join(source, title))
  for folder in candidates:
    if os.path.exists(os.path.join(folder, needed)):
      return folder
  if is_local:
    archive = os.path.join(source, name)
    if not os.path.exists(archive):
      raise FileNotFoundError('there is neither the folder %s nor the archive '
                              '%s in %s' % (title, name, source))
  else:
    archive = _fetch(source, url, os.path.join(coco_dir, name))
  _unpack(archive, unpacked, title)
  return unpacked


def _fetch(source, url, path):
  """Downloads an archive to `path`; one that is there is kept."""
  size = sha256 = None
  urls = [url]
  if source:
    # Whoever mirrors COCO keeps its folders, or does not.
    name = os.path.basename(path)
    folder = os.path.dirname(urllib.parse.urlsplit(url).path)
    base = source.rstrip('/') + '/'
    urls = [base + name, base + os.path.basename(folder) + '/' + name]
  else:
    for mirror in _MIRRORS:
      known = url[len(mirror):]
      if url.startswith(mirror) and known in _PUBLISHED:
        urls = [each + known for each in _MIRRORS]
        size, sha256 = _PUBLISHED[known]
  if not sha256 and os.path.exists(path):
    return path
  return downloads.fetch(urls, path, size, sha256, downloads.GIVE_SOURCE)


def _unpack(archive, folder, title):
  """Unpacks an archive's folder `title`; it becomes `folder` when complete."""
  partial = os.path.join(os.path.dirname(folder),
                         '.%s.partial' % os.path.basename(folder))
  shutil.rmtree(partial, ignore_errors=True)
  archives.unpack(archive, partial)
  inner = os.path.join(partial, title)
  os.rename(inner if os.path.isdir(inner) else partial, folder)
  shutil.rmtree(partial, ignore_errors=True)
