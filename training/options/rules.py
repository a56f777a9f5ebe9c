"""How an option is declared, and the reasons why some do not work yet."""
import dataclasses


def flag(default, text, **rules):
  """Returns a dataclass field that flags.py makes a flag of."""
  return dataclasses.field(default=default, metadata=dict(rules, help=text))
