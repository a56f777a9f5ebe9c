"""Makes directories and lists of images, converts them, reads the result."""
import collections
import csv
import json
import os

from datasets import dataset_info
from datasets import download_and_convert_image_folder
from tests.datasets import records
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files

CLASSES = ['a blank', 'tomates', 'Äpfel', 'z']


def write_class(folder, count, seed=0):
  """Writes some JPEGs, which the seed makes different, into a folder."""
  os.makedirs(str(folder), exist_ok=True)
  for index in range(count):
    raw_files.write(folder, 'bild %d ü.jpg' % index, odd_images.encoded(
        odd_images.photo(seed=seed * 100 + index), 'JPEG'))


def write_classes(folder, counts=(10, 20, 30, 4)):
  """Writes so many JPEGs of each of CLASSES."""
  for seed, (name, count) in enumerate(zip(CLASSES, counts)):
    write_class(folder / name, count, seed)


def run(tmp_path, source='source', **options):
  """Converts a source in tmp_path to tmp_path/out, in this process."""
  options.setdefault('num_workers', 1)
  download_and_convert_image_folder.run(
      str(tmp_path / 'out'), str(tmp_path / source), **options)


def info(tmp_path):
  """Returns what describes the converted dataset."""
  path = tmp_path / 'out' / dataset_info.INFO_FILENAME
  return json.loads(path.read_text(encoding='utf-8'))


def examples(tmp_path, split):
  """Returns a dict of file name to example, in the records' order."""
  found = collections.OrderedDict()
  for name in info(tmp_path)['splits'][split]['files']:
    for example in records.read(tmp_path / 'out' / name):
      key = records.values(example, 'image/filename')[0].decode('utf-8')
      assert key not in found
      found[key] = example
  return found


def write_list(tmp_path, suffix, rows):
  """Writes a list of (path, label) into tmp_path; returns its name."""
  path = tmp_path / ('list' + suffix)
  with open(path, 'w', encoding='utf-8', newline='') as target:
    if suffix == '.csv':
      csv.writer(target).writerows(rows)
    else:
      for name, label in rows:
        target.write(json.dumps({'path': name, 'label': label}) + '\n\n')
  return path.name
