"""Training command: ``python -m fastscnn.train``."""

from __future__ import annotations

import argparse
from dataclasses import replace

from fastscnn.console import run_command
from fastscnn.data.class_sets import CITYSCAPES_SET
from fastscnn.data.dataset_spec import tables_of
from fastscnn.data.pair_dataset import files_of
from fastscnn.paths import expand_user
from fastscnn.training import run_setup
from fastscnn.training.recipe_options import add_recipe
from fastscnn.training.task import Segmentation
from fastscnn.training.validation import Validation

EPILOG = """\
data, several mixed by weight:
  folder:PATH        a folder with images/ and labels/ (PNGs of train ids or the values that
                     --classes gives, 255 ignored), or groups/ with a table of sets
  cityscapes:PATH    Cityscapes in its official layout; labels=fine, coarse or fine+coarse
  street             the demo street, endless and exactly labelled
Options follow a question mark and are separated by &; quote them for the shell:
  weight=N           how often samples come from it, relative to the others
  loss=N             what its pixels count in the loss (1): less where labels are less sure
  sets=TABLE         what the labels' values stand for: camvid, idd_lite or a JSON file
  worlds=N           of the demo street: how many different ones (24), 90 MB each
  drives=A,B without=A,B fold=K/N fold=!K/N
                     which drives; a drive is the file's name up to the first _

the run's folder:
  last.pth best.pth  the network, averaged where --ema says so; best by the first figure of --val
  state.pth          everything --resume needs
  config.json        everything --config needs
  log.csv curve.png tensorboard/

examples:
  python -m fastscnn.train --run runs/a --data cityscapes:CITYSCAPES --val cityscapes:CITYSCAPES
  python -m fastscnn.train --run runs/b --preset cpu --data street --steps 500 --val street
  python -m fastscnn.train --run runs/d --preset gpu --minutes 20 --data folder:FRAMES
  python -m fastscnn.train --run runs/e --classes classes.json --data folder:CRACKS
  torchrun --nproc-per-node 4 -m fastscnn.train --run-dir runs/c --data cityscapes:CITYSCAPES
"""


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    return run_setup.guard(args.run, lambda: _train(parser, args))


def _parser() -> argparse.ArgumentParser:
    parser = run_setup.parser_of(
        "train",
        data="SPEC",
        description="Train Fast-SCNN. The recipe is the paper's unless options say otherwise; in"
        "\nbrackets stand each option's values in the presets (those of cpu and gpu where they"
        "\ndiffer), and where the paper gives it. What the paper does not know is off.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "--data", action="append", metavar="SPEC", help="what to learn from, see below"
    )
    parser.add_argument(
        "--classes",
        metavar="FILE",
        help="a JSON of the classes to learn in place of the 19 of Cityscapes: their names, colours"
        " and values in label files, see docs/training.md",
    )
    group = parser.add_argument_group("validation")
    group.add_argument(
        "--val",
        action="append",
        metavar="SPEC",
        help="what to judge by while learning, as fastscnn.evaluate takes it; of several the mean"
        " of their mean IoUs decides which checkpoint is best",
    )
    group.add_argument(
        "--merge", metavar="TABLE|A+B=C,…", help="classes to judge as one, as in fastscnn.evaluate"
    )
    group.add_argument(
        "--val-every", type=run_setup.positive, metavar="STEPS", help="default: 20 times in the run"
    )
    group.add_argument("--val-size", metavar="SIZE", help="input size for it (default: half)")
    group.add_argument(
        "--val-limit",
        type=run_setup.positive,
        metavar="N",
        help="judge only N frames, evenly spread",
    )
    run_setup.add_run(parser)
    add_recipe(parser)
    return parser


def _train(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    opened = run_setup.open_run(parser, args, Segmentation.kind)
    config, start = opened.config, opened.start
    if opened.state is not None:
        task = run_setup.restored(opened, args, Segmentation.from_dict)
    else:
        data = args.data or config.get("data")
        if not data:
            parser.error("--data is needed: what to learn from, for example --data street")
        classes = run_setup.classes_of(parser, args.classes, config)
        task = Segmentation([str(spec) for spec in data], classes=classes)
        if start:
            if start.classes != classes.names:
                opened = replace(opened, start=start.without_classes())
            task.config = replace(start.config, num_classes=len(classes))
            task.normalisation = start.normalisation
    trainer = run_setup.trainer_of(task, args, opened)
    given = {
        "data": args.val,
        "merge": args.merge,
        "every": args.val_every,
        "size": args.val_size,
        "limit": args.val_limit,
    }
    val = run_setup.given_or_before(given, config.get("validation"))
    validation = None
    if val["data"] and opened.world.is_first:
        try:
            validation = Validation(
                task,
                val["data"],
                merge=val["merge"],
                input_size=val["size"] or "half",
                limit=val["limit"],
                device=str(trainer.device),
            )
        except ValueError as error:
            parser.error(str(error))
    more = {"data": task.data, "shares": task.shares, "validation": val}
    more |= {"classes": task.classes.to_dict()} if task.classes != CITYSCAPES_SET else {}
    read = files_of([*task.mix.datasets, *(validation.frames if validation else ())])
    read += tables_of([*task.data, *(val["data"] or ())])
    read += [expand_user(path) for path in (val["merge"], args.classes) if path]
    run_setup.run(trainer, args, opened, more, validation, read)


if __name__ == "__main__":
    run_command(main)
