"""What is proposed in place of a name that is not known."""
import pytest

from slim_common import suggest

_NETWORKS = ['inception_v1', 'inception_v3', 'resnet_v1_50', 'LeNet']


@pytest.mark.parametrize('name, count, names', [
    ('inception_v2', 2, ['inception_v3', 'inception_v1']),
    ('resnet_50', 1, ['resnet_v1_50']), ('lenet', 1, ['LeNet']),
    ('zebra', 3, []), ('', 1, []), (None, 1, [])])
def test_nearest(name, count, names):
  assert suggest.nearest(name, _NETWORKS, count) == names


def test_a_lower_cutoff_finds_more():
  assert suggest.nearest('res', _NETWORKS) == []
  assert suggest.nearest('res', _NETWORKS, cutoff=0.3) == ['resnet_v1_50']


@pytest.mark.parametrize('name, text', [
    ('inception_v2', '; did you mean --inception_v3 or --inception_v1?'),
    ('zebra', '.')])
def test_hint(name, text):
  assert suggest.hint(name, _NETWORKS, 2, prefix='--') == text
