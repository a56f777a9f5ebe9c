"""Tests of the benchmark of fine-tuning, but for the trainings."""
import gzip
import json

import numpy as np
from PIL import Image

from benchmarks import fine_tuning
from datasets import dataset_factory


def _directory(parent):
  for name, count in ('a', 40), ('b', 35), ('few', 3):
    (parent / 'images' / name).mkdir(parents=True)
    for number in range(count):
      Image.new('RGB', (8, 8), (number, 0, 0)).save(
          str(parent / 'images' / name / ('%d.png' % number)))
  return parent / 'images'


def test_a_part_of_a_part_is_held_out(tmp_path):
  data = fine_tuning.convert(
      str(_directory(tmp_path)), str(tmp_path / 'data'), 60, 0.8)
  for split, count in ('train', 12), ('validation', 48):
    dataset = dataset_factory.get_dataset('image_folder', split, data)
    assert (dataset.num_samples, dataset.num_classes) == (count, 2)


def test_idx_files(tmp_path):
  source = tmp_path / 'digits'
  source.mkdir()
  labels = np.arange(80, dtype=np.uint8) % 2
  for name, values in zip(fine_tuning._IDX, (
      np.zeros([80, 28, 28], np.uint8), labels)):
    header = bytes([0, 0, 8, values.ndim]) + b''.join(
        size.to_bytes(4, 'big') for size in values.shape)
    (source / name).write_bytes(gzip.compress(header + values.tobytes()))
  data = fine_tuning.convert(str(source), str(tmp_path / 'data'), 20, 0.5)
  dataset = dataset_factory.get_dataset('image_folder', 'train', data)
  assert (dataset.num_samples, dataset.num_classes) == (10, 2)


def test_results_are_kept_and_not_measured_again(tmp_path, monkeypatch, capsys):
  calls = []

  def accuracy(data, train_dir, way, seed, arguments):
    del data, train_dir, arguments
    calls.append((way, seed))
    return 50.0 + seed * (1 + (way == '--preset=finetune'))

  monkeypatch.setattr(fine_tuning, 'accuracy', accuracy)
  words = [str(_directory(tmp_path)), '--checkpoint_path=x', '--images=60',
           '--results=%s' % (tmp_path / 'results.json')]
  fine_tuning.main(words + ['--seeds=1'])
  fine_tuning.main(words + ['--seeds=1,2'])
  assert calls == [(way, seed) for seed in (1, 2) for way in fine_tuning.WAYS]
  assert capsys.readouterr().out.endswith(
      '| images | 51.5 (51.0, 52.0) | 53.0 (52.0, 54.0) | 51.5 (51.0, 52.0) |\n'
      '--preset=finetune is ahead of default flags in 2 of 2 pairs of the same '
      'seed, by 1.5 points on average (standard error 0.5).\n')
  kept = json.loads((tmp_path / 'results.json').read_text())
  assert kept['images, from scratch, seed 2'] == 52.0
