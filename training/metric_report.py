"""What an evaluation found, for people and for programs."""
import json

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
  width = max(len(_cut(name)) for name in [title] + [name for name, _ in rows])
  head = '%-*s  examples  precision  recall     F1' % (width, title)
  return [head] + ['%-*s  %8d  %9s  %6s  %5s' % (
      width, _cut(name), score.examples, _digits(score.precision),
      _digits(score.recall), _digits(score.f1)) for name, score in rows]


def write_json(output, facts, results, scores, classes):
  """Writes everything as JSON.

  Args:
    output: file, open for text.
    facts: dict of what was evaluated.
    results: dict of the metrics.
    scores: list of `metrics.ClassScores`.
    classes: list of (id, name).
  """
  json.dump(dict(
      facts, metrics=results,
      classes=[dict(score._asdict(), label=label, name=name)
               for (label, name), score in zip(classes, scores)]),
            output, indent=1)
  output.write('\n')


def _cut(name):
  return name if len(name) <= _NAME_WIDTH else name[:_NAME_WIDTH - 3] + '...'


def _digits(share):
  return '-' if share is None else '%.3f' % share
