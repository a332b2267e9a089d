"""View state: what is shown, what must be computed for it, and how it is said in words."""

import pytest

from app.cli.argument_parser import build_parser, settings_from
from app.cli.launcher import main
from app.errors import UsageError
from app.rendering.view_options import (
    PAIRS,
    VIEWS,
    InferencePass,
    Side,
    ViewOptions,
    parse_side,
)
from fastscnn.labels import CLASS_NAMES

SKIPS = ViewOptions(view="wipe", left=Side(skip=True), right=Side(skip=False))


def test_a_single_view_runs_the_network_once_by_the_switch():
    assert ViewOptions().runs(True) == (InferencePass(True),)
    assert ViewOptions(view="labels").runs(False) == (InferencePass(False),)
    assert ViewOptions(view="raw").runs(False) == (InferencePass(False),)
    assert ViewOptions(view="confidence").runs(True) == (
        InferencePass(True, measure="probability"),
    )


def test_two_sides_of_one_run_need_it_once_with_all_that_either_shows():
    options = ViewOptions(view="wipe", left=Side("overlay"), right=Side("confidence"))
    assert options.runs(True) == (InferencePass(True, measure="probability"),)
    assert ViewOptions(view="side").runs(True) == (InferencePass(True),)


def test_skip_on_and_off_are_two_runs_whatever_the_switch_says():
    assert SKIPS.runs(True) == SKIPS.runs(False) == (InferencePass(True), InferencePass(False))


def test_a_second_checkpoint_runs_only_where_there_is_one():
    left, right = PAIRS["checkpoint A | checkpoint B"]
    options = ViewOptions().comparing(left, right)
    assert options.view == "wipe"
    assert options.compares_weights
    assert options.runs(True, second=True) == (InferencePass(True), InferencePass(True, "b"))
    assert options.runs(True) == (InferencePass(True),)


@pytest.mark.parametrize(("judged", "left_out"), [(True, set()), (False, {"truth", "errors"})])
def test_the_next_view_comes_round_to_the_first(judged, left_out):
    options, seen = ViewOptions(), []
    for _ in range(len(VIEWS) - len(left_out)):
        seen.append(options.view)
        options = options.next(judged=judged)
    assert seen == [view for view in VIEWS if view not in left_out]
    assert options.view == VIEWS[0]


@pytest.mark.parametrize("view", ["truth", "errors"])
def test_who_sees_a_view_that_needs_labels_comes_out_of_it_without_any(view):
    assert ViewOptions(view=view).next().view not in {"truth", "errors"}


def test_sides_say_in_what_they_differ():
    def captions(left, right, skip=True, **more):
        options = ViewOptions(view="wipe", left=parse_side(left), right=parse_side(right), **more)
        return options.captions(skip, ("mine", "gluoncv"))

    assert captions("raw", "overlay") == ("raw", "overlay")
    assert captions("raw", "overlay", skip=False) == ("raw", "overlay · skip off")
    assert captions("skip-on", "skip-off") == ("skip on", "skip off")
    assert captions("labels+skip-on", "labels+skip-off") == (
        "labels · skip on", "labels · skip off",
    )  # fmt: skip
    assert captions("weights-a", "weights-b") == ("mine", "gluoncv")
    assert captions("overlay", "confidence", measure="entropy") == ("overlay", "entropy")
    assert captions("overlay", "overlay") == ("overlay", "overlay")


def test_a_sweeping_divider_goes_there_and_back_and_stays_inside():
    options = ViewOptions(view="wipe", sweep=4.0)
    path = [options.split_at(t / 10) for t in range(81)]
    assert path[0] == pytest.approx(path[40]) == pytest.approx(path[80])
    assert path[20] == max(path)
    assert path[0] == min(path)
    assert all(0 < x < 1 for x in path)
    assert ViewOptions(split=0.3).split_at(7.0) == 0.3


def test_moving_the_divider_needs_no_new_drawing():
    assert SKIPS.draws_as(ViewOptions(view="wipe", left=SKIPS.left, right=SKIPS.right, split=0.1))
    assert not SKIPS.draws_as(ViewOptions())


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("raw", Side("raw")),
        ("skip-off", Side("overlay", False)),
        ("Labels+skip-on", Side("labels", True)),
        ("confidence+weights-b+skip-off", Side("confidence", False, "b")),
        ("weights-a", Side()),
    ],
)
def test_sides_are_read_from_words(text, side):
    assert parse_side(text) == side


@pytest.mark.parametrize("text", ["", "sky", "skip", "raw+labels", "skip-on+skip-off", "raw+"])
def test_other_words_are_refused(text):
    with pytest.raises(ValueError, match=r"nothing to show|two things at once"):
        parse_side(text)


def test_classes_are_read_by_name_and_by_group():
    assert view_of("--hide", "sky, Traffic-Light").hidden == {10, 6}
    assert view_of("--hide", "nature").hidden == {8, 9}
    with pytest.raises(UsageError, match="--only: 'cow' is no class"):
        view_of("--only", "sky,cow")


def test_classes_of_other_weights_are_known_when_these_are():
    own = ("crack", "sky", "car", "tool")
    view = view_of("--weights", "own.pth", "--hide", "Crack,vehicle")
    assert view.numbered_as(own).hidden == {0, 2}
    assert view.numbered_as(CLASS_NAMES).hidden == set(range(13, 19))
    only = view_of("--weights", "own.pth", "--only", "tool")
    assert only.numbered_as(own).hidden == {0, 1, 2}
    assert only.named.unknown(own) == ""
    assert "--only: 'tool' is no class: use road" in only.named.unknown(CLASS_NAMES)


def view_of(*arguments):
    return settings_from(build_parser().parse_args(arguments)).view


def test_the_command_line_names_the_view():
    assert view_of() == ViewOptions()
    assert view_of("--view", "labels").view == "labels"
    assert view_of("--view", "side") == ViewOptions(view="side")
    wipe = view_of("--view", "wipe", "--left", "skip-on", "--right", "skip-off", "--split", ".25")
    assert (wipe.left, wipe.right, wipe.split) == (Side(skip=True), Side(skip=False), 0.25)
    assert view_of("--hide", "sky", "--contours").hidden == {10}
    assert view_of("--only", "flat").hidden == set(range(2, 19))


def test_what_is_left_out_on_the_command_line_is_what_one_means():
    assert view_of("--left", "skip-on", "--right", "skip-off").view == "wipe"
    assert view_of("--split", "sweep").sweep > 0
    both = view_of("--weights-b", "gluoncv")
    assert (both.view, both.left.weights, both.right.weights) == ("wipe", "a", "b")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--view", "overlay", "--left", "raw"],
        ["--view", "labels", "--split", "0.5"],
        ["--view", "side", "--split", "0.5"],
        ["--left", "weights-b"],
        ["--view", "overlay", "--weights-b", "gluoncv"],
        ["--left", "raw", "--weights-b", "gluoncv"],
    ],
)
def test_views_that_do_not_go_together_are_refused_in_a_sentence(arguments):
    with pytest.raises(UsageError, match=r"\.$"):
        view_of(*arguments)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--view", "oven"], "oven"),
        (["--left", "oven"], "nothing to show"),
        (["--split", "2"], "0 to 1"),
        (["--hide", "sky", "--only", "road"], "not allowed"),
    ],
)
def test_wrong_words_end_with_code_2(arguments, word, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert word in capsys.readouterr().err
