"""Pre-training command: ``python -m fastscnn.pretrain`` (§4.3)."""

from __future__ import annotations

import argparse

from fastscnn.console import run_command
from fastscnn.training import run_setup
from fastscnn.training.pretraining import Accuracy, Pretraining
from fastscnn.training.recipe_options import add_recipe

EPILOG = """\
The paper gives no recipe for it and found that it hardly helps in the end (Table 6).

example:
  python -m fastscnn.pretrain --run runs/imagenet --data IMAGENET/train --val IMAGENET/val
  python -m fastscnn.train --run runs/a --start runs/imagenet/best.pth --data cityscapes:CITYSCAPES
"""
NOT_HERE = {
    *("skip_drop", "class_balance", "balance_c", "ohem", "loss_stride", "dropout"),
    *("repeat_rare", "augment"),
}


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    return run_setup.guard(args.run, lambda: _pretrain(parser, args))


def _parser() -> argparse.ArgumentParser:
    parser = run_setup.parser_of(
        "pretrain",
        data="DIR",
        description="Teach the network's first two modules to tell pictures apart, on ImageNet or"
        "\nany folder with one folder of pictures per class, for fastscnn.train to start\nfrom."
        " Give --epochs or --steps, and a --crop such as 224x224.",
        epilog=EPILOG,
    )
    parser.add_argument("--data", metavar="DIR", help="one folder of pictures per class")
    parser.add_argument("--val", metavar="DIR", help="the same, to judge by while learning")
    parser.add_argument(
        "--val-every", type=run_setup.positive, metavar="STEPS", help="default: 20 times in the run"
    )
    run_setup.add_run(parser)
    add_recipe(parser, without=NOT_HERE)
    return parser


def _pretrain(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    opened = run_setup.open_run(parser, args, Pretraining.kind)
    config = opened.config
    if opened.state is not None:
        task = run_setup.restored(opened, args, Pretraining.from_dict)
    else:
        data = args.data or config.get("data")
        if not data:
            parser.error("--data is needed: a folder with one folder of pictures per class")
        task = Pretraining(str(data))
    trainer = run_setup.trainer_of(task, args, opened)
    given = {"data": args.val, "every": args.val_every}
    val = run_setup.given_or_before(given, config.get("validation"))
    validation = None
    if val["data"] and opened.world.is_first:
        validation = Accuracy(task, str(val["data"]), trainer.recipe.crop, trainer.device)
    trees = [task.tree, *([validation.tree] if validation else [])]
    read = [path for tree in trees for path, _ in tree.images]
    more = {"data": task.data, "validation": val}
    run_setup.run(trainer, args, opened, more, validation, read)


if __name__ == "__main__":
    run_command(main)
