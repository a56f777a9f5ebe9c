"""The dataset doctor: reads every record of a dataset and reports problems.

Problems are records that cannot be read or parsed, have no image or one that
TensorFlow does not decode; labels out of range; files that are missing or have
another number of records than `dataset_info.json` says. Images that are in
several splits, byte for byte, are reported but are no problem: some published
datasets have them.
"""
import array
import bisect
import collections
import functools
import hashlib
import os

import numpy as np
import tensorflow.compat.v1 as tf

from datasets import dataset_info
from datasets.conversion import image_checks
from datasets.conversion import image_integrity
from datasets.conversion import worker_pool
from datasets.reading import bad_records
from datasets.reading import record_files
from slim_common import atomic_files
from slim_common import image_formats
from slim_common import progress

_COLORS = 3  # Channels, unless dataset_info.json says otherwise.
_RECORDS_PER_TASK, _MAX_DUPLICATES_LISTED = 32, 20
# Of the histogram: size in inches, resolution, and length of class names.
_WIDTH, _BAR_HEIGHT, _MAX_HEIGHT = 9, 0.16, 600
_DPI, _MAX_NAME_LENGTH = 100, 40

_Finding = collections.namedtuple(
    '_Finding', 'labels height width digest problem label_problem')
_Finding.__doc__ = """What a worker found in one record.

Attributes:
  labels: list of class ids.
  height, width: size of the image in pixels, or None.
  digest: hash of the encoded image, 16 bytes, or None.
  problem: what is wrong, a str, or None.
  label_problem: what is wrong with the label, a str, or None.
"""

Report = collections.namedtuple(
    'Report', 'class_names multi_label counts num_records num_without_class '
    'heights widths problems duplicates num_duplicates num_repeated')
Report.__doc__ = """What `examine` found in a dataset.

Attributes:
  class_names: list of names by class id.
  multi_label: bool, whether a record has any number of classes.
  counts: dict of split to a Counter of class ids.
  num_records: Counter of records by split.
  num_without_class: Counter of records without a class by split.
  heights, widths: Counters of the sizes of all images, in pixels.
  problems: list of sentences that name file and record index.
  duplicates: list of the first (record, record), each 'FILE, record INDEX',
    that have the same image in two splits.
  num_duplicates: Counter by split of images that are in an earlier one already.
  num_repeated: Counter by split of images that are in it already.
"""


def check(dataset_dir, num_workers=None, histogram=None):
  """Examines a dataset and prints a report.

  Args:
    dataset_dir: directory of the dataset.
    num_workers: number of processes; None for one per core.
    histogram: path of a PNG file for a chart of the examples per class; or
      None.

  Raises:
    ValueError: the dataset has problems, which were printed, or matplotlib,
      which draws the chart, is not installed.
    OSError: the directory cannot be read.
  """
  if histogram:
    # Fails before the work, not after it.
    _figure_classes()
  # tf_record_iterator warns that it is deprecated.
  tf.logging.set_verbosity(tf.logging.ERROR)
  report = examine(dataset_dir, num_workers)
  print('\n'.join(report_lines(report)))
  if histogram:
    draw_histogram(report, histogram)
    print('Wrote %s' % histogram)
  if report.problems:
    raise ValueError(
        '%d problems in %s, listed above. Convert the dataset again with '
        '--overwrite' % (len(report.problems), dataset_dir))


def examine(dataset_dir, num_workers=None):
  """Reads every record of a dataset.

  For the arguments see `check`.

  Returns:
    A `Report`.

  Raises:
    ValueError: the directory has no dataset, or its description is damaged.
  """
  path = os.path.join(dataset_dir, dataset_info.INFO_FILENAME)
  if not os.path.exists(path):
    raise ValueError(
        '%s has no %s: give the directory of a converted dataset as '
        '--dataset_dir' % (dataset_dir, dataset_info.INFO_FILENAME))
  with open(path, 'rb') as source:
    info = dataset_info.parse_info(source.read(), path)
  report = Report(
      info['class_names'], info['multi_label'], {}, collections.Counter(),
      collections.Counter(), collections.Counter(), collections.Counter(), [],
      [], collections.Counter(), collections.Counter())
  digests = _Digests()
  with worker_pool.WorkerPool(num_workers) as workers:
    for split, content in info['splits'].items():
      report.counts[split] = collections.Counter()
      with progress.Progress('checking ' + split, content['num_examples'],
                             'records') as shown:
        for name, expected in zip(content['files'],
                                  content['examples_per_file']):
          _examine_file(dataset_dir, split, name, expected, workers, shown,
                        digests, report, _form(info))
  for (first_split, first_record), (split, record) in digests.repeated():
    if first_split == split:
      report.num_repeated[split] += 1
      continue
    report.num_duplicates[split] += 1
    if len(report.duplicates) < _MAX_DUPLICATES_LISTED:
      report.duplicates.append((first_record, record))
  return report


class _Digests:
  """The digests of all images, in 24 bytes each."""

  def __init__(self):
    self._digests = bytearray()
    self._indices = array.array('Q')  # Of the records in their files.
    self._files, self._starts = [], []

  def start_file(self, split, name):
    """Notes the file of the records to come."""
    self._files.append((split, name))
    self._starts.append(len(self._indices))

  def add(self, digest, index):
    """Adds the digest of the image in a record of this file."""
    self._digests += digest
    self._indices.append(index)

  def repeated(self):
    """Yields (the first record, record) of each with an image of another.

    Both are (split, 'FILE, record INDEX'), in the order of the records.
    """
    halves = np.frombuffer(self._digests, np.uint64).reshape([-1, 2])
    order = np.lexsort(halves.T)  # Equal ones stay in the order of the records.
    is_new = np.ones(len(order), bool)
    is_new[1:] = np.any(halves[order[1:]] != halves[order[:-1]], axis=1)
    firsts = order[is_new][np.cumsum(is_new) - 1]
    pairs = np.stack([order, firsts], axis=1)[~is_new]
    for row, first in pairs[np.argsort(pairs[:, 0])]:
      yield self._record(first), self._record(row)

  def _record(self, row):
    split, name = self._files[bisect.bisect_right(self._starts, row) - 1]
    return split, '%s, record %d' % (name, self._indices[row])


def _examine_file(dataset_dir, split, name, expected, workers, shown, digests,
                  report, form):
  """Reads one record file and adds its findings to the report."""
  path = os.path.join(dataset_dir, name)
  if not os.path.exists(path):
    report.problems.append('%s: the file is missing' % name)
    return
  damages, count = [], 0
  if record_files.is_compressed(path):
    report.problems.append(
        '%s: a compressed (GZIP or ZLIB) record file, which training does not '
        'read: write it again without compression' % name)
    return
  digests.start_file(split, name)
  tasks = (task + (form, report.multi_label)
           for task in _tasks(path, damages))
  for findings in workers.map(_check_records, tasks):
    shown.add(len(findings))
    for finding in findings:
      _add(finding, split, '%s, record %d' % (name, count), report)
      if finding.digest is not None:
        digests.add(finding.digest, count)
      count += 1
  report.problems.extend(
      '%s, record %d: damaged (%s); the rest of the file was not read' % (
          name, count, damage) for damage in damages)
  if not damages and count != expected:
    report.problems.append('%s: %d records, not %d as %s says' % (
        name, count, expected, dataset_info.INFO_FILENAME))


def _add(finding, split, record, report):
  """Adds the finding in one record to the report."""
  if finding.problem:
    report.problems.append('%s: %s' % (record, finding.problem))
  report.num_records[split] += 1
  report.num_without_class[split] += not finding.labels
  report.counts[split].update(finding.labels)
  for label in finding.labels:
    if not 0 <= label < len(report.class_names):
      report.problems.append('%s: label %d; labels go from 0 to %d' % (
          record, label, len(report.class_names) - 1))
  if finding.label_problem and not finding.problem:
    report.problems.append('%s: %s' % (record, finding.label_problem))
  if finding.height is not None:
    report.heights[finding.height] += 1
    report.widths[finding.width] += 1


def _tasks(path, damages):
  """Yields lists of a file's records; adds where it is damaged to a list."""
  records = []
  try:
    for record in tf.python_io.tf_record_iterator(path):
      records.append(record)
      if len(records) == _RECORDS_PER_TASK:
        yield records,
        records = []
  except tf.errors.OpError as error:
    damages.append(error.message.splitlines()[0])
  if records:
    yield records,


def _form(info):
  """Returns (max_pixels, channels) of the images of a dataset."""
  return info['max_pixels'], (info['image'] or {}).get('channels', _COLORS)


def _check_records(records, form, multi_label):
  """Returns a list of _Findings; runs in a worker."""
  max_pixels, channels = form
  policy = image_checks.Policy(max_pixels=max_pixels, turn=False)
  return [_check_record(record, policy, channels, multi_label)
          for record in records]


def _check_record(serialized, policy, channels, multi_label):
  try:
    features = tf.train.Example.FromString(serialized).features.feature
  # Each implementation of protocol buffers raises its own error.
  except Exception:  # pylint: disable=broad-except
    return _Finding([], None, None, None, 'no tf.train.Example', None)
  labels = list(features['image/class/label'].int64_list.value)
  label_problem = bad_records.label_fault(features, multi_label)
  content = b''.join(features['image/encoded'].bytes_list.value[:1])
  if not content:
    return _Finding(
        labels, None, None, None, 'no image/encoded', label_problem)
  verdict = image_checks.check(content, policy)
  return _Finding(labels, verdict.height, verdict.width,
                  hashlib.sha1(content).digest()[:16],
                  verdict.fault or _why_not_decoded(content, verdict, channels),
                  label_problem)


def _why_not_decoded(content, verdict, channels):
  """Returns why TensorFlow does not decode an intact image, or None."""
  reason = image_formats.why_not_decoded(content, channels)
  if image_formats.detect(content) == image_formats.JPEG:
    reason = verdict.conversion
    if reason and reason.startswith(image_checks.FOUR_INKS) and (
        channels == _COLORS):
      return None
  elif verdict.conversion == image_integrity.DAMAGED_EXIF:
    reason = verdict.conversion
  return 'TensorFlow does not decode it: %s' % reason if reason else None


def report_lines(report):
  """Returns the text of a `Report`, a list of lines."""
  splits = list(report.counts)
  lines = [_row('class', splits)] + [
      _row('%d:%s' % (label, name), [
          report.counts[split][label] for split in splits])
      for label, name in enumerate(report.class_names)]
  if report.multi_label:
    lines.append(_row('no class', [
        report.num_without_class[split] for split in splits]))
  lines.append(_row('all', [report.num_records[split] for split in splits]))
  for title, sizes in (('height', report.heights), ('width', report.widths)):
    if sizes:
      lines.append('%s: %d to %d pixels, median %d' % (
          title, min(sizes), max(sizes), median(sizes)))
  for split, count in report.num_repeated.items():
    lines.append('%s: %d images are duplicates within it' % (split, count))
  count = sum(report.num_duplicates.values())
  if count:
    lines.append('%d images are in several splits:' % count)
    lines += ['  %s = %s' % pair for pair in report.duplicates]
    if count > len(report.duplicates):
      lines.append('  and %d more' % (count - len(report.duplicates)))
  if not report.problems:
    return lines + ['All records are valid.']
  return lines + ['%d problems:' % len(report.problems)] + [
      '  ' + problem for problem in report.problems]


def median(counts):
  """Returns the median, the upper of two, of a Counter of numbers."""
  values = sorted(counts)
  ends = np.cumsum([counts[value] for value in values])
  return values[np.searchsorted(ends, ends[-1] // 2, side='right')]


def _row(name, cells):
  return '%-32s' % name + ''.join('%12s' % cell for cell in cells)


def draw_histogram(report, path):
  """Draws a bar chart of the number of examples per class and split.

  Args:
    report: a `Report`.
    path: path of the PNG file to write.

  Raises:
    ValueError: matplotlib is not installed.
  """
  figure_class, canvas_class = _figure_classes()
  num_classes, num_splits = len(report.class_names), len(report.counts)
  num_bars = max(1, num_classes * (num_splits + 1))
  # matplotlib makes no image of over 65,536 pixels.
  height = min(_MAX_HEIGHT, 1 + _BAR_HEIGHT * num_bars)
  font_size = min(9, 72 * height / num_bars)
  figure = figure_class(figsize=(_WIDTH, height), dpi=_DPI)
  canvas_class(figure)
  axes = figure.add_axes([0, 0, 1, 1])
  bar = 1 / (num_splits + 1)
  for index, (split, counts) in enumerate(report.counts.items()):
    axes.bar_label(axes.barh(
        np.arange(num_classes) + index * bar,
        [counts[label] for label in range(num_classes)], bar, align='edge',
        color='C%d' % (index % 10), label=split),
                   padding=3, fontsize=font_size)
  for label, name in enumerate(report.class_names):
    _write_class(axes, label, name, label + num_splits * bar / 2, font_size)
  axes.set_ylim(num_classes, -bar)
  axes.set_yticks([])
  axes.set_xlabel('examples')
  axes.margins(x=0.1)
  axes.legend(loc='lower left', bbox_to_anchor=(0, 1), frameon=False,
              ncol=max(1, num_splits))
  with atomic_files.publish(path, 'wb') as output:
    figure.savefig(output, format='png', bbox_inches='tight')


def _figure_classes():
  """Returns matplotlib's Figure and FigureCanvasAgg."""
  try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
  except ImportError:
    raise ValueError('--histogram needs matplotlib: pip install -e .[plot]')
  return Figure, FigureCanvasAgg


def _write_class(axes, label, name, y, font_size):
  """Writes `label:name` left of the bars in a font that has its letters.

  If no installed font has them, only the label is written.
  """
  from matplotlib import font_manager
  name = ' '.join(name.split())
  if len(name) > _MAX_NAME_LENGTH:
    name = name[:_MAX_NAME_LENGTH - 1] + '\u2026'
  paths = [font_manager.findfont('DejaVu Sans')] + [
      font.fname for font in font_manager.fontManager.ttflist]
  path = next((path for path in paths
               if _letters(path).issuperset(map(ord, name))), None)
  # A dollar sign would start a formula.
  text = '%d:%s' % (label, name.replace('$', r'\$')) if path else str(label)
  axes.text(-0.01, y, text, ha='right', va='center',
            transform=axes.get_yaxis_transform(), fontsize=font_size,
            fontproperties=path and font_manager.FontProperties(fname=path))


@functools.lru_cache(maxsize=None)
def _letters(path):
  """Returns the code points that a font file has, a set of ints."""
  from matplotlib import ft2font
  try:
    return frozenset(ft2font.FT2Font(path).get_charmap())
  except RuntimeError:  # Fonts of bitmaps, such as emoji, are not supported.
    return frozenset()
