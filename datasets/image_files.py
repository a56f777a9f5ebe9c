"""Converts pictures that lie in files: all are checked, then written.

The checks run in worker processes, which read the files themselves. Length and
time of each file are remembered, so that the second pass need not decode what
is kept, and sees when a file has changed.
"""
import collections
import csv
import errno
import os
import stat

from datasets import encoding
from datasets import image_checks
from datasets import progress

REPORT_FILENAME = 'bad_pictures.csv'
BAD_IMAGE_CHOICES = ('fail', 'skip')

_PICTURE_SUFFIXES = (
    '.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.gif', '.bmp', '.dib', '.webp',
    '.tif', '.tiff', '.heic', '.heif', '.avif', '.jp2', '.svg', '.ico', '.ppm')
_HEAD = 16
_PICTURES_PER_CHECK = 16

# path, name and class_name: as in `image_lists.Picture`; size: of the file in
# bytes; time: of its last change, in nanoseconds; conversion, image_format,
# height, width: as in `image_checks.Verdict`.
GoodPicture = collections.namedtuple(
    'GoodPicture', 'path name class_name size time conversion image_format '
    'height width')

# A verdict without the content, and what tells that a file is the same.
_Finding = collections.namedtuple('_Finding', 'verdict size time')


def select_good(title, listing, policy, on_bad_image, workers):
  """Checks every picture of a listing.

  Args:
    title: what is converted, for the messages.
    listing: an `image_lists.Listing`.
    policy: an `image_checks.Policy`.
    on_bad_image: 'fail' or 'skip'.
    workers: a `worker_pool.WorkerPool`.

  Returns:
    (splits, bad): a dict of split name to a list of GoodPictures, and a list
    of (name, reason).

  Raises:
    ValueError: there are bad pictures and `on_bad_image` is 'fail' (the
      message names them all), or a class has no good one to train on.
  """
  if on_bad_image not in BAD_IMAGE_CHOICES:
    raise ValueError('on_bad_image is %r; it is one of: %s' % (
        on_bad_image, ', '.join(BAD_IMAGE_CHOICES)))
  splits, bad = collections.OrderedDict(), []
  skipped = collections.Counter(listing.skipped)
  conversions = collections.Counter()
  for split, pictures in listing.splits.items():
    splits[split] = []
    findings = _check_all('%s: checking %s' % (title, split), pictures, policy,
                          workers)
    for (verdict, size, time), picture in zip(findings, pictures):
      if not verdict.fault:
        conversions[verdict.conversion] += 1
        splits[split].append(GoodPicture(
            *picture, size, time, verdict.conversion, verdict.image_format,
            verdict.height, verdict.width))
      elif (verdict.is_picture or listing.is_chosen or
            picture.name.lower().endswith(_PICTURE_SUFFIXES)):
        bad.append((picture.name, verdict.fault))
      else:
        skipped['no pictures by name or content'] += 1
  _print_counts('skipped', skipped)
  del conversions[None]
  _print_counts('converted', conversions)
  if bad and on_bad_image == 'fail':
    raise ValueError(
        '%d bad pictures; nothing was published. --on_bad_image=skip goes on '
        'without them.\n%s' % (len(bad), '\n'.join(
            '  %s: %s' % (printable(name), fault) for name, fault in bad)))
  _check_classes(listing.class_names, splits['train'])
  return splits, bad


def _print_counts(title, counts):
  if counts:
    print('%s: %s' % (title, ', '.join(
        '%d %s' % (counts[word], word) for word in sorted(counts))))


def _check_classes(class_names, pictures):
  empty = set(class_names) - {picture.class_name for picture in pictures}
  if empty:
    raise ValueError('no good picture to train on is left in the classes: '
                     '%s' % ', '.join(sorted(empty)))


def printable(name):
  """Returns a file name that can be printed, whatever its bytes."""
  return name.encode('utf-8', 'backslashreplace').decode('utf-8')


def _check_all(title, pictures, policy, workers):
  """Yields a _Finding for each of the pictures."""
  tasks = (([picture.path for picture in pictures[at:at + _PICTURES_PER_CHECK]],
            policy) for at in range(0, len(pictures), _PICTURES_PER_CHECK))
  with progress.Progress(title, len(pictures), 'pictures') as shown:
    for findings in workers.map(_check_files, tasks):
      shown.add(len(findings))
      yield from findings


def _check_files(paths, policy):
  """Checks some files, in a worker; returns a list of _Findings."""
  return [_check_file(path, policy) for path in paths]


def _check_file(path, policy):
  try:
    content, size, time = _read(path)
  except OSError as error:
    verdict = image_checks.Verdict(
        None, None, None, None, None,
        'cannot be read: %s' % (error.strerror or error), True)
    return _Finding(verdict, 0, 0)
  verdict = image_checks.check(content, policy)
  return _Finding(verdict._replace(content=None), size, time)


def _read(path):
  """Returns a file's content, its size and the time of its last change.

  The content of what is no picture is its beginning.
  """
  status = os.stat(path)
  if not stat.S_ISREG(status.st_mode):
    raise OSError(errno.EINVAL, 'not a file')  # A pipe would keep us waiting.
  with open(path, 'rb', buffering=0) as source:
    content = source.read(_HEAD)
    if image_checks.detect(content):
      source.seek(0)
      content = source.read()
  return content, status.st_size, status.st_mtime_ns


def write_split(writer, split, file_names, pictures, class_names, policy,
                workers):
  """Writes the records of a split, in the order of `pictures`.

  Args:
    writer: a `conversion.DatasetWriter`.
    split: its name.
    file_names: a list of the record files to share it out over.
    pictures: a list of GoodPictures.
    class_names: a list; a class's id is its place.
    policy: the `image_checks.Policy` that they were checked by.
    workers: a `worker_pool.WorkerPool`.

  Raises:
    ValueError: a file has changed since it was checked.
    OSError: a file is gone.
  """
  ids = {name: class_id for class_id, name in enumerate(class_names)}
  writer.write_split(
      split, file_names, len(pictures),
      ([(_encode(picture, content, ids[picture.class_name]),
         ids[picture.class_name])]
       for picture, content in _stored(pictures, policy, workers)))


def _stored(pictures, policy, workers):
  """Yields (picture, its content as it is stored).

  What is kept is read here: to send it through a pipe costs more. What is
  converted comes from the workers.
  """
  tasks = ((picture, policy) for picture in pictures if picture.conversion)
  converted = workers.map(_convert, tasks)
  for picture in pictures:
    yield picture, (next(converted) if picture.conversion else
                    _read_unchanged(picture))


def _convert(picture, policy):
  """Returns a picture's content after conversion, in a worker."""
  return image_checks.check(_read_unchanged(picture), policy).content


def _read_unchanged(picture):
  content, size, time = _read(picture.path)
  if (size, time) != (picture.size, picture.time):
    raise ValueError('%s has changed since it was checked: start again' %
                     printable(picture.path))
  return content


def _encode(picture, content, class_id):
  """Returns the serialised tf.train.Example of a picture."""
  return encoding.serialize_example({
      'image/encoded': content,
      'image/format': picture.image_format.encode(),
      'image/class/label': class_id,
      'image/height': picture.height,
      'image/width': picture.width,
      'image/filename': picture.name.encode('utf-8', 'surrogateescape'),
  })


def write_report(dataset_dir, bad):
  """Writes the report of bad pictures, or removes an older one.

  Args:
    dataset_dir: the folder.
    bad: a list of (name, reason).
  """
  path = os.path.join(dataset_dir, REPORT_FILENAME)
  if not bad:
    if os.path.exists(path):
      os.remove(path)
    return
  with open(path + '.part', 'w', encoding='utf-8', newline='') as target:
    rows = csv.writer(target, lineterminator='\n')
    rows.writerow(['path', 'reason'])
    rows.writerows([printable(name), fault] for name, fault in bad)
  os.replace(path + '.part', path)
  print('%d bad pictures were left out; %s has their paths and the reasons' % (
      len(bad), path))


def shard_names(pattern, split, num_examples, num_shards):
  """Returns names of record files, as many as each get an example.

  Args:
    pattern: with %s for the split, and %05d for number and total.
    split: its name.
    num_examples: how many there are to share out.
    num_shards: the most files.
  """
  per_file = -(-num_examples // num_shards)
  used = -(-num_examples // per_file)
  return [pattern % (split, shard, used) for shard in range(used)]
