"""The tables of what contenders did: bench.md, and two bench.json compared."""
import json
import os

from benchmarks.contenders import turns


def markdown(facts, results):
  """Yields the lines of bench.md."""
  yield '# Benchmarks of %s' % facts['date']
  yield ''
  for name, fact in facts.items():
    if name != 'versions':
      yield '* %s: %s' % (name, fact)
  for stack, versions in facts['versions'].items():
    yield '* %s: %s' % (stack, ', '.join(
        '%s %s' % item for item in versions.items()))
  titles = ''
  for row in results:
    first = next(other for other in results if not other['problem'] and
                 _key(other)[:2] == _key(row)[:2] or other is row)
    if row['section'] != titles:
      titles = row['section']
      yield from ['', '## ' + titles, '', _head(titles), '|---' * 7 + '|']
    yield '| %s | %s | %s |' % (row['case'], row['contender'], ' | '.join(
        [row['problem'].replace('|', '/'), '', '', '', ''] if row['problem']
        else cells(row, first)))


def _key(row):
  return row['section'], row['case'], row['contender']


def _head(section):
  units = ('seconds (quartiles)', 'CPU seconds') if section == 'programs' else (
      'images/s (quartiles)', 'CPU ms/image')
  return '| case | contender | %s | MiB | ratio (quartiles) | CPU ratio |' % (
      ' | '.join(units))


def cells(row, first):
  """Returns the cells of a contender, compared with the first of its case."""
  taken = [turns.Turn(*values) for values in row['turns']]
  base = [turns.Turn(*values) for values in first['turns']]
  if row['section'] == 'programs':
    speeds, cpu = [turn.seconds for turn in taken], [
        turn.cpu for turn in taken]
  else:
    speeds, cpu = [turn.images / turn.seconds for turn in taken], [
        1000 * turn.cpu / turn.images for turn in taken]
  by_wall, by_cpu = (
      [getattr(old, clock) / old.images * new.images / getattr(new, clock)
       for old, new in zip(base, taken) if getattr(new, clock)]
      for clock in ('seconds', 'cpu'))
  return ['%.4g (%.4g to %.4g)' % turns.spread(speeds),
          '%.4g' % turns.spread(cpu).median,
          '%d' % max(turn.memory for turn in taken),
          '%.2f (%.2f to %.2f)' % turns.spread(by_wall),
          '%.2f' % turns.spread(by_cpu).median if by_cpu else '']


def compare(first, second):
  """Yields the lines of a table of two files, by contender."""
  found = []
  for path in (first, second):
    with open(json_of(path)) as source:
      found.append({_key(row): row for row in json.load(source)['results']
                    if not row['problem']})
  yield '| section | case | contender | CPU ms/image | then | ratio |'
  yield '|---' * 6 + '|'
  for key in found[0]:
    if key in found[1]:
      old, new = (_cpu(rows[key]) for rows in found)
      yield '| %s | %s | %s | %.4g | %.4g | %.2f |' % (
          key + (old, new, old / new if new else float('nan')))
  for key in sorted(set(found[0]) ^ set(found[1])):
    yield '| %s | %s | %s | only in %s | | |' % (
        key + (first if key in found[0] else second,))


def json_of(path):
  """Returns the path of the bench.json that a file or directory is."""
  return os.path.join(path, 'bench.json') if os.path.isdir(path) else path


def _cpu(row):
  return 1000 * turns.spread(
      [cpu / images for images, _, cpu, _ in row['turns']]).median
