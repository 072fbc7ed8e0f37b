"""Anna Maria Eriksson, whom the specimen documents of Doc 9303 are made out to, as an issuer knows her."""

from datetime import date
from typing import Final

from hw_sim.passport.issuer import Person

ANNA: Final = Person(
    surname="Eriksson",
    given_names="Anna Maria",
    number="L898902C3",
    birth=date(1974, 8, 12),
    expiry=date(2032, 4, 15),
    sex="F",
)
