"""Digits to train on, converted once a session."""
import os

import pytest

_SAMPLE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(__file__))),
    'datasets', 'samples', 'mnist')


@pytest.fixture(scope='session')
def digits(tmp_path_factory):
  """The directory of the bundled sample as records: 4,000 and 1,000 digits."""
  from datasets import download_and_convert_mnist
  folder = str(tmp_path_factory.mktemp('digits'))
  download_and_convert_mnist.run(folder, source=_SAMPLE)
  return folder
