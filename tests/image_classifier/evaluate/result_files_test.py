"""Results as printed lines and as JSON."""
import io
import json

from image_classifier.evaluate import metrics
from image_classifier.evaluate import result_files

_SCORES = [metrics.ClassScores(4, 2, 1.0, 0.5, 2 / 3),
           metrics.ClassScores(3, 0, None, 0.0, 0.0)]


def test_metric_lines_have_the_format_of_slim():
  assert result_files.metric_lines({'Accuracy': 0.25, 'Loss': 1 / 3}) == [
      'eval/Accuracy[0.25]', 'eval/Loss[0.333333]']


def test_table():
  assert result_files.class_table(_SCORES, ['a', 'b' * 40]) == [
      'class                         examples  precision  recall     F1',
      'a                                    4      1.000   0.500  0.667',
      'bbbbbbbbbbbbbbbbbbbbbbbbb...         3          -   0.000  0.000']


def test_names_of_wide_letters_and_several_lines():
  assert result_files.class_table(_SCORES, ['\u732b\u732b', 'a\nb']) == [
      'class  examples  precision  recall     F1',
      '\u732b\u732b          4      1.000   0.500  0.667',
      'a b           3          -   0.000  0.000']


def test_of_many_classes_those_with_the_lowest_f1_are_printed():
  scores = [metrics.ClassScores(1, 1, 1.0, i / 40, i / 40) for i in range(40)]
  scores.append(metrics.ClassScores(0, 0, None, None, None))
  lines = result_files.class_table(scores, ['n%d' % i for i in range(41)])
  assert lines[0].startswith('class (10 of 40, lowest F1)  examples')
  assert [line.split()[0] for line in lines[1:]] == [
      'n%d' % i for i in range(10)]


def test_json():
  output = io.StringIO()
  result_files.write_json(
      output, {'step': 7}, {'Accuracy': 0.5}, _SCORES, [(1, 'a'), (2, 'b')])
  assert json.loads(output.getvalue()) == {
      'step': 7, 'metrics': {'Accuracy': 0.5}, 'classes': [
          {'label': 1, 'name': 'a', 'examples': 4, 'predicted': 2,
           'precision': 1.0, 'recall': 0.5, 'f1': 2 / 3},
          {'label': 2, 'name': 'b', 'examples': 3, 'predicted': 0,
           'precision': None, 'recall': 0.0, 'f1': 0.0}]}


def test_json_has_no_nan():
  output = io.StringIO()
  result_files.write_json(
      output, {'flags': {'a': float('inf'), 'b': [1.5, float('nan')]}},
      {'Accuracy': float('nan')}, _SCORES[:1], [(1, 'a')])

  def fail(word):
    raise ValueError(word)

  content = json.loads(output.getvalue(), parse_constant=fail)
  assert content['flags'] == {'a': None, 'b': [1.5, None]}
  assert content['metrics'] == {'Accuracy': None}
