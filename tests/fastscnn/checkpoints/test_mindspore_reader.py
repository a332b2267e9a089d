"""Checkpoints of MindSpore, written by another implementation of protobuf."""

import numpy as np
import pytest
import torch
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from fastscnn.checkpoints.checkpoint import CheckpointError, load, save
from fastscnn.checkpoints.mindspore_reader import read
from tests.support.reference_models import MindSporeLike, randomise

FIELD = descriptor_pb2.FieldDescriptorProto


def _message(file, name, *fields):
    message = file.message_type.add(name=name)
    for number, (field, label, kind, type_name) in enumerate(fields, 1):
        message.field.add(name=field, number=number, label=label, type=kind, type_name=type_name)


def _checkpoint():
    one, many = FIELD.LABEL_OPTIONAL, FIELD.LABEL_REPEATED
    file = descriptor_pb2.FileDescriptorProto(name="c.proto", package="c", syntax="proto2")
    _message(
        file,
        "Tensor",
        ("dims", many, FIELD.TYPE_INT64, None),
        ("kind", one, FIELD.TYPE_STRING, None),
        ("content", one, FIELD.TYPE_BYTES, None),
    )
    tensor = ("tensor", one, FIELD.TYPE_MESSAGE, ".c.Tensor")
    _message(file, "Value", ("tag", one, FIELD.TYPE_STRING, None), tensor)
    _message(file, "Checkpoint", ("value", many, FIELD.TYPE_MESSAGE, ".c.Value"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("c.Checkpoint"))()


def _add(message, name, array, content=None):
    value = message.value.add(tag=name)
    value.tensor.dims.extend(array.shape)
    value.tensor.kind = {"f": "Float", "i": "Int"}[array.dtype.kind] + str(8 * array.itemsize)
    value.tensor.content = array.tobytes() if content is None else content


def _written(path, state, end=b""):
    message = _checkpoint()
    for name, array in state.items():
        _add(message, name, array)
    path.write_bytes(message.SerializeToString() + end)
    return path


@pytest.fixture(scope="module")
def original():
    torch.manual_seed(4)
    return randomise(MindSporeLike())


@pytest.mark.parametrize("prefix", ["", "network."])
def test_weights_agree_with_a_literal_implementation(original, prefix, tmp_path):
    state = {f"{prefix}{name}": array for name, array in original.mindspore_state().items()}
    state |= {"learning_rate": np.zeros(3, np.float32), "global_step": np.ones(1, np.int32)}
    end = b"crc_num" + (12345).to_bytes(10, "big")
    checkpoint = load(_written(tmp_path / "fastscnn.ckpt", state, end))
    assert checkpoint.origin == "MindSpore"
    x = torch.randn(1, 3, 768, 768)
    with torch.inference_mode():
        ours, theirs = checkpoint.model(x)[0], original(x)[0]
    assert (ours - theirs).abs().max() <= 1e-3 * theirs.std()
    save(checkpoint, tmp_path / "own.pth")
    assert load(tmp_path / "own.pth").origin == "MindSpore"


def test_a_tensor_in_several_parts_and_in_half_precision_is_whole(tmp_path):
    message, array = _checkpoint(), np.arange(24, dtype=np.float16).reshape(2, 3, 4)
    data = array.tobytes()
    for part in (data[:10], data[10:11], data[11:]):
        _add(message, "a.b.gamma", array, part)
    (tmp_path / "a.ckpt").write_bytes(message.SerializeToString())
    found = read(tmp_path / "a.ckpt")
    assert list(found) == ["a/b/weight"]
    assert torch.equal(found["a/b/weight"], torch.from_numpy(array))


@pytest.mark.parametrize("keep", [1, 2, 40, 5_000, -1])
def test_a_file_that_ends_early_is_refused(original, keep, tmp_path):
    path = _written(tmp_path / "whole.ckpt", original.mindspore_state())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"damaged or of another kind|no Fast-SCNN|missing"):
        load(path)


@pytest.mark.parametrize(
    "data",
    [
        b"\n" + b"\xff" * 11,
        b"\n\x02\x12\x00",
        b"\n\x02\n\x00",
        b"\n\x03\n\x01a",
        b"\x0a\x05\x09aaaa",
        b"\n\xff\xff\xff\xff\x7f",
        b"\n",
    ],
)
def test_what_is_no_such_message_is_refused(data, tmp_path):
    (tmp_path / "x.ckpt").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"x\.ckpt"):
        load(tmp_path / "x.ckpt")


def test_more_tensors_than_a_network_has_are_not_collected(tmp_path):
    values = b"".join(b"\n\x09\n\x05%05d\x12\x00" % number for number in range(10_010))
    (tmp_path / "x.ckpt").write_bytes(values)
    with pytest.raises(ValueError, match="more tensors than any network has"):
        read(tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match="damaged or of another kind"):
        load(tmp_path / "x.ckpt")
