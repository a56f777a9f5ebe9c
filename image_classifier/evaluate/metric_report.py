"""What an evaluation found, for people and for programs."""
import json
import math
import unicodedata

# Of more classes, those with the lowest F1 are shown.
_MOST_CLASSES = 20
_CLASSES_SHOWN = 10
_NAME_WIDTH = 28


def lines(results):
  """Returns the lines of the metrics, as slim's users know them."""
  return ['eval/%s[%.6g]' % row for row in results.items()]


def table(scores, names):
  """Returns the lines of a table of the classes.

  Args:
    scores: list of `metrics.ClassScores`.
    names: list of the classes' names.
  """
  rows = [(name, score) for name, score in zip(names, scores)
          if score.examples or score.predicted]
  title = 'class'
  if len(rows) > _MOST_CLASSES:
    title = 'class (%d of %d, lowest F1)' % (_CLASSES_SHOWN, len(rows))
    rows.sort(key=lambda row: row[1].f1)
    rows = rows[:_CLASSES_SHOWN]
  names = [_cut(name) for name, _ in rows]
  width = max(map(_columns, [title] + names))
  lines = [title + ' ' * (width - len(title)) +
           '  examples  precision  recall     F1']
  for name, (_, score) in zip(names, rows):
    lines.append(name + ' ' * (width - _columns(name)) + (
        '  %8d  %9s  %6s  %5s' % (
            score.examples, _digits(score.precision), _digits(score.recall),
            _digits(score.f1))))
  return lines


def write_json(output, facts, results, scores, classes):
  """Writes everything as JSON.

  Args:
    output: file, open for text.
    facts: dict of what was evaluated.
    results: dict of the metrics.
    scores: list of `metrics.ClassScores`.
    classes: list of (id, name).
  """
  json.dump(_strict(dict(
      facts, metrics=results,
      classes=[dict(score._asdict(), label=label, name=name)
               for (label, name), score in zip(classes, scores)])),
            output, indent=1, allow_nan=False)
  output.write('\n')


def _strict(value):
  """Returns a value for JSON, with None for what it has not: NaN and Inf."""
  if isinstance(value, dict):
    return {key: _strict(part) for key, part in value.items()}
  if isinstance(value, (list, tuple)):
    return [_strict(part) for part in value]
  is_number = not isinstance(value, float) or math.isfinite(value)
  return value if is_number else None


def _cut(name):
  """Returns a name on one line of at most _NAME_WIDTH letters."""
  name = ' '.join(name.split())
  return name if len(name) <= _NAME_WIDTH else name[:_NAME_WIDTH - 3] + '...'


def _columns(text):
  """Returns how many columns of a terminal a text takes."""
  return sum(0 if unicodedata.combining(letter) else
             2 if unicodedata.east_asian_width(letter) in 'FW' else 1
             for letter in text)


def _digits(share):
  return '-' if share is None else '%.3f' % share
