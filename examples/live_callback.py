"""Call a function with every result while a camera, a stream or a file runs."""

import sys

from app.config.settings import Settings, SourceOptions
from app.core.frame import Result
from app.pipeline.pipeline import Pipeline
from app.sinks.callback_sink import CallbackSink
from app.sources.source_spec import parse_source
from fastscnn.labels import CLASS_NAMES

PERSON = CLASS_NAMES.index("person")


def on_result(result: Result) -> None:
    """Report frames with people in them; runs on a thread of its own."""
    share = (result.labels == PERSON).mean()
    print(f"frame {result.frame.index}: {share:.2%} person")


if __name__ == "__main__":
    source, frames = [*sys.argv[1:], "demo", "5"][:2]
    settings = Settings(source=SourceOptions(max_frames=int(frames)))
    pipeline = Pipeline(settings, display=False)
    pipeline.start()
    pipeline.sinks.add(CallbackSink(on_result, pipeline.events))
    pipeline.open(parse_source(source))
    try:
        for event in iter(pipeline.events.get, None):
            if event.text:
                print(event.text, file=sys.stderr)
            if event.kind in {"ended", "error"}:
                break
    finally:
        pipeline.stop()
