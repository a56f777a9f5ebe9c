"""The benchmark of the forms of an export."""
import re

import numpy as np
import pytest

from benchmarks import inference


@pytest.fixture(name='quick', autouse=True)
def _quick(monkeypatch):
  for name, value in (('_ROUNDS', 3), ('_SECONDS', 0.005), ('_TRACES', 1),
                      ('_BATCHES', (1, 2))):
    monkeypatch.setattr(inference, name, value)


def test_rows_of_a_small_network(capsys):
  inference.main(['--forms=folded plain,tflite', 'lenet'])
  lines = capsys.readouterr().out.splitlines()
  assert lines[1].split() == ['network', 'batch', 'form', 'median/s',
                              'quartiles', 'ratio', 'cpu', 'convs', 'bound']
  rows = [re.sub('- +', '-', line.replace(' plain', '_plain')).split()
          for line in lines[2:]]
  assert [row[:3] for row in rows] == [
      ['lenet', batch, form] for batch in '12' for form in (
          'checkpoint', 'frozen_plain', 'folded_plain', 'tflite')]
  for row in rows:
    assert float(row[3]) > 0 and float(row[5]) > 0
    if row[2] == 'checkpoint':
      assert row[5:7] == ['1.00', '1.00']
    if row[2] != 'tflite':
      fraction, bound = map(float, row[-2:])
      assert 0 < fraction < 1 and bound == pytest.approx(1 / fraction, rel=0.1)


class _Backend:
  calls = 0

  def run(self, images):
    self.calls += 1


def test_slow_forms_have_fewer_rounds(monkeypatch):
  """The clock says that every run takes ten seconds."""
  seconds = iter(range(0, 10000, 10))
  monkeypatch.setattr(inference.time, 'perf_counter', lambda: next(seconds))
  backend = _Backend()
  found = inference._measure({'int8': backend}, np.zeros([4, 2, 2, 3]))
  assert found['int8'].seconds.tolist() == [10, 10]
  assert backend.calls == 3, 'one image per run, one run to prepare'


def test_an_unknown_form(capsys):
  with pytest.raises(SystemExit):
    inference.main(['--forms=int9'])
  assert ('--forms=int9: the forms are checkpoint,frozen,folded,'
          in capsys.readouterr().err)
