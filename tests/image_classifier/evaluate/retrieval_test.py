"""Metrics of embeddings against loops over pairs, by hand."""
import numpy as np
import pytest

from image_classifier.evaluate import retrieval
from image_classifier.graphs import neighbors


def test_by_hand():
  """On a line: queries at 0 (class 0) and 10 (class 1)."""
  gallery = neighbors.Gallery([[1], [2], [-4], [11]], [1, 0, 0, 2], 4)
  sums = retrieval.RetrievalMetrics(gallery, 4)
  predicted = sums.add(np.array([[0.], [10.]]), [0, 1])
  assert predicted.tolist() == [1, 2]
  results = sums.results()
  assert (results['Accuracy'], results['Recall_at_1'],
          results['Recall_at_5']) == (0, 0, 1)
  # Right are the second and third of the first; the third of the second.
  assert results['Mean_Average_Precision'] == pytest.approx(
      np.mean([(1 / 2 + 2 / 3) / 2, 1 / 3]))
  assert results['Mean_Norm'] == 5
  labels, scores = sums.shown([0, 1], None)
  assert labels == [0, 1]
  np.testing.assert_allclose(scores[0, :3], [-2, -1, -11])
  assert np.isfinite(scores).all() and scores.argmin(axis=1).tolist() == [3, 3]


@pytest.mark.parametrize('is_same', [False, True])
def test_against_loops(is_same, monkeypatch):
  monkeypatch.setattr(retrieval, '_MAX_DISTANCES', 100)
  random = np.random.RandomState(0)
  known, labels = random.randn(40, 3), random.randint(4, size=40)
  queries, query_labels = (known, labels) if is_same else (
      random.randn(15, 3), random.randint(4, size=15))
  sums = retrieval.RetrievalMetrics(
      neighbors.Gallery(known, labels, 4), 4, is_same)
  for start in range(0, len(queries), 11):
    sums.add(queries[start:start + 11], query_labels[start:start + 11])
  recalled, precisions = {1: 0, 5: 0, 10: 0}, []
  for i, query in enumerate(queries):
    order = sorted((np.linalg.norm(query - other), j)
                   for j, other in enumerate(known) if not is_same or i != j)
    hits = [labels[j] == query_labels[i] for _, j in order]
    for k in recalled:
      recalled[k] += any(hits[:k])
    precisions.append(np.mean([
        np.mean(hits[:rank + 1]) for rank, hit in enumerate(hits) if hit]))
  results = sums.results()
  assert sums.examples == len(queries)
  for k, count in recalled.items():
    assert results['Recall_at_%d' % k] == pytest.approx(count / len(queries))
  assert results['Mean_Average_Precision'] == pytest.approx(
      np.mean(precisions))
  assert sum(score.examples for score in sums.classes()) == len(queries)


def test_an_empty_gallery():
  with pytest.raises(ValueError, match='The gallery has no images.'):
    neighbors.Gallery(np.zeros([0, 2]), [], 2)
