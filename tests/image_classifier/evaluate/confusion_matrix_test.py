"""Counts by label and prediction, and their plot."""
import io

import numpy as np
from PIL import Image
import pytest

from image_classifier.evaluate import confusion_matrix


def _matrix():
  matrix = confusion_matrix.ConfusionMatrix(3)
  matrix.add(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]))
  matrix.add(np.array([1, 2]), np.array([2, 2]))
  return matrix


def test_labels_are_rows():
  assert _matrix().counts.tolist() == [[1, 2, 0], [0, 1, 1], [0, 0, 1]]


def test_most_frequent_mistakes():
  assert _matrix().most_frequent(9) == [
      confusion_matrix.Confusion(0, 1, 2), confusion_matrix.Confusion(1, 2, 1)]
  assert len(_matrix().most_frequent(1)) == 1


def test_csv_has_names():
  output = io.StringIO(newline='')
  confusion_matrix.write_csv(output, _matrix(), ['a', 'b, c', 'd'])
  assert output.getvalue().splitlines() == [
      'label \\ predicted,a,"b, c",d', 'a,1,2,0', '"b, c",0,1,1', 'd,0,0,1']


# A letter that the font lacks would be a warning.
@pytest.mark.filterwarnings('error:Glyph')
@pytest.mark.parametrize('num_classes', [2, 30, 300])
def test_plot(tmp_path, num_classes):
  pytest.importorskip('matplotlib')
  matrix = confusion_matrix.ConfusionMatrix(num_classes)
  labels = np.arange(num_classes)
  matrix.add(labels, np.minimum(labels, 1))
  names = ['$class_%d of a set with long names' % i for i in labels]
  names[1] = '\u65e5\u672c'
  path = tmp_path / 'matrix.png'
  with open(str(path), 'wb') as output:
    confusion_matrix.plot(matrix, names, 'title', output)
  image = np.asarray(Image.open(str(path)).convert('L'))
  assert min(image.shape) > 400
  assert image.min() < 64 and image.max() == 255
