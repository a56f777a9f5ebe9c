"""Sets of values for the flags of a training that are not given by hand."""
from typing import List

from slim_common import flags
from slim_common import help_page

PRESETS = {
    # A new head on features that are good already: first the head alone, which
    # would otherwise spoil them with its large first gradients, then all
    # layers, at a rate that ends at 0. Crops keep half of an image or more, as
    # there are few images and what is in them shall stay.
    'finetune': {
        'optimizer': 'momentum',
        'learning_rate': 0.003,
        'learning_rate_decay_type': 'cosine',
        'warmup_epochs': 0.5,
        'head_epochs': 2.0,
        'num_epochs': 10.0,
        'crop_min_area': 0.5,
        'eval_every_epochs': 1.0,
        'save_interval_secs': 3600,
    },
}

# Flags that say the same in another unit: the one given by hand replaces the
# other in a preset.
ALTERNATIVES = {
    'num_epochs': 'max_number_of_steps', 'eval_every_epochs': 'eval_every'}


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
