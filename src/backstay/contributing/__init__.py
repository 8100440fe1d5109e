"""Contributing: the assignment of issues, and the signatures of contributors.

The engine is a pure function, `decide(event, snapshot, config, now)`. It returns commands and does
nothing itself. `backstay.contributing.github` reads the snapshot from GitHub and performs them.
"""

from backstay.contributing.configuration import Config, ConfigurationProblem, read_configuration
from backstay.contributing.decide import decide

__all__ = ['Config', 'ConfigurationProblem', 'decide', 'read_configuration']
