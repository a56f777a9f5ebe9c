"""Digits to train on, converted once per session."""
import os

import pytest

from tests.image_classifier import training_runs as runs

_SAMPLE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(__file__))),
    'datasets', 'samples', 'mnist')


@pytest.fixture(scope='session')
def digits(tmp_path_factory):
  """The directory of the bundled sample as records: 4,000 and 1,000 digits."""
  from datasets import download_and_convert_mnist
  directory = str(tmp_path_factory.mktemp('digits'))
  download_and_convert_mnist.run(directory, source=_SAMPLE)
  return directory


@pytest.fixture(scope='session')
def trained(digits, tmp_path_factory):
  """The directory of a LeNet after 60 steps: better than guessing."""
  from image_classifier.train import loop
  directory = tmp_path_factory.mktemp('trained')
  loop.train(runs.train(
      digits, directory, steps=60, data=dict(batch_size=50, seed=1),
      optimizer=dict(optimizer='adam'), schedule=dict(learning_rate=0.001),
      model=dict(moving_average_decay=0.9)))
  return directory
