"""Programs that fork while threads of theirs run, as servers do."""

from __future__ import annotations

FORKING = ("-W", "ignore:This process (pid=:DeprecationWarning")
"""Options with which Python does not warn of it: the warning would go to stderr."""
