"""Plots the accuracy of published models against their cost.

Reads nets/published_figures.csv, one row per published checkpoint:

  family           name in the legend; the rows of one family have one color
  model            name of the published checkpoint
  width            depth multiplier of the checkpoint, empty where there is none
  size             height and width of the input, pixels
  madds_millions   multiply-adds of one image, millions
  params_millions  parameters, millions
  top1, top5       ImageNet validation accuracy, per cent; top5 may be empty

and writes one PNG per row of `FIGURES`: top-1 against multiply-adds
(logarithmic), with bubbles whose area is proportional to the parameters. Lines
connect one network at several image sizes. To add a family, add its rows to the
table and its name to a figure.

  python -m benchmarks.plot_model_figures                     all figures
  python -m benchmarks.plot_model_figures nets/nasnet/nasnet.png   one figure
"""
import argparse
import collections
import csv
import os

from benchmarks import common

ROOT = common.ROOT
TABLE = os.path.join(ROOT, 'nets', 'published_figures.csv')
FIGURES = {
    'nets/mobilenet_v1.png': ['MobileNet V1'],
    'nets/mobilenet/mobilenet.png': [
        'MobileNet V1', 'MobileNet V2', 'MobileNet V3', 'MobileNet EdgeTPU'],
    'nets/nasnet/nasnet.png': [
        'MobileNet V1', 'MobileNet V2', 'NASNet-A', 'PNASNet-5'],
}
# One color per family, the same in every figure, distinct for color-blind
# readers. Circles only: areas of different shapes cannot be compared.
_COLORS = {
    'MobileNet V1': '#0072b2', 'MobileNet V2': '#e69f00',
    'MobileNet V3': '#009e73', 'MobileNet EdgeTPU': '#cc79a7',
    'NASNet-A': '#d55e00', 'PNASNet-5': '#56b4e9',
}
# Area of a bubble per million parameters, and maximum area, in square points.
_AREA_PER_MILLION = 60.0
_MAX_AREA = 900.0


def read_table(path=TABLE):
  """Returns the rows of the table as dicts of str and, where given, float.

  Args:
    path: a CSV file with the columns listed at the top of this file.

  Raises:
    ValueError: a number cannot be parsed; the message names line and column.
  """
  with open(path, newline='') as source:
    rows = list(csv.DictReader(source))
  for line, row in enumerate(rows, start=2):
    for column in row:
      if column not in ('family', 'model'):
        row[column] = _number(row[column], '%s, line %d, column %s' % (
            path, line, column))
  return rows


def _number(text, where):
  try:
    return float(text) if text else None
  except ValueError:
    raise ValueError('%s holds %r; give a number, or leave it empty.' % (
        where, text))


def plot(rows, families, path):
  """Plots the rows of `families` and writes the PNG `path`.

  Args:
    rows: list of dicts, see `read_table`.
    families: names of families, in the order of the legend.
    path: file to write; its directory is made if it does not exist.

  Raises:
    ValueError: a family has no row, or no color.
  """
  have = sorted({row['family'] for row in rows})
  for family in families:
    if family not in have or family not in _COLORS:
      raise ValueError(
          'Family %r cannot be plotted; families with rows: %s; with a color: '
          '%s. Add rows to the table, or a line to _COLORS.' % (
              family, ', '.join(have), ', '.join(_COLORS)))
  import matplotlib
  matplotlib.use('Agg')
  from matplotlib import pyplot
  plotted = [row for row in rows if row['family'] in families]
  largest = max(row['params_millions'] for row in plotted)
  area = min(_AREA_PER_MILLION, _MAX_AREA / largest)
  figure, axes = pyplot.subplots(figsize=(8, 5.5))
  for family in families:
    _plot_family(
        [row for row in plotted if row['family'] == family], axes, area)
  if len(families) == 1:
    _label_widths(plotted, axes)
  _label_axes(axes, [row['madds_millions'] for row in plotted])
  _add_legends(axes, largest, area)
  os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
  figure.savefig(path, dpi=120, bbox_inches='tight')
  pyplot.close(figure)


def _plot_family(rows, axes, area):
  color = _COLORS[rows[0]['family']]
  axes.scatter(
      [row['madds_millions'] for row in rows], [row['top1'] for row in rows],
      s=[area * row['params_millions'] for row in rows], c=color,
      alpha=0.6, edgecolors='black', linewidths=0.5, label=rows[0]['family'])
  for curve in _by_network(rows):
    axes.plot([row['madds_millions'] for row in curve],
              [row['top1'] for row in curve], color=color, linewidth=0.8)


def _by_network(rows):
  """Groups the rows of one network at several image sizes."""
  groups = collections.OrderedDict()
  for row in rows:
    groups.setdefault((row['width'], row['params_millions']), []).append(row)
  return groups.values()


def _label_widths(rows, axes):
  for curve in _by_network(rows):
    best = max(curve, key=lambda row: row['top1'])
    if best['width'] is not None:
      axes.annotate(
          'width %g' % best['width'], (best['madds_millions'], best['top1']),
          xytext=(12, -16), textcoords='offset points')


def _label_axes(axes, madds):
  axes.set_xscale('log')
  axes.set_xlim(min(madds) / 1.4, max(madds) * 1.9)
  bases = (1, 2, 5) if max(madds) < 1000 * min(madds) else (1,)
  ticks = [base * 10**power for power in range(6) for base in bases]
  ticks = [tick for tick in ticks
           if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
  axes.set_xticks(ticks)
  axes.set_xticklabels(['{:,}'.format(tick) for tick in ticks])
  axes.set_xticks([], minor=True)
  axes.margins(y=0.12)
  axes.set_xlabel('multiply-adds of one image, millions')
  axes.set_ylabel('ImageNet top-1, %')
  axes.set_title('Published checkpoints; area of a bubble = parameters')
  axes.grid(True, linewidth=0.3, alpha=0.6)


def _add_legends(axes, largest, area):
  """Adds a legend of the families and one of the bubbles' sizes."""
  families = axes.legend(loc='upper left')
  for handle in (getattr(families, 'legend_handles', None) or
                 families.legendHandles):  # Before matplotlib 3.7.
    handle.set_sizes([60])
  axes.add_artist(families)
  steps = [step for step in (100, 50, 20, 10, 5, 2, 1, 0.5)
           if step <= 1.2 * largest][:5:2]
  bubbles = [
      axes.scatter([], [], s=area * step, c='lightgray', edgecolors='black',
                   linewidths=0.5, label='%g million' % step)
      for step in reversed(steps)]
  axes.legend(handles=bubbles, title='parameters', loc='lower right',
              labelspacing=1.2, borderpad=1.2, handletextpad=1.5)


def main():
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('figures', nargs='*', metavar='FIGURE',
                      type=common.name_in(FIGURES), default=list(FIGURES),
                      help='some of %s; all by default' % ', '.join(FIGURES))
  rows = read_table()
  for name in parser.parse_args().figures:
    plot(rows, FIGURES[name], os.path.join(ROOT, name))
    print('wrote', name)


if __name__ == '__main__':
  main()
