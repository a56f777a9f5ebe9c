"""Runs lessons in tests."""
import argparse

import numpy as np
from PIL import Image

from examples.lessons import lesson


def run(module, directory, steps, **flags):
  """Runs a lesson; returns its results, whose picture has been looked at."""
  results = lesson.start(module.run, argparse.Namespace(
      steps=steps, seed=0, output_dir=str(directory), **flags))
  pixels = np.asarray(Image.open(results['picture']).convert('L'))
  assert min(pixels.shape) > 70 and len(np.unique(pixels)) > 2
  return results
