"""Who may use the lanes by themselves, as data: rule packs, read, decided by, explained, and tried.

Pure: nothing here reads a file, a clock or a database. `pack` tells how a pack decides, docs/rules.md how one
is written.
"""

from gated.core.rulings import Held, Ruling, Why
from gated.rules.builtin import of_settings
from gated.rules.deciding import Decision, decide
from gated.rules.errors import RulesError
from gated.rules.examples import Tried, tried
from gated.rules.knowledge import Facts
from gated.rules.pack import Pack
from gated.rules.reading import MAX_PACK, from_table, read
from gated.rules.vocabulary import CHECKS, REASONS

__all__ = [
    "CHECKS",
    "MAX_PACK",
    "REASONS",
    "Decision",
    "Facts",
    "Held",
    "Pack",
    "RulesError",
    "Ruling",
    "Tried",
    "Why",
    "decide",
    "from_table",
    "of_settings",
    "read",
    "tried",
]
