"""What fails around the gate while a traveller is on the way."""

from gated.core.vocabulary import OfficerWord, Outcome
from hw_sim.scenarios.scenario import Scenario, Twist

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="central-offline",
        title="The central server has disappeared; the gate goes on with its own list.",
        expected=Outcome.ADMITTED,
        holder="emmy",
        twist=Twist.CENTRAL_GONE,
    ),
    Scenario(
        name="power-cut",
        title="The gate's computer dies while the traveller is inside.",
        expected=Outcome.ABORTED,
        reasons=("interrupted",),
        holder="blaise",
        twist=Twist.POWER_CUT,
    ),
    Scenario(
        name="camera-freezes",
        title="The gate's only camera freezes while the traveller is inside.",
        expected=Outcome.REFERRED,
        reasons=("vision_frozen", "officer_escorts"),
        holder="kurt",
        officer=OfficerWord.ESCORT,
        twist=Twist.CAMERA_FREEZES,
    ),
    Scenario(
        name="camera-dies",
        title="One of two cameras dies while the traveller is inside; the other one goes on.",
        expected=Outcome.ADMITTED,
        holder="emmy",
        low_camera=True,
        twist=Twist.CAMERA_DIES,
    ),
    Scenario(
        name="vision-hangs",
        title="The vision process hangs; the gate notices within a second and calls an officer.",
        expected=Outcome.REFERRED,
        reasons=("vision_vision_silent", "officer_escorts"),
        holder="blaise",
        officer=OfficerWord.ESCORT,
        twist=Twist.VISION_HANGS,
    ),
)
