"""Converts pictures that lie in files: all are checked before any is published.

The checks run in worker processes, which read the files themselves. Records are
written meanwhile, in the hope that every picture is good, to files that nobody
sees yet. At the first bad one they are dropped, and the checks go on alone;
--on_bad_image=skip then writes those that are good. Length and time of each
file are remembered: they tell when it has changed between check and writing.
"""
import collections
import csv
import errno
import io
import itertools
import os
import stat
import tempfile

from datasets.conversion import encoding
from datasets.conversion import image_checks
from datasets.conversion import image_lists
from slim_common import image_formats
from slim_common import progress

REPORT_FILENAME = 'bad_pictures.csv'
BAD_IMAGE_CHOICES = ('fail', 'skip')

_PICTURE_SUFFIXES = (
    '.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.gif', '.bmp', '.dib', '.webp',
    '.tif', '.tiff', '.heic', '.heif', '.avif', '.jp2', '.svg', '.ico', '.ppm')
_BLOCK = 1 << 20
# Few large tasks cost less, and many small ones keep all workers busy.
_TASKS, _MOST_PICTURES_A_TASK = 64, 64

# verdict: an `image_checks.Verdict` without content; converted: path of a file
# of the content, where that is not the picture's own; size: of the picture's
# file in bytes; time: of its last change, in nanoseconds.
_Finding = collections.namedtuple('_Finding', 'verdict converted size time')


class _BadPicture(Exception):
  """A picture is bad, so that not all can be written as planned."""


def convert(writer, title, listing, plan, policy, on_bad_image, workers):
  """Checks every picture of a listing and writes their records.

  Args:
    writer: a `conversion.DatasetWriter`; publishing is left to the caller.
    title: what is converted, for the messages.
    listing: an `image_lists.Listing`.
    plan: a function of a dict of split name to a list of Pictures. It returns
      a dict of split name to (names of the record files, Pictures in the order
      of their records), and is asked again where pictures are bad.
    policy: an `image_checks.Policy`.
    on_bad_image: 'fail' or 'skip'. With 'skip' a report of bad pictures, if
      there are any, becomes a file of the dataset.
    workers: a `worker_pool.WorkerPool`.

  Raises:
    ValueError: there are bad pictures and `on_bad_image` is 'fail' (the
      message names them all), a class has no good one to train on, or a file
      has changed since it was checked.
    OSError: a file is gone.
  """
  if on_bad_image not in BAD_IMAGE_CHOICES:
    raise ValueError('on_bad_image is %r; it is one of: %s' % (
        on_bad_image, ', '.join(BAD_IMAGE_CHOICES)))
  splits = _without_other_files(listing)
  planned = plan(splits)
  pictures = [picture for _, some in planned.values() for picture in some]
  findings, bad = {}, []
  checked = _check_all(pictures, policy, writer.scratch_dir, workers, findings)
  try:
    _write(writer, planned, listing, _while_good(checked))
  except _BadPicture:
    writer.discard()
    _check_the_rest(title, checked, len(pictures) - len(findings))
    bad = [(picture.name, findings[picture.name].verdict.fault)
           for some in splits.values() for picture in some
           if findings[picture.name].verdict.fault]
  conversions = collections.Counter(
      finding.verdict.conversion for finding in findings.values())
  del conversions[None]
  _print_counts('converted', conversions)
  if bad and on_bad_image == 'fail':
    raise ValueError(
        '%d bad pictures; nothing was published. --on_bad_image=skip goes on '
        'without them.\n%s' % (len(bad), '\n'.join(
            '  %s: %s' % (printable(name), fault) for name, fault in bad)))
  if bad:
    planned = plan(_good_ones(splits, findings, listing.class_names))
    _write(writer, planned, listing,
           _checked_before(planned, findings, policy, workers))
    writer.add_file(REPORT_FILENAME, _report(bad))
    print('%d bad pictures are left out; %s has their paths and the reasons'
          % (len(bad), REPORT_FILENAME))


def _without_other_files(listing):
  """Returns the splits without what is no picture by name and by content."""
  skipped = collections.Counter(listing.skipped)
  splits = collections.OrderedDict()
  for split, pictures in listing.splits.items():
    splits[split] = [picture for picture in pictures
                     if listing.is_chosen or _may_be_picture(picture)]
    others = len(pictures) - len(splits[split])
    if others:
      skipped['no pictures by name or content'] += others
  _print_counts('skipped', skipped)
  _check_classes(listing.class_names, splits['train'])
  return splits


def _may_be_picture(picture):
  if picture.name.lower().endswith(_PICTURE_SUFFIXES):
    return True
  try:
    with open(picture.path, 'rb', buffering=0) as source:
      return image_formats.detect(
          source.read(image_formats.HEAD_SIZE)) is not None
  except OSError:
    return True  # A bad one.


def _good_ones(splits, findings, class_names):
  good = {split: [picture for picture in splits[split]
                  if not findings[picture.name].verdict.fault]
          for split in splits}
  _check_classes(class_names, good['train'])
  return good


def _print_counts(title, counts):
  if counts:
    print('%s: %s' % (title, ', '.join(
        '%d %s' % (counts[word], word) for word in sorted(counts))))


def _check_classes(class_names, pictures):
  empty = set(class_names) - image_lists.classes_of(pictures)
  if empty:
    raise ValueError('no good picture to train on is left in the classes: '
                     '%s' % ', '.join(sorted(empty)))


def printable(name):
  """Returns a file name that can be printed, whatever its bytes."""
  return name.encode('utf-8', 'backslashreplace').decode('utf-8')


def _check_all(pictures, policy, scratch_dir, workers, findings):
  """Yields (picture, its _Finding), and notes the latter by the name."""
  os.makedirs(scratch_dir, exist_ok=True)
  size = min(max(len(pictures) // _TASKS, 1), _MOST_PICTURES_A_TASK)
  tasks = (([picture.path for picture in pictures[at:at + size]], policy,
            scratch_dir) for at in range(0, len(pictures), size))
  found = itertools.chain.from_iterable(workers.map(_check_files, tasks))
  for picture, finding in zip(pictures, found):
    findings[picture.name] = finding
    yield picture, finding


def _check_the_rest(title, checked, number):
  if not number:
    return
  with progress.Progress('%s: checking the rest' % title, number,
                         'pictures') as shown:
    for _, finding in checked:
      if finding.converted:
        os.remove(finding.converted)
      shown.add(1)


def _check_files(paths, policy, scratch_dir):
  """Checks some files, in a worker; returns a list of _Findings."""
  return [_check_file(path, policy, scratch_dir) for path in paths]


def _check_file(path, policy, scratch_dir):
  try:
    content, size, time = _read(path)
  except OSError as error:
    return _Finding(image_checks.Verdict(
        None, None, None, None, None,
        'cannot be read: %s' % (error.strerror or error), True), None, 0, 0)
  verdict = image_checks.check(content, policy)
  converted = None
  if verdict.conversion:
    # Waiting here costs no memory, however far the workers are ahead.
    descriptor, converted = tempfile.mkstemp(dir=scratch_dir)
    with open(descriptor, 'wb') as target:
      target.write(verdict.content)
  return _Finding(verdict._replace(content=None), converted, size, time)


def _read(path):
  """Returns a file's content, its size and the time of its last change.

  The content of what is no picture is its beginning.
  """
  # Opening a pipe would otherwise wait for a writer.
  descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
  try:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
      raise OSError(errno.EINVAL, 'not a file')
    content = os.read(descriptor, min(status.st_size, _BLOCK))
    if len(content) < status.st_size and image_formats.detect(content):
      content += os.read(descriptor, status.st_size - len(content))
    return content, status.st_size, status.st_mtime_ns
  finally:
    os.close(descriptor)


def _while_good(checked):
  """Yields (picture, verdict, content to store) of good pictures.

  Raises:
    _BadPicture: one is bad.
  """
  for picture, finding in checked:
    if finding.verdict.fault:
      raise _BadPicture
    if finding.converted:
      content, _, _ = _read(finding.converted)
      os.remove(finding.converted)
    else:
      # To send it from the worker through a pipe costs more.
      content = _read_unchanged(picture.path, finding)
    yield picture, finding.verdict, content


def _checked_before(planned, findings, policy, workers):
  """Yields (picture, verdict, content to store) of pictures that were checked.

  What is kept is read here. What is converted comes from the workers.
  """
  pictures = [picture for _, some in planned.values() for picture in some]
  converted = workers.map(_convert, (
      (picture.path, findings[picture.name], policy) for picture in pictures
      if findings[picture.name].verdict.conversion))
  for picture in pictures:
    finding = findings[picture.name]
    yield picture, finding.verdict, (
        next(converted) if finding.verdict.conversion else
        _read_unchanged(picture.path, finding))


def _convert(path, finding, policy):
  """Returns a picture's content after conversion, in a worker."""
  return image_checks.check(_read_unchanged(path, finding), policy).content


def _read_unchanged(path, finding):
  content, size, time = _read(path)
  if (size, time) != (finding.size, finding.time):
    raise ValueError('%s has changed since it was checked: start again' %
                     printable(path))
  return content


def _write(writer, planned, listing, stored):
  """Writes the records of all splits.

  Args:
    writer: a `conversion.DatasetWriter`.
    planned: what the plan of `convert` returns.
    listing: an `image_lists.Listing`.
    stored: yields (picture, verdict, content) in the planned order.
  """
  ids = {name: class_id for class_id, name in enumerate(listing.class_names)}

  def encoded():
    for picture, verdict, content in stored:
      label = tuple(ids[name] for name in picture.class_names)
      if not listing.multi_label:
        label, = label
      yield [(_record(picture, verdict, content, label), label)]

  records = encoded()
  for split, (file_names, pictures) in planned.items():
    writer.write_split(split, file_names, len(pictures),
                       itertools.islice(records, len(pictures)))


def _record(picture, verdict, content, label):
  """Returns the serialised tf.train.Example of a picture."""
  return encoding.serialize_example({
      'image/encoded': content,
      'image/format': verdict.image_format.encode(),
      'image/class/label': list(label) if isinstance(label, tuple) else label,
      'image/height': verdict.height,
      'image/width': verdict.width,
      'image/filename': picture.name.encode('utf-8', 'surrogateescape'),
  })


def _report(bad):
  """Returns a csv of (name, reason)."""
  target = io.StringIO(newline='')
  rows = csv.writer(target, lineterminator='\n')
  rows.writerow(['path', 'reason'])
  rows.writerows([printable(name), fault] for name, fault in bad)
  return target.getvalue()


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
