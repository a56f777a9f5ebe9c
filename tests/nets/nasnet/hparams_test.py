"""Tests of the settings."""
import copy

import pytest

from nets.nasnet import hparams


def _settings(**values):
  return hparams.HParams(num_cells=3, num_conv_filters=8, stem_multiplier=1.0,
                         total_training_steps=10, **values)


def test_values_are_attributes_a_dict_and_settable():
  settings = _settings(use_aux_head=0)
  assert settings.num_cells == 3
  assert settings.values()['use_aux_head'] == 0
  settings.set_hparam('data_format', 'NCHW')
  settings.num_cells = 4
  assert settings.data_format == 'NCHW'
  assert settings.values()['num_cells'] == 4
  assert 'num_cells' in settings and 'depth' not in settings
  assert settings.get('num_cells') == 4
  assert settings.get('depth', 7) == 7


def test_override_from_dict_returns_the_object():
  settings = _settings()
  changed = settings.override_from_dict(
      {'drop_path_keep_prob': 1, 'use_bounded_activation': True})
  assert changed is settings
  assert settings.drop_path_keep_prob == 1
  assert settings.use_bounded_activation is True


def test_a_copy_is_independent():
  settings = _settings()
  other = copy.deepcopy(settings)
  other.num_cells = 9
  assert settings.num_cells == 3


@pytest.mark.parametrize('change', [
    lambda settings: settings.set_hparam('num_cell', 4),
    lambda settings: setattr(settings, 'num_cell', 4),
    lambda settings: settings.override_from_dict({'num_cell': 4})])
def test_unknown_name_offers_the_nearest(change):
  with pytest.raises(ValueError) as error:
    change(_settings())
  assert 'Unknown hyperparameter num_cell; did you mean num_cells?' in str(
      error.value)
  assert 'filter_scaling_rate' in str(error.value)


@pytest.mark.parametrize('name, value, message', [
    ('num_cells', 2.5, 'num_cells must be an integer, not 2.5'),
    ('drop_path_keep_prob', 'x', 'drop_path_keep_prob must be a number'),
    ('data_format', 1, 'data_format must be a string, not 1'),
    ('use_bounded_activation', 2, 'must be True or False, not 2')])
def test_value_of_another_type_is_refused(name, value, message):
  with pytest.raises(ValueError, match=message):
    _settings().set_hparam(name, value)
