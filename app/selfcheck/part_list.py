"""Parts of the self-check, in their order: what matters most comes first."""

from app.selfcheck import results, schedules, times, whole_program
from app.selfcheck.findings import Part

PARTS = (
    Part("labels", results.labels, 60),
    Part("probability, confidence, entropy", results.measures, 20),
    Part("fast paths against plain ones", results.fast_paths, 30),
    Part("ways to run the network", results.ways, 40, needs_card=True),
    Part("CUDA graphs", schedules.graphs, 20, needs_card=True),
    Part("threads that share a network", schedules.threads, 30),
    Part("engine", schedules.engine, 40),
    Part("network, by stage", times.network, 40),
    Part("whole program, by stage", times.program, 30),
    Part("memory over many runs", whole_program.memory, 70),
    Part("live switching", whole_program.live_switching, 45),
    Part("decoding on the card", whole_program.decoding, 20, needs_card=True),
    Part("encoders", whole_program.encoding, 20),
    Part("no C compiler", whole_program.no_compiler, 40, needs_card=True),
    Part("memory that runs out", schedules.memory_runs_out, 40, needs_card=True, alone=True),
    Part("a recording that fails", schedules.broken_recording, 30, needs_card=True, alone=True),
)
