"""The log of a run."""
from image_classifier.runs import run_log


def test_rows_are_appended_and_read(tmp_path):
  directory = str(tmp_path)
  assert run_log.read(directory) == []
  run_log.append(directory, {'step': 2, 'loss': 1.5})
  run_log.append(directory, {'step': 2, 'evaluation': {'Accuracy': 0.5}})
  assert run_log.read(directory) == [
      {'step': 2, 'loss': 1.5}, {'step': 2, 'evaluation': {'Accuracy': 0.5}}]
  assert run_log.evaluations(run_log.read(directory)) == [
      {'step': 2, 'evaluation': {'Accuracy': 0.5}}]


def test_what_comes_after_the_checkpoint_is_cut_off(tmp_path):
  directory = str(tmp_path)
  for step in (2, 4, 6):
    run_log.append(directory, {'step': step})
  with open(run_log.path(directory), 'a') as log:
    log.write('{"step": 8, "lo')
  run_log.cut(directory, 4)
  assert run_log.read(directory) == [{'step': 2}, {'step': 4}]
  run_log.append(directory, {'step': 6})
  assert [row['step'] for row in run_log.read(directory)] == [2, 4, 6]
  assert [path.name for path in tmp_path.iterdir()] == [run_log.NAME]


def test_without_a_log_there_is_nothing_to_cut(tmp_path):
  run_log.cut(str(tmp_path), 4)
  assert not list(tmp_path.iterdir())
