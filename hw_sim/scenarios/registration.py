"""Who registers in the passage itself, who does not want to, and who comes with a new passport."""

from gated.core.gate import State
from gated.core.vocabulary import Outcome
from hw_sim.scenarios.scenario import Scenario, Twist

ADAS_NUMBER, EMMYS_NUMBER = "7408122345678", "8203231345678"  # invented

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="first-registration",
        title="A national comes for the first time, with the passport alone: she agrees, and is registered.",
        expected=Outcome.ADMITTED,
        holder="ada",
        personal=ADAS_NUMBER,
        consents=True,
        visits=(State.CONSENT, State.EXIT_OPEN),
        twist=Twist.REGISTERS,
    ),
    Scenario(
        name="consent-declined",
        title="A national does not agree to be registered: the counter serves him.",
        expected=Outcome.REFERRED,
        reasons=("consent_declined",),
        holder="blaise",
        consents=False,
        visits=(State.CONSENT, State.REJECT_OUT),
    ),
    Scenario(
        name="new-passport",
        title="A national who registered years ago comes with a new passport: nobody asks her again.",
        expected=Outcome.ADMITTED,
        holder="emmy",
        personal=EMMYS_NUMBER,
        consents=True,
        renewed_from="R1234567",
        twist=Twist.COMES_WITH_A_NEW_PASSPORT,
    ),
)
