"""Names of variables in checkpoints of others."""
import pytest

from image_classifier.checkpoints import foreign_names
from nets import nets_factory

_AVERAGE = '/ExponentialMovingAverage'


@pytest.mark.parametrize('scope, there, found', [
    (None, ['net/a/w'], 'net/a/w'), (None, ['x/net/a/w'], None),
    ('x', ['x/net/a/w', 'net/a/w'], 'x/net/a/w'), ('x/', ['x/a/w'], 'x/a/w'),
    (None, ['net/a/w' + _AVERAGE], 'net/a/w' + _AVERAGE),
    ('x', ['x/a/w' + _AVERAGE], 'x/a/w' + _AVERAGE), ('y', ['x/a/w'], None)])
def test_find(scope, there, found):
  assert foreign_names.find('net/a/w', there, scope) == found


@pytest.mark.parametrize('name, expected', [
    ('a/moving_mean', True), ('a/moving_variance' + _AVERAGE, True),
    ('a/gamma' + _AVERAGE, False), ('moving_mean/w', False)])
def test_statistics(name, expected):
  assert foreign_names.is_statistic(name) is expected


@pytest.mark.parametrize('theirs, message', [
    (['InceptionV1/a/w'], 'It holds the scope InceptionV1, a network such as '
     '--model_name=inception_v1; this one is net.'),
    (['vgg_16/conv1/w'], 'It holds the scope vgg_16, a network such as '
     '--model_name=vgg_16; this one is net.'),
    (['other/x'], None), ([], None)])
def test_the_network_is_guessed(theirs, message):
  assert foreign_names.explain(
      ['net/a/w', 'net/b/w'], dict.fromkeys(theirs)) == message


def test_the_networks_guessed_exist():
  names = foreign_names._NETWORKS.values()  # pylint: disable=protected-access
  assert set(names) <= set(nets_factory.networks_map)
