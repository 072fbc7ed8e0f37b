"""What comes up about the document: as it lies, in its chip, on the lists."""

from gated.core.vocabulary import Advice, Outcome
from hw_sim.camera.glass import Lying
from hw_sim.passport.chip import Behaviour
from hw_sim.scenarios.people import WANTED
from hw_sim.scenarios.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="wanted",
        title="The holder is on the list of wanted persons; officers are alerted in silence.",
        expected=Outcome.REFERRED,
        reasons=("watchlist_hit",),
        holder=WANTED,
    ),
    Scenario(
        name="tampered-dg1",
        title="The date of birth in the chip was changed after it was signed.",
        expected=Outcome.REFERRED,
        reasons=("dg1_hash_wrong",),
        document="tampered_dg1",
        holder="sofia",
    ),
    Scenario(
        name="unknown-csca",
        title="The passport is signed by a state whose certificate nobody has.",
        expected=Outcome.REFERRED,
        reasons=("csca_unknown",),
        document="unknown_csca",
        holder="kurt",
    ),
    Scenario(
        name="copied-chip",
        title="Everything on the chip is genuine, but it is a copy of it on another chip.",
        expected=Outcome.REFERRED,
        reasons=("chip_authentication_keys_differ",),
        document="copied_chip",
        holder="ada",
    ),
    Scenario(
        name="dead-chip",
        title="The chip does not answer.",
        expected=Outcome.REFERRED,
        reasons=("card_mute",),
        behaviour=Behaviour(mute=True),
        holder="emmy",
    ),
    Scenario(
        name="mrz-chip-mismatch",
        title="The printed page belongs to another document than the chip.",
        expected=Outcome.REFERRED,
        reasons=("document_number_differs",),
        document="other_page",
        holder="blaise",
    ),
    Scenario(
        name="page-camera",
        title="A gate without a scanner reads the page by camera, whichever way it lies.",
        expected=Outcome.ADMITTED,
        holder="sofia",
        scanner=False,
        page_camera=True,
        lies=(Lying(turned=97, right_mm=8),),
    ),
    Scenario(
        name="placed-wrongly",
        title="The passport lies over the edge, then cover up: the traveller is told what to do.",
        expected=Outcome.ADMITTED,
        scanner=False,
        page_camera=True,
        lies=(Lying(right_mm=75), Lying(side="cover", turned=170), Lying(turned=184)),
        advices=(Advice.PUSH_INTO_CORNER, Advice.OPEN_AT_PHOTO_PAGE),
    ),
)
