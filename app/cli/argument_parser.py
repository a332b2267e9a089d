"""Argument parser of the program, and settings from what it parsed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace

from app import __version__
from app.cli.network_rules import check_network
from app.cli.output_rules import (
    alerts_from,
    check_names,
    objects_from,
    one_for_each,
    outputs_from,
    streams_from,
)
from app.cli.serve_rules import check_serve
from app.cli.source_rules import check_end, sources_from
from app.cli.view_rules import view_from
from app.config.arguments import ARGUMENTS, OutputArguments, SourceArguments, ViewArguments
from app.config.data_options import AlertOptions, ObjectOptions
from app.config.encoder_rules import encoder_choice
from app.config.settings import (
    NetworkOptions,
    RecordingOptions,
    RunOptions,
    ServeOptions,
    Settings,
    SourceOptions,
    WindowOptions,
)
from app.config.value_parsers import check_pattern
from app.errors import UsageError
from fastscnn.option_fields import add_options, read_options
from fastscnn.paths import expand_user
from fastscnn.suggestions import SuggestingParser

_DESCRIPTION = """\
Fast-SCNN Live shows what a small network sees in a street, live: in cameras, videos, or a demo.
With no source an empty window opens: drop a video on it."""

_ABOUT_GROUPS = {"view": "what is shown and recorded, in the window and without one"}

_COMMON = frozenset(
    {
        *("help", "version", "source", "camera", "demo", "start", "end", "loop", "grid"),
        *("input_size", "skip", "weights", "device", "view", "output", "save_labels"),
        *("overwrite", "record_dir", "headless", "serve", "stats_json", "data", "labels"),
    }
)
"""Arguments that ``--help`` shows; ``--help-all`` shows the others too."""

_EXAMPLES = """\

examples:
  fastscnn-live                                 an empty window
  fastscnn-live --camera 0                      the first camera
  fastscnn-live clip.mp4                        a video file; several, or a folder: a playlist
  fastscnn-live --camera 0 --camera 1           two cameras beside each other
  fastscnn-live --demo                          the built-in demo street
  fastscnn-live clip.mp4 --headless -o out.mp4  no window, annotated copy of every frame
  fastscnn-live clip.mp4 --left skip-on --right skip-off    a wipe between the two
  fastscnn-live clip.mp4 --weights gluoncv      with a public checkpoint, downloaded once"""

_EXIT_CODES = """\
exit codes: 0 done (a damaged file too, as far as it could be read: a notice says so),
1 unexpected error, 2 wrong use, 3 source, 4 weights, 5 output, 130 interrupted"""


class Prints(argparse.Action):
    """Prints what a function gives, and ends the program, as ``--version`` does.

    Args:
        text: that function; what it needs is best imported in it, since it may take long to load.
    """

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        text: Callable[[], str],
        help: str | None = None,
    ) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)
        self._text = text

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        print(self._text())
        parser.exit()


class _Help(argparse.Action):
    """Prints the help, of the common arguments alone unless its flag is ``--help-all``."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        everything = "--help-all" in self.option_strings
        for action in parser._actions:
            names = {action.dest, *(flag.lstrip("-") for flag in action.option_strings)}
            if not everything and not names & (_COMMON | {"help-all"}):
                action.help = argparse.SUPPRESS
        if not everything:
            parser.epilog = f"Further arguments: --help-all.\n\n{parser.epilog}"
        parser.print_help()
        parser.exit()


def _zoo_table() -> str:
    from app.cli.listings import zoo_table

    return zoo_table()


def _diagnostics() -> str:
    from app.diagnostics import diagnostics

    return diagnostics()


def _camera_table() -> str:
    from app.cli.listings import camera_table

    return camera_table()


class _Parser(SuggestingParser):
    """Parser whose ``--help`` shows the common arguments alone."""

    help_flag = "--help-all"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; its namespace holds only what was given."""
    parser = _Parser(
        prog="fastscnn-live",
        usage="%(prog)s [SOURCE ...] [ARGUMENTS]",
        description=_DESCRIPTION + "\n" + _EXAMPLES,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action=_Help, help="show the common arguments and exit")
    parser.add_argument("--help-all", action=_Help, help="show all arguments and exit")
    parser.add_argument("--version", action="version", version=f"Fast-SCNN Live {__version__}")
    parser.add_argument(
        "--info",
        metavar="FILE",
        type=expand_user,
        default=argparse.SUPPRESS,
        help="print how a recording, picture, file of labels or report was made and exit",
    )
    parser.add_argument(
        "--install-desktop",
        action="store_true",
        default=argparse.SUPPRESS,
        help="put the program among the applications of a Linux desktop and exit",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=expand_user,
        default=argparse.SUPPRESS,
        help="a run file, saved by the window or written by hand; what is given here wins",
    )
    for flag, text, help in (
        (
            "--diagnostics",
            _diagnostics,
            "print versions, devices, encoders and settings for a bug report and exit",
        ),
        ("--list-cameras", _camera_table, "show the cameras that there are and exit"),
        ("--list-weights", _zoo_table, "show the checkpoints known by name and exit"),
    ):
        parser.add_argument(flag, action=Prints, text=text, help=help)
    add_options(parser, *ARGUMENTS, about_groups=_ABOUT_GROUPS)
    return parser


def settings_from(args: argparse.Namespace) -> Settings:
    """Return settings from parsed arguments.

    Raises:
        AppError: the arguments do not go together.
    """
    network, run = read_options(NetworkOptions, args), read_options(RunOptions, args)
    serve = read_options(ServeOptions, args)
    source, named = read_options(SourceOptions, args), read_options(SourceArguments, args)
    source = replace(source, grid=source.grid or len(named.camera) > 1)
    sources = sources_from(named, source, headless=run.headless)
    outputs, recording = read_options(OutputArguments, args), read_options(RecordingOptions, args)
    objects = objects_from(read_options(ObjectOptions, args), network)
    alerts = alerts_from(read_options(AlertOptions, args), network, headless=run.headless)
    if source.grid:
        several = len(sources) > 1
        if several and run.virtual_camera:
            raise UsageError("--virtual-camera shows one source: leave it or --grid out.")
        outputs, recording = one_for_each(outputs, recording, several=several)
    view = view_from(read_options(ViewArguments, args), network)
    unlabelled = source.labels is None and any(spec.kind != "demo" for spec in sources)
    if run.headless and view.judges and unlabelled:
        raise UsageError("truth and errors are told by the true labels: add --labels DIR.")
    outputs, streams = streams_from(outputs)
    file, labels, images = outputs_from(outputs)
    recording = replace(recording, file=file, labels=labels, encoder=encoder_choice(outputs))
    check_pattern(recording.record_name)
    if run.headless and not (serve.serve or streams or run.virtual_camera):
        check_end(source)
    beside = recording.record_raw or recording.record_labels
    if run.headless and beside and recording.file is None and recording.record_dir is None:
        raise UsageError(
            "--record-raw and --record-labels lie beside a recording: add -o FILE or"
            " --record-dir DIR."
        )
    check_network(network)
    check_serve(serve)
    check_names("--blur", view.blurred, network)
    return Settings(
        sources=sources,
        source=source,
        network=network,
        view=view,
        recording=recording,
        images=images,
        streams=streams,
        data=outputs.data,
        objects=objects,
        alerts=alerts,
        window=read_options(WindowOptions, args),
        serve=serve,
        run=run,
        run_file=getattr(args, "config", None),
        # A folder for each is not to be replaced by the one that was saved.
        given=frozenset(vars(args)) | ({"record_dir", "record_name"} if recording.each else set()),
    )
