"""Following a directory, with a simulated clock."""
import pytest

from image_classifier import options
from image_classifier.evaluate import follow_checkpoints


class _World:
  """A clock that only `sleep` advances, and actions planned for its calls."""

  def __init__(self, monkeypatch, directory):
    self.now = 0.0
    self.slept = []
    self.plans = {}
    self._directory = directory
    monkeypatch.setattr('time.time', lambda: self.now)
    monkeypatch.setattr('time.sleep', self._sleep)

  def save(self, *steps):
    """Writes the directory's checkpoints: these steps and no others."""
    for step in steps:
      (self._directory / ('model.ckpt-%d.index' % step)).write_text('')
    lines = ['model_checkpoint_path: "model.ckpt-%d"' % steps[-1]] + [
        'all_model_checkpoint_paths: "model.ckpt-%d"' % step for step in steps]
    (self._directory / 'checkpoint').write_text('\n'.join(lines))

  def _sleep(self, seconds):
    self.slept.append(seconds)
    self.now += seconds
    self.plans.pop(len(self.slept), lambda: None)()


@pytest.fixture
def world(monkeypatch, tmp_path):
  return _World(monkeypatch, tmp_path)


def _follow(directory, said=None, **following):
  following = options.Following(**dict({'eval_interval_secs': 10}, **following))
  return [int(path.split('-')[-1]) for path in follow_checkpoints.follow(
      str(directory), following, (said if said is not None else []).append)]


def test_each_checkpoint_once_to_the_last_step(world, tmp_path):
  said = []
  world.save(1, 2)
  world.plans = {1: lambda: world.save(2, 3), 3: lambda: world.save(3, 4, 5)}
  assert _follow(tmp_path, said, max_number_of_steps=5) == [1, 2, 3, 4, 5]
  assert world.slept == [10, 10, 10]
  assert said == ['%s is the last of the training.' % (
      tmp_path / 'model.ckpt-5')]


def test_the_last_step_of_the_run_record(world, tmp_path):
  (tmp_path / 'run.json').write_text('{"last_step": 3}')
  world.save(2, 3)
  assert _follow(tmp_path) == [2, 3]
  assert not world.slept


def test_a_training_that_stops_early(world, tmp_path):
  said = []
  (tmp_path / 'run.json').write_text(
      '{"last_step": 9, "flags": {"early_stopping_patience": 2}}')
  (tmp_path / 'best').mkdir()
  (tmp_path / 'best' / 'best.json').write_text(
      '{"step": 1, "metric": "Loss", "value": 1, "split": "test", "metrics": '
      '{"Loss": 1}}')

  def log(*steps):
    (tmp_path / 'train_log.jsonl').write_text(''.join(
        '{"step": %d, "split": "test", "evaluation": {"Loss": 1}}\n' % step
        for step in steps))

  world.save(1, 2, 3)
  log(1, 2)
  # The training evaluates the last step after it has saved it.
  world.plans = {2: lambda: log(1, 2, 3)}
  assert _follow(tmp_path, said) == [1, 2, 3]
  assert world.slept == [10, 10]
  assert said == ['The training in %s has stopped early.' % tmp_path]


def test_checkpoints_that_are_gone_are_skipped(world, tmp_path):
  world.save(1, 2)
  (tmp_path / 'model.ckpt-1.index').unlink()
  assert _follow(tmp_path, max_number_of_steps=2) == [2]


def test_the_timeout_counts_from_the_last_checkpoint(world, tmp_path):
  said = []
  world.plans = {2: lambda: world.save(1)}
  assert _follow(tmp_path, said, eval_timeout_secs=25) == [1]
  assert world.now == 20 + 25
  assert said == ['Waiting for the first checkpoint in %s.' % tmp_path,
                  'No new checkpoint in %s for 25 seconds.' % tmp_path]


def test_a_directory_that_does_not_exist_yet(world, tmp_path):
  assert _follow(tmp_path / 'later', eval_timeout_secs=5) == []
  assert world.now == 5


def test_a_checkpoint_cannot_be_followed(world, tmp_path):
  world.save(1)
  with pytest.raises(ValueError, match='--eval_interval_secs follows a '
                     'directory; --checkpoint_path=.* is one checkpoint'):
    _follow(tmp_path / 'model.ckpt-1')
