"""What a twist does, and when: the form that each has in the table of `hw_sim.twists`.

A course `comes` with the traveller, or `happens` as soon as the journal shows the state `cut_in` of its
scenario; `mended` puts it right, as a technician or the service manager would: when the traveller has gone,
or, where they could not go before, as soon as the gate has told of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gated.store.journal import Entry
from hw_sim.site import Site


@dataclass(frozen=True)
class Course:
    """What a twist does, each part at its time; `comes` is told the seed of the rehearsal.

    `judged` names what went wrong, from what the gate wrote down and what the simulated world saw.
    """

    comes: Callable[[Site, int], None] | None = None
    happens: Callable[[Site], None] | None = None
    mended: Callable[[Site], None] | None = None
    mended_when_told: bool = False
    judged: Callable[[Site, Sequence[Entry]], Iterator[str]] | None = None
