"""Tests of the counts of multiply-adds and parameters."""
import pytest

from benchmarks import model_costs
from benchmarks import plot_model_figures


@pytest.mark.parametrize('model, madds, parameters', [
    ('mobilenet_v1_0.25_128', 13.6, 470329),
    ('v3-small-minimalistic_224_1.0_float', 52.3, 2045761),
])
def test_networks_of_the_table(model, madds, parameters):
  row, = [row for row in plot_model_figures.read_table()
          if row['model'] == model]
  counted = model_costs.costs(row)
  assert counted[0] / 1e6 == pytest.approx(madds, abs=0.05)
  assert counted[1] == parameters
