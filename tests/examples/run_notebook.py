"""Runs the code of a notebook from its directory, without Jupyter.

  python -m tests.examples.run_notebook NOTEBOOK VARIABLE...

Its last line is a JSON dict: `figures`, the number of figures that were shown,
are not blank and have no label beyond their border; and the values of the
variables.
"""
import json
import os
import sys

import matplotlib

matplotlib.use('Agg')

# pylint: disable=wrong-import-position
from matplotlib import pyplot
import numpy as np


def cells(path):
  """Returns the list of the cells of a notebook."""
  with open(path, encoding='utf-8') as file:
    return json.load(file)['cells']


def _show(shown):
  for number in pyplot.get_fignums():
    figure = pyplot.figure(number)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    shown.append(pixels.std() > 1 and _is_whole(figure))
  pyplot.close('all')


def _is_whole(figure):
  """Returns whether all that is drawn is inside the figure."""
  drawn = figure.get_tightbbox(figure.canvas.get_renderer())
  width, height = figure.get_size_inches()
  return (min(drawn.x0, drawn.y0) > -0.01 and drawn.x1 < width + 0.01 and
          drawn.y1 < height + 0.01)


def main(path, *names):
  shown, variables = [], {'__name__': '__main__'}
  pyplot.show = lambda: _show(shown)
  code = [''.join(cell['source']) for cell in cells(path)
          if cell['cell_type'] == 'code']
  os.chdir(os.path.dirname(os.path.abspath(path)))
  for number, text in enumerate(code, 1):
    exec(compile(text, 'cell %d' % number, 'exec'), variables)
  values = {name: np.asarray(variables[name]).tolist() for name in names}
  print(json.dumps(dict(values, figures=sum(map(int, shown)))))


if __name__ == '__main__':
  main(*sys.argv[1:])
