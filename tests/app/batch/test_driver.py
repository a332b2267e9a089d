"""The driver at scale: sleeping units, with a manifest and a driver as they are."""

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


def test_the_simulation_says_what_a_unit_costs(capsys):
    assert main(["--units", "30", "--workers", "5", "--seconds", "0.01", "--nodes", "5"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("30 units: ")
    assert "ms of a processor a unit" in said
