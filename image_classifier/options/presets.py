"""Sets of values for the flags of a training that are not given by hand."""
from typing import List

from slim_common import flags
from slim_common import help_page

PRESETS = {
    # A new head on features that are good already. It starts at zero: few
    # images never change most of its directions, and random weights in these
    # would add noise to the logits of all others. First the head alone, whose
    # first gradients would spoil the features, then all layers, at a rate that
    # ends at 0. Crops keep half of an image or more, as there are few images
    # and what is in them shall stay.
    'finetune': {
        'optimizer': 'momentum',
        'learning_rate': 0.003,
        'learning_rate_decay_type': 'cosine',
        'warmup_epochs': 0.5,
        'head_epochs': 2.0,
        'max_head_fraction': 0.2,
        'new_head': 'zeros',
        'num_epochs': 10.0,
        'crop_min_area': 0.5,
        'eval_every_epochs': 1.0,
        'save_interval_secs': 3600,
    },
}

# Flags that say the same in another unit: the one given by hand replaces the
# other in a preset.
ALTERNATIVES = {
    'num_epochs': 'max_number_of_steps', 'eval_every_epochs': 'eval_every',
    'max_head_fraction': 'head_epochs'}


def describe(config) -> List[str]:
  """Returns the line about the preset of an `options.Train`, if it has one."""
  name = config.warm_start.preset
  if not name:
    return []
  values, typed = flags.as_dict(config), flags.typed(config)
  taken = [help_page.setting(flag, value)
           for flag, value in PRESETS[name].items()
           if flag not in typed and values[flag] == value]
  return ['Preset %s: %s.' % (name, ' '.join(taken))]
