"""Tests of the table and figures of published models."""
import os

import pytest

from benchmarks import plot_model_figures

_HEAD = 'family,model,width,size,madds_millions,params_millions,top1,top5\n'
_PAGES = {
    'nets/mobilenet_v1.md': ['MobileNet V1'],
    'nets/mobilenet/README.md': [
        'MobileNet V2', 'MobileNet V3', 'MobileNet EdgeTPU'],
}


def _write(directory, *lines):
  path = directory / 'table.csv'
  path.write_text(_HEAD + ''.join(line + '\n' for line in lines))
  return str(path)


def test_numbers_are_floats_and_gaps_are_none(tmp_path):
  path = _write(tmp_path, 'MobileNet V1,m,0.5,224,150,1.34,63.3,')
  assert plot_model_figures.read_table(path) == [{
      'family': 'MobileNet V1', 'model': 'm', 'width': 0.5, 'size': 224.0,
      'madds_millions': 150.0, 'params_millions': 1.34, 'top1': 63.3,
      'top5': None}]


def test_a_bad_number_is_named(tmp_path):
  path = _write(tmp_path, 'A,m,,224,150,1.34,63.3,', 'A,m,,x,1,1,1,1')
  with pytest.raises(ValueError, match="line 3, column size holds 'x'; give"):
    plot_model_figures.read_table(path)


def test_each_published_checkpoint_is_listed_once():
  rows = plot_model_figures.read_table()
  count = {family: sum(row['family'] == family for row in rows)
           for family in ('MobileNet V1', 'MobileNet V2')}
  assert count == {'MobileNet V1': 16, 'MobileNet V2': 22}
  assert len({row['model'] for row in rows}) == len(rows)


@pytest.mark.parametrize('page', list(_PAGES))
def test_pages_have_the_table(page):
  with open(os.path.join(plot_model_figures.ROOT, page)) as source:
    lines = [line.split('|') for line in source if line.startswith('|')]
  shown = {cells[1].strip(): cells for cells in lines}
  for row in plot_model_figures.read_table():
    if row['family'] in _PAGES[page]:
      cells = shown[row['model']]
      assert [float(cells[index]) for index in (2, 3, 4, 6, 8)] == [
          row[column] for column in ('width', 'size', 'madds_millions',
                                     'params_millions', 'top1')]
      # The counts of the graph are near the published ones.
      assert float(cells[5]) == pytest.approx(row['madds_millions'], rel=0.25)
      assert float(cells[7]) == pytest.approx(row['params_millions'], rel=0.05)


def test_figures_are_plotted(tmp_path):
  pytest.importorskip('matplotlib')
  path = str(tmp_path / 'new' / 'figure.png')
  rows = plot_model_figures.read_table()
  for families in (['MobileNet V1'], ['MobileNet V1', 'MobileNet V3']):
    plot_model_figures.plot(rows, families, path)
    with open(path, 'rb') as source:
      assert source.read(8) == b'\x89PNG\r\n\x1a\n'


def test_a_family_without_rows_is_named():
  with pytest.raises(ValueError, match=(
      "Family 'MobileNet V9' cannot be plotted; families with rows: "
      '.*MobileNet V1')):
    plot_model_figures.plot(
        plot_model_figures.read_table(), ['MobileNet V9'], 'unused.png')
