"""The driver at scale: sleeping units, with a manifest and a driver as they are."""

import signal

import pytest

from app.batch.manifest import Manifest
from app.batch.workers.simulated_crew import SimulatedCrew, main, simulate


def test_every_unit_ends_once_however_many_fail_and_die(tmp_path):
    crew = SimulatedCrew(20, nodes=10, dying=0.1, failing=0.05, seconds=0.02)
    states, _, _, lost = simulate(tmp_path, 400, crew)
    assert sum(states.values()) == 400
    assert set(states) <= {"done", "failed"}
    assert states["failed"] > 0
    assert lost > 0
    assert set(crew.finished.values()) == {1}
    assert len(crew.finished) == 400


@pytest.mark.parametrize("step", ["begun", "ended"])
@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_in_the_middle_of_a_step_tears_none(tmp_path, monkeypatch, step, ends):
    taken = getattr(Manifest, step)
    steps = []

    def interrupted(self, *arguments):
        steps.append(arguments)
        if len(steps) == 3:
            signal.raise_signal(ends)
        taken(self, *arguments)

    monkeypatch.setattr(Manifest, step, interrupted)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        crew = SimulatedCrew(4, nodes=1, dying=0, failing=0, seconds=0.02)
        states, *_ = simulate(tmp_path, 40, crew)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert set(states) == {"done", "waiting"}
    assert states["done"] == sum(crew.finished.values()) < 20


def test_the_simulation_says_what_a_unit_costs(capsys):
    assert main(["--units", "30", "--workers", "5", "--seconds", "0.01", "--nodes", "5"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("30 units: ")
    assert "ms of a processor a unit" in said
