"""`max_wait:STEP`: spot capacity is taken away, and does not come back for as long as may be."""

from __future__ import annotations

from typing import Final

from pipelines.backends.local.simulations.kinds.interruption import SIMULATION as INTERRUPTION
from pipelines.backends.local.simulations.simulation import Simulation

MAX_WAIT: Final = "max_wait"

SIMULATION = Simulation(
    argument=INTERRUPTION.argument, noun=INTERRUPTION.noun, cases=INTERRUPTION.cases
)
