"""No code is run from a checkpoint unless the user says so."""

import os

import pytest

pytest.importorskip("torch")
import torch

from or_mv_anon.core.errors import UserError
from or_mv_anon.openmmlab.checkpoints import TRUST_VARIABLE, read_without_code, state_of


class Payload:
    """Leaves a trace when it is unpickled: it makes a folder."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_weights_are_read(tmp_path):
    torch.save({"state_dict": {"layer": torch.ones(2)}, "meta": {"step": 3}}, tmp_path / "good.pth")
    content = read_without_code(str(tmp_path / "good.pth"))
    assert state_of(content, tmp_path)["layer"].sum() == 2


def test_a_pickle_of_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv(TRUST_VARIABLE, raising=False)
    torch.save({"state_dict": Payload(tmp_path / "trace")}, tmp_path / "bad.pth")
    with pytest.raises(UserError, match="trust its source"):
        read_without_code(str(tmp_path / "bad.pth"))
    assert not (tmp_path / "trace").exists()


def test_the_user_may_trust_it(tmp_path, monkeypatch):
    monkeypatch.setenv(TRUST_VARIABLE, "1")
    torch.save({"state_dict": Payload(tmp_path / "trace")}, tmp_path / "bad.pth")
    read_without_code(str(tmp_path / "bad.pth"))
    assert (tmp_path / "trace").exists()


def test_mmengine_reads_through_it(tmp_path, monkeypatch):
    pytest.importorskip("mmdet")
    from or_mv_anon.openmmlab.compatibility import prepare

    prepare()
    from mmengine.runner import load_checkpoint

    monkeypatch.delenv(TRUST_VARIABLE, raising=False)
    torch.save(Payload(tmp_path / "trace"), tmp_path / "bad.pth")
    with pytest.raises(UserError):
        load_checkpoint(torch.nn.Linear(1, 1), str(tmp_path / "bad.pth"))
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04damaged"])
def test_damage_is_told(tmp_path, content):
    (tmp_path / "damaged.pth").write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        read_without_code(str(tmp_path / "damaged.pth"))
    with pytest.raises(UserError, match="Cannot read"):
        read_without_code(str(tmp_path / "missing.pth"))
