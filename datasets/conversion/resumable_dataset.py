"""Converts large datasets of JPEG files, shard by shard, so that a run that was
stopped, even by kill -9, is gone on with.

The shards are built in the hidden folder `.NAME.building` of the dataset's
folder, which outlasts the run. When the last one is complete the folder is
published, as `conversion` does it: readers see the old dataset or the new one.
"""
import collections
import csv
import io
import os
import shutil

from datasets import dataset_info
from datasets.conversion import image_files
from datasets.conversion import shards
from datasets.conversion import worker_pool
from slim_common import atomic_files
from slim_common import progress

# files: a list of the names of its record files; num_pictures: in all of them;
# pictures_of: a function of a number, from 0, that returns the list of the
# pictures (see `shards`) in that file. It is asked when it is that file's turn.
Split = collections.namedtuple('Split', 'files num_pictures pictures_of')


def standing_info(dataset_dir, name):
  """Returns what is known of the dataset `name` in a folder, or None.

  Raises:
    ValueError: the file is damaged.
  """
  path = os.path.join(dataset_dir, dataset_info.INFO_FILENAME)
  if not os.path.exists(path):
    return None
  with open(path, 'rb') as source:
    info = dataset_info.parse_info(source.read(), path)
  return info if info['name'] == name else None


def convert(writer, dataset_dir, name, splits, class_names, features_of,
            policy, on_bad_image, num_workers):
  """Builds the shards of a dataset and publishes them.

  Args:
    writer: the entered `conversion.DatasetWriter` of the dataset.
    dataset_dir: the dataset's folder.
    name: of the dataset.
    splits: a dict of split name to `Split`.
    class_names: a list, a name for each class id from 0.
    features_of: see `shards`; a function at the top level of a module.
    policy: an `image_checks.Policy`.
    on_bad_image: 'fail' (nothing is published) or 'skip' (a report of the bad
      ones becomes a file of the dataset).
    num_workers: how many processes work on it; None for one a core.

  Raises:
    ValueError: there are bad pictures and `on_bad_image` is 'fail' (the
      message names them all), or a split has no good one.
    OSError: the disk is full, or a worker was killed.
  """
  folder = os.path.join(dataset_dir, '.%s.building' % name)
  may_skip = on_bad_image == 'skip'
  try:
    os.makedirs(folder, exist_ok=True)
    with worker_pool.WorkerPool(num_workers) as workers:
      reports = collections.OrderedDict(
          (split, _build('%s %s' % (name, split), splits[split], folder,
                         (features_of, policy, may_skip), workers))
          for split in splits)
    bad = [entry for split in reports for report in reports[split]
           for entry in report.bad]
    _check(reports, bad, may_skip)
  except BaseException:
    _say_what_is_left(folder)
    raise
  _print_conversions(reports)
  entries = collections.OrderedDict(
      (split, _entry(splits[split].files, reports[split], len(class_names)))
      for split in splits)
  _publish(writer, dataset_dir, name, folder, entries, class_names, bad)


def _build(title, split, folder, arguments, workers):
  """Returns the Reports of the shards of a split, kept or built."""

  def tasks(numbers):
    return ((paths[number], split.pictures_of(number)) + arguments
            for number in numbers)

  paths = [os.path.join(folder, file_name) for file_name in split.files]
  standing = [number for number, path in enumerate(paths)
              if os.path.exists(path)]
  found = dict(zip(standing, workers.map(shards.find, tasks(standing))))
  reports = {number: found[number] for number in found if found[number]}
  if standing:
    print('%s: %d complete files of an earlier run; %d are of the same '
          'pictures and options and are kept' % (
              title, len(standing), len(reports)))
  missing = [number for number in range(len(paths)) if number not in reports]
  with progress.Progress(title, split.num_pictures, 'pictures') as shown:
    shown.start_from(sum(_pictures_in(reports[number]) for number in reports))
    for number, report in zip(missing, workers.map(
        shards.build, tasks(missing))):
      reports[number] = report
      shown.add(_pictures_in(report))
  return [reports[number] for number in range(len(paths))]


def _pictures_in(report):
  return sum(report.examples_per_class.values()) + len(report.bad)


def _check(reports, bad, may_skip):
  """Raises ValueError if there is nothing, or nothing good, to publish."""
  if bad and not may_skip:
    raise ValueError(
        '%d bad pictures; nothing was published. --on_bad_image=skip goes on '
        'without them.\n%s' % (len(bad), '\n'.join(
            '  %s: %s' % (image_files.printable(name), fault)
            for name, fault in bad)))
  for split in reports:
    if not any(report.examples_per_class for report in reports[split]):
      raise ValueError('%s has no good picture' % split)


def _say_what_is_left(folder):
  """Tells of the shards that a failed run leaves to the next."""
  names = os.listdir(folder) if os.path.isdir(folder) else []
  complete = sum(name + '.json' in names for name in names)
  if complete:
    print('%d complete files stay in %s: the same command goes on from them.'
          % (complete, folder))
  else:
    shutil.rmtree(folder, ignore_errors=True)


def _print_conversions(reports):
  counts = collections.Counter()
  for split in reports:
    for report in reports[split]:
      counts.update(report.conversions)
  for reason, count in sorted(counts.items()):
    print('converted to RGB JPEG: %d %s' % (count, reason))


def _entry(files, reports, num_classes):
  """Returns what `dataset_info.json` says of a split."""
  counts = collections.Counter()
  for report in reports:
    counts.update(report.examples_per_class)
  return collections.OrderedDict(
      num_examples=sum(counts.values()),
      files=files,
      examples_per_file=[sum(report.examples_per_class.values())
                         for report in reports],
      examples_per_class=[counts[label] for label in range(num_classes)])


def _publish(writer, dataset_dir, name, folder, entries, class_names, bad):
  """Puts the shards into their place, with labels and information."""
  texts = {
      dataset_info.LABELS_FILENAME: dataset_info.labels_text(
          dict(enumerate(class_names))),
      dataset_info.INFO_FILENAME: dataset_info.info_text(
          name, class_names, None, entries,
          [image_files.REPORT_FILENAME] if bad else [])}
  if bad:
    texts[image_files.REPORT_FILENAME] = _report(bad)
    print('%d bad pictures are left out; %s has their paths and the reasons'
          % (len(bad), image_files.REPORT_FILENAME))
  for file_name, text in texts.items():
    path = os.path.join(folder, file_name)
    with open(path, 'w', encoding='utf-8', newline='') as target:
      target.write(text)
    atomic_files.sync(path)
  wanted = set(texts).union(*(entries[split]['files'] for split in entries))
  for file_name in set(os.listdir(folder)) - wanted:
    os.remove(os.path.join(folder, file_name))
  atomic_files.sync(folder)
  writer.publish_folder(folder)
  print('%s: %s, %d classes, in %s' % (
      name, ', '.join('%d %s' % (entries[split]['num_examples'], split)
                      for split in entries), len(class_names), dataset_dir))


def _report(bad):
  """Returns a csv text of the bad pictures."""
  target = io.StringIO()
  rows = csv.writer(target, lineterminator='\n')
  rows.writerow(['path', 'reason'])
  rows.writerows([image_files.printable(name), fault] for name, fault in bad)
  return target.getvalue()
