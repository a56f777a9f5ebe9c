"""Evaluation during a training equals that of the evaluation program."""
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import download_and_convert_image_folder
from image_classifier.evaluate import evaluation
from image_classifier.train import loop as loops
from tests.image_classifier import evaluations
from tests.image_classifier import training_runs as runs

pytestmark = pytest.mark.slow

_DIGITS = ['n%d' % i for i in range(10)]
_BATCH_NORM = dict(model_name='mobilenet_v1_025', preprocessing_name='lenet')


@pytest.fixture(name='data', scope='module')
def _data(digits, tmp_path_factory):
  """A directory of small datasets, each with a split `test` alone."""
  root = tmp_path_factory.mktemp('data')
  evaluations.rewrite_digits(
      digits, root / 'digits', _DIGITS, lambda digit: [digit], 40)
  evaluations.rewrite_digits(
      digits, root / 'background', ['none'] + _DIGITS,
      lambda digit: [digit + 1], 40)
  evaluations.rewrite_digits(
      digits, root / 'several', _DIGITS[:4],
      lambda digit: sorted({digit % 3, 3}), 40, multi_label=True)
  evaluations.corrupt_images(root / 'digits', root / 'spoiled', [3, 20])
  for name, color in ('red', (250, 0, 0)), ('blue', (0, 0, 250)):
    (root / 'images' / name).mkdir(parents=True)
    for number in range(4):
      Image.new('RGB', (16, 16), color).save(
          str(root / 'images' / name / ('%d.png' % number)))
  download_and_convert_image_folder.run(
      str(root / 'colors'), source=str(root / 'images'), num_validation=4,
      num_workers=1)
  return root


# Dataset; flags of the training; flags of the evaluation program; whether
# evaluating without these and without run.json gives something else.
_CASES = {
    'moving_average_decay': (
        'digits', dict(model=dict(moving_average_decay=0.5)),
        dict(moving_average_decay=0.5), True),
    'preprocessing_name': (
        'digits', dict(data=dict(preprocessing_name='cifarnet')),
        dict(preprocessing_name='cifarnet'), True),
    'labels_offset': (
        'background', dict(data=dict(labels_offset=1)), dict(labels_offset=1),
        True),
    'use_grayscale': (
        'colors', dict(data=dict(dataset_name='image_folder',
                                 use_grayscale=True)),
        dict(dataset_name='image_folder', use_grayscale=True,
             dataset_split_name='validation'), True),
    'loss and num_clones': (
        'digits', dict(
            model=dict(loss='focal', focal_gamma=0.5, label_smoothing=0.1,
                       class_weights='auto', weight_decay=0.1),
            deployment=dict(num_clones=2)),
        dict(loss='focal', focal_gamma=0.5, num_clones=2, clone_on_cpu=True),
        False),
    'multi_label': ('several', {}, {}, False),
    'on_bad_record': (
        'spoiled', dict(data=dict(on_bad_record='skip', max_bad_records=5)),
        dict(on_bad_record='skip', max_bad_records=5), True),
    'batch_norm_decay': (
        'digits', dict(
            model=dict(model_name=_BATCH_NORM['model_name'],
                       batch_norm_decay=0.5, train_image_size=32),
            data=dict(preprocessing_name='lenet'),
            warm_start=dict(trainable_scopes=(
                'MobilenetV1/Conv2d_13', 'MobilenetV1/Logits'))),
        dict(eval_image_size=32, **_BATCH_NORM), False),
    'quantize_delay': (
        'digits', dict(model=dict(quantize_delay=0)), dict(quantize=True),
        True),
}


def _evaluate(data, train_dir, **flags):
  return evaluation.evaluate(evaluations.options_for(
      data, train_dir, **dict(dict(eval_image_size=8), **flags)), quiet=True)


@pytest.mark.parametrize('case', sorted(_CASES))
def test_both_evaluations_are_the_same(data, tmp_path, case):
  if case == 'quantize_delay' and not tf.__version__.startswith('1.'):
    pytest.skip('needs tensorflow.contrib')
  name, changes, flags, is_needed = _CASES[case]
  split = 'validation' if name == 'colors' else 'test'
  changes = dict(changes, loop=dict(eval_every=2, eval_split=split))
  changes['data'] = dict(dict(dataset_split_name=split, batch_size=4),
                         **changes.get('data', {}))
  # Small images make a small LeNet.
  changes['model'] = dict(
      dict(train_image_size=8), **changes.get('model', {}))
  dataset_dir = str(data / name)
  loops.train(runs.train(dataset_dir, tmp_path, steps=2, **changes))
  during = runs.log(tmp_path)[-1]['evaluation']
  assert _evaluate(dataset_dir, tmp_path, **flags) == pytest.approx(
      during, rel=1e-4)
  if not is_needed:
    return
  flags = {flag: value for flag, value in flags.items()
           if flag.startswith('dataset_')}
  # Which answers what is not given.
  (tmp_path / 'run.json').unlink()
  try:
    other = _evaluate(dataset_dir, tmp_path, **flags)
  except ValueError:
    return
  assert other['Loss'] != pytest.approx(during['Loss'], rel=1e-4)
