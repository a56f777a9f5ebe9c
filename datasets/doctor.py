"""The dataset doctor: reads every record of a dataset and says what is wrong.

Bad are records that cannot be read or parsed, lack their picture, or hold one
that TensorFlow does not decode; labels out of range; files that are missing or
hold another number of records than `dataset_info.json` says. Pictures that
stand in several splits, byte for byte, are reported, but do not make a dataset
a bad one: some published ones have such.
"""
import collections
import hashlib
import os

from PIL import Image
from PIL import ImageDraw
import tensorflow.compat.v1 as tf

from datasets import dataset_info
from datasets.conversion import image_checks
from datasets.conversion import worker_pool
from slim_common import image_formats
from slim_common import progress

_RECORDS_PER_TASK = 32
_SHOWN = 20
_BAR_HEIGHT, _BAR_GAP, _LABEL_WIDTH, _BAR_WIDTH = 14, 4, 180, 400
_COLOURS = ('#1f77b4', '#ff7f0e', '#2ca02c', '#d62728')

# What a worker finds in a record: a list of its class ids; the picture's height
# and width, or None; a digest of the picture's bytes, or None; what is wrong,
# or None.
_Record = collections.namedtuple('_Record', 'labels height width digest fault')

# class_names: a list. multi_label: whether a record has any number of classes.
# counts: a dict of split to a Counter of class ids. num_records: a Counter of
# splits; num_without_class: those of them that have none. heights, widths:
# sorted lists, of all splits. problems: a list of sentences, each with its file
# and index. duplicates: a list of (place, place) of the same picture in two
# splits. num_repeated: how many pictures a split has again.
Report = collections.namedtuple(
    'Report', 'class_names multi_label counts num_records num_without_class '
    'heights widths problems duplicates num_repeated')


def check(dataset_dir, num_workers=None, histogram=None):
  """Examines a dataset and prints what it found.

  Args:
    dataset_dir: its folder.
    num_workers: how many processes work on it; None for one a core.
    histogram: path of a PNG file to draw the examples a class to, or None.

  Raises:
    ValueError: the dataset has problems; they were printed.
    OSError: the folder cannot be read.
  """
  # TensorFlow would say that its iterator over records is old.
  tf.logging.set_verbosity(tf.logging.ERROR)
  report = examine(dataset_dir, num_workers)
  print('\n'.join(lines_of(report)))
  if histogram:
    draw_histogram(report, histogram)
    print('Wrote %s' % histogram)
  if report.problems:
    raise ValueError('%d problems in %s: they stand above. Convert it again '
                     'with --overwrite' % (len(report.problems), dataset_dir))


def examine(dataset_dir, num_workers=None):
  """Reads every record of a dataset.

  Args:
    dataset_dir: its folder.
    num_workers: how many processes work on it; None for one a core.

  Returns:
    A `Report`.

  Raises:
    ValueError: the folder holds no dataset, or its description is damaged.
  """
  path = os.path.join(dataset_dir, dataset_info.INFO_FILENAME)
  if not os.path.exists(path):
    raise ValueError('%s holds no %s: give the folder of a converted dataset '
                     'as --dataset_dir' % (
                         dataset_dir, dataset_info.INFO_FILENAME))
  with open(path, 'rb') as source:
    info = dataset_info.parse_info(source.read(), path)
  report = Report(
      info['class_names'], info['multi_label'], {}, collections.Counter(),
      collections.Counter(), [], [], [], [], collections.Counter())
  first_places = {}
  with worker_pool.WorkerPool(num_workers) as workers:
    for split, content in info['splits'].items():
      report.counts[split] = collections.Counter()
      with progress.Progress('checking ' + split, content['num_examples'],
                             'records') as shown:
        for name, expected in zip(content['files'],
                                  content['examples_per_file']):
          _examine_file(dataset_dir, split, name, expected, workers, shown,
                        first_places, report)
  report.heights.sort()
  report.widths.sort()
  return report


def _examine_file(dataset_dir, split, name, expected, workers, shown,
                  first_places, report):
  """Reads one record file; adds what it finds to the report."""
  path = os.path.join(dataset_dir, name)
  if not os.path.exists(path):
    report.problems.append('%s: the file is missing' % name)
    return
  faults = []
  index = -1
  for findings in workers.map(_check_records, _tasks(path, faults)):
    shown.add(len(findings))
    for record in findings:
      index += 1
      _add(record, split, '%s, record %d' % (name, index), first_places, report)
  for fault in faults:
    report.problems.append('%s, record %d: %s; what follows in the file was '
                           'not read' % (name, index + 1, fault))
  if not faults and index + 1 != expected:
    report.problems.append('%s: %d records, not %d as %s says' % (
        name, index + 1, expected, dataset_info.INFO_FILENAME))


def _add(record, split, place, first_places, report):
  """Adds one record to the report."""
  if record.fault:
    report.problems.append('%s: %s' % (place, record.fault))
  report.num_records[split] += 1
  report.num_without_class[split] += not record.labels
  report.counts[split].update(record.labels)
  for label in record.labels:
    if not 0 <= label < len(report.class_names):
      report.problems.append('%s: label %d; labels go from 0 to %d' % (
          place, label, len(report.class_names) - 1))
  if not record.fault and not report.multi_label and len(record.labels) != 1:
    report.problems.append('%s: %s' % (
        place, '%d labels in image/class/label, not one' % len(record.labels)
        if record.labels else 'no image/class/label'))
  if record.height is not None:
    report.heights.append(record.height)
    report.widths.append(record.width)
  if record.digest is None:
    return
  first_split, first_place = first_places.setdefault(
      record.digest, (split, place))
  if first_split != split:
    report.duplicates.append((first_place, place))
  elif first_place != place:
    report.num_repeated[split] += 1


def _tasks(path, faults):
  """Yields lists of a file's serialised records; notes where it is damaged."""
  some = []
  try:
    for record in tf.python_io.tf_record_iterator(path):
      some.append(record)
      if len(some) == _RECORDS_PER_TASK:
        yield some,
        some = []
  except tf.errors.OpError as error:
    faults.append('damaged (%s)' % error.message.splitlines()[0])
  if some:
    yield some,


def _check_records(records):
  """Returns a list of _Records, in a worker."""
  return [_check_record(record) for record in records]


def _check_record(serialized):
  try:
    features = tf.train.Example.FromString(serialized).features.feature
  # Two implementations of protocol buffers raise errors of their own.
  except Exception:  # pylint: disable=broad-except
    return _Record([], None, None, None, 'no tf.train.Example')
  labels = list(features['image/class/label'].int64_list.value)
  contents = features['image/encoded'].bytes_list.value
  if not contents or not contents[0]:
    return _Record(labels, None, None, None, 'no image/encoded')
  verdict = image_checks.check(contents[0], image_checks.Policy(turn=False))
  fault = verdict.fault or _why_not_decoded(contents[0], verdict)
  return _Record(labels, verdict.height, verdict.width,
                 hashlib.sha1(contents[0]).digest(), fault)


def _why_not_decoded(content, verdict):
  """Returns why TensorFlow does not decode a whole picture, or None."""
  kind = image_formats.detect(content)
  if kind not in image_formats.READ_BY_TENSORFLOW or (
      kind == 'JPEG' and verdict.conversion):
    return 'TensorFlow does not decode it: %s' % verdict.conversion
  return None


def lines_of(report):
  """Returns a report as a list of lines."""
  splits = list(report.counts)
  lines = [_row('class', splits)]
  for label, name in enumerate(report.class_names):
    lines.append(_row('%d:%s' % (label, name), [
        report.counts[split][label] for split in splits]))
  if report.multi_label:
    lines.append(_row('none of them', [
        report.num_without_class[split] for split in splits]))
  lines.append(_row('all', [report.num_records[split] for split in splits]))
  for title, sizes in (('height', report.heights), ('width', report.widths)):
    if sizes:
      lines.append('%s: %d to %d pixels, median %d' % (
          title, sizes[0], sizes[-1], sizes[len(sizes) // 2]))
  for split, count in report.num_repeated.items():
    lines.append('%s: %d pictures stand there more than once' % (split, count))
  if report.duplicates:
    lines.append('%d pictures stand in several splits:' % len(
        report.duplicates))
    lines += ['  %s = %s' % pair for pair in report.duplicates[:_SHOWN]]
    if len(report.duplicates) > _SHOWN:
      lines.append('  and %d more' % (len(report.duplicates) - _SHOWN))
  if report.problems:
    lines.append('%d problems:' % len(report.problems))
    lines += ['  ' + problem for problem in report.problems]
  else:
    lines.append('All records are whole.')
  return lines


def _row(name, cells):
  return '%-32s' % name + ''.join('%12s' % cell for cell in cells)


def draw_histogram(report, path):
  """Draws the number of examples a class and split as bars.

  Args:
    report: a `Report`.
    path: of the PNG file to write.
  """
  splits = list(report.counts)
  most = max([1] + [max(counts.values(), default=0)
                    for counts in report.counts.values()])
  block = _BAR_HEIGHT * len(splits) + _BAR_GAP
  image = Image.new('RGB', (_LABEL_WIDTH + _BAR_WIDTH + 60,
                            block * len(report.class_names) + 30), 'white')
  canvas = ImageDraw.Draw(image)
  for place, split in enumerate(splits):
    canvas.text((_LABEL_WIDTH + 100 * place, 6), split,
                fill=_COLOURS[place % len(_COLOURS)])
  for label, name in enumerate(report.class_names):
    top = 26 + block * label
    # Pillow's own font has no letters beyond Latin-1.
    canvas.text((4, top), name.encode('latin-1', 'replace').decode('latin-1'),
                fill='black')
    for place, split in enumerate(splits):
      count = report.counts[split][label]
      y, end = top + _BAR_HEIGHT * place, (
          _LABEL_WIDTH + count * _BAR_WIDTH // most)
      canvas.rectangle((_LABEL_WIDTH, y, end, y + _BAR_HEIGHT - 3),
                       fill=_COLOURS[place % len(_COLOURS)])
      canvas.text((end + 4, y), str(count), fill='black')
  image.save(path, 'PNG')
