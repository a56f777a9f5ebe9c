r"""Makes the three label files of ImageNet from two Python packages.

  pip download --no-deps timm tensorflow-datasets
  python scripts/make_imagenet_labels.py --timm=timm-1.0.31-*.whl \
      --tensorflow_datasets=tensorflow_datasets-4.9.10-*.whl

| file                         | lines  | from                                |
|------------------------------|--------|-------------------------------------|
| imagenet_lsvrc_2015_synsets  | 1,000  | timm, data/_info/imagenet_synsets   |
| imagenet_metadata            | 21,842 | timm, imagenet_synset_to_lemma, of  |
|                              |        | the synsets in imagenet22k_ms       |
| imagenet_2012_validation_    | 50,000 | tensorflow-datasets, imagenet2012/  |
|   synset_labels              |        | validation_labels                   |

They hold facts about ImageNet and words of WordNet (free for any use with its
notice, https://wordnet.princeton.edu/license-and-commercial-use);
both packages are under the Apache License 2.0. The names cover the 21,841
synsets of ImageNet's release of autumn 2011 and n04399382, which is one of the
1,000 and not in that release. timm is not imported, so PyTorch is not needed.
"""
import collections
import dataclasses
import importlib.util
import os
import sys
from typing import Optional
import zipfile

if __name__ == '__main__':
  # Started as a file, the directory of the file is first on the path.
  sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from datasets.imagenet_tools import synsets
from slim_common import atomic_files
from slim_common import flags
from slim_common.flags import flag

_NUM_CLASSES, _NUM_VALIDATION, _NUM_NAMES = 1000, 50000, 21842
_TIMM = 'timm/data/_info/'
_VALIDATION = 'tensorflow_datasets/datasets/imagenet2012/validation_labels.txt'


@dataclasses.dataclass(frozen=True)
class LabelOptions:
  """Options of make_imagenet_labels.py."""
  timm: Optional[str] = flag(
      None, 'Wheel of timm; left out, the installed package.')
  tensorflow_datasets: Optional[str] = flag(
      None, 'Wheel of tensorflow-datasets; left out, the installed package.')
  output_directory: str = flag(
      os.path.dirname(synsets.bundled(synsets.CLASSES_FILENAME)),
      'Directory for the three files.')


def run(timm, tensorflow_datasets, output_directory):
  """Writes the three files.

  Args:
    timm, tensorflow_datasets: paths of wheels; None for installed packages.
    output_directory: directory for the files.

  Raises:
    ValueError: the content of the packages is not as expected.
    OSError: a package is missing, or a file cannot be written.
  """
  classes = _read(timm, _TIMM + 'imagenet_synsets.txt')
  covered = set(_read(timm, _TIMM + 'imagenet22k_ms_synsets.txt'))
  names = [line for line in sorted(
      _read(timm, _TIMM + 'imagenet_synset_to_lemma.txt'))
           if line.split('\t')[0] in covered]
  validation = _read(tensorflow_datasets, _VALIDATION)
  check(classes, names, validation)
  for filename, lines in ((synsets.CLASSES_FILENAME, classes),
                          (synsets.NAMES_FILENAME, names),
                          (synsets.VALIDATION_FILENAME, validation)):
    path = os.path.join(output_directory, filename)
    with atomic_files.publish(path, encoding='utf-8', newline='') as target:
      target.write(''.join(line + '\n' for line in lines))
    print('%s: %d lines' % (path, len(lines)))


def check(classes, names, validation):
  """Checks the lines of the three files.

  Args:
    classes: list of synsets.
    names: list of synset, tab, name.
    validation: list of synsets, one per validation image.

  Raises:
    ValueError: a file is wrong; the message says how.
  """
  for title, lines, expected in (
      ('classes', classes, _NUM_CLASSES), ('names', names, _NUM_NAMES),
      ('validation labels', validation, _NUM_VALIDATION)):
    if len(lines) != expected:
      raise ValueError(
          '%d %s were found, not %d' % (len(lines), title, expected))
  if classes != sorted(set(classes)):
    raise ValueError('the classes are not distinct and sorted')
  named = [line.split('\t')[0] for line in names]
  if named != sorted(set(named)):
    raise ValueError('the names are not distinct and sorted')
  nameless = sorted(set(classes) - set(named))
  if nameless:
    raise ValueError('the class %s has no name' % nameless[0])
  counts = collections.Counter(validation)
  per_class = _NUM_VALIDATION // _NUM_CLASSES
  if counts != {synset: per_class for synset in classes}:
    raise ValueError('the validation labels are not %d of each class' %
                     per_class)


def _read(wheel, name):
  """Returns the lines of a file in a wheel or in an installed package."""
  if wheel:
    with zipfile.ZipFile(wheel) as opened:
      if name not in opened.namelist():
        raise FileNotFoundError('%s holds no %s: another release of the '
                                'package may' % (wheel, name))
      return opened.read(name).decode('utf-8').splitlines()
  package, _, rest = name.partition('/')
  spec = importlib.util.find_spec(package)
  if not spec:
    raise FileNotFoundError('the package %s is not installed: give its wheel '
                            'as --%s' % (package, package))
  path = os.path.join(os.path.dirname(spec.origin), rest)
  with open(path, encoding='utf-8') as source:
    return source.read().splitlines()


def main(config):
  run(config.timm, config.tensorflow_datasets, config.output_directory)


if __name__ == '__main__':
  flags.run(main, LabelOptions, __doc__)
