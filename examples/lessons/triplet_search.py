"""Which learning rate: a triplet experiment with each of four.

  python -m examples.lessons.triplet_search

The parameters are those of `triplet`, --params too; only the rate differs. Each
training has a directory of its own, with results.json and all that `triplet`
writes. fractions.png shows the fraction of triplets that still cost something:
it stays high where the rate is too low.
"""
import argparse

from examples import command_line
from examples.lessons import experiment

if __name__ == '__main__':
  # --help needs no TensorFlow, which loads here.
  flags_ = command_line.start(command_line.lesson(
      __doc__, steps=60, params=experiment.FLAG))

import json

from examples.lessons import lesson
from examples.lessons import triplet

RATES = (1e-4, 3e-4, 1e-3, 3e-3)


def run(flags):
  """Trains with each rate; returns the accuracies."""
  results, curves = {}, {}
  for rate in RATES:
    name = 'learning_rate_%g' % rate
    found = lesson.start(triplet.run, argparse.Namespace(
        steps=flags.steps, seed=flags.seed,
        output_dir=lesson.path(flags, name),
        params=flags.params._replace(learning_rate=rate)))
    results[name] = found['nearest_accuracy_after']
    with open(lesson.path(flags, name + '/results.json')) as file:
      curves[name] = lesson.averaged(json.load(file)['fractions'])
  best = max(results, key=results.get)
  picture = lesson.path(flags, 'fractions.png')
  lesson.draw_curves(
      picture, {name.replace('_', ' '): curve
                for name, curve in curves.items()},
      'Triplets that cost something, averaged')
  return dict(results, best=best, picture=picture)


if __name__ == '__main__':
  lesson.main(run, flags_)
