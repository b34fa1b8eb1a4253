"""What tests of several rooms share: one thread, a few drawn birds, and the program, called as from a shell."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_sets
import torch
from commands import SRC, TEST, TRAIN, Composed, Outcome, Program
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from stackgan import toybirds
from stackgan.data.toybirds import read_toybirds
from stackgan.launch import cli
from stackgan.launch.places import home
from stackgan.launch.training import train


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root: 60 training and 24 test birds, 30 flowers in Oxford-102's layout, and tiny sets in the other layouts."""
    root = tmp_path_factory.mktemp("published")
    toybirds.write(root / "toybirds" / toybirds.fingerprint(TRAIN, TEST, 0), TRAIN, TEST, 0, workers=1)
    _flowers(root / "oxford102")
    tiny_sets.write_cub(root / "cub")
    tiny_sets.write_coco(root / "coco")
    tiny_sets.write_folder(root / "folder")
    tiny_sets.write_stackgan(root / "stackgan")
    tiny_sets.write_hf(root / "hf")
    birds = read_toybirds(root / "toybirds" / toybirds.fingerprint(TRAIN, TEST, 0)).records
    tiny_sets.write_vectors(root / "toybirds.npz", birds)
    return root


def _flowers(root: Path) -> None:
    """By the maker of the data room's tests, whose conftest pytest shows to that room alone."""
    spec = importlib.util.spec_from_file_location("flower_maker", Path(__file__).parent / "data" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_flowers(root)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def desk(tmp_path: Path, published: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder that commands are given in; data and cache are this session's."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STACKGAN_DATA", str(published))
    monkeypatch.setenv("STACKGAN_CACHE", str(cache))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return folder


@pytest.fixture
def untouched() -> Iterator[None]:
    """Hydra's globals and the processor's mode as they were."""
    before = os.environ.get("HYDRA_FULL_ERROR")
    yield
    GlobalHydra.instance().clear()
    HydraConfig.instance().cfg = None
    torch.set_flush_denormal(False)
    os.environ.pop("HYDRA_FULL_ERROR", None)
    if before is not None:
        os.environ["HYDRA_FULL_ERROR"] = before


@pytest.fixture
def program(desk: Path, untouched: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Program:
    """program(*words): `src/train.py words` from end to end, but in this process, which saves the seconds of its imports."""

    def call(*words: str, verb: cli.Verb = train, config: str = "train") -> Outcome:
        monkeypatch.setattr(sys, "argv", [str(SRC / f"{config}.py"), *words])
        capfd.readouterr()
        code = 0
        try:
            cli.run(verb, config)
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            HydraConfig.instance().cfg = None
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture
def composed(desk: Path, untouched: None) -> Composed:
    """composed(*words): the settings that these words mean, as a verb receives them."""

    def call(*words: str, config: str = "train") -> DictConfig:
        from hydra import compose, initialize_config_dir

        cli.register()
        with initialize_config_dir(version_base="1.3", config_dir=str(home(config))):
            return compose(config, list(words))

    return call


@pytest.fixture
def shell(desk: Path) -> Program:
    """shell(*words): `python src/train.py words` in a process of its own."""

    def call(*words: str, verb: str = "train") -> Outcome:
        command = [sys.executable, str(SRC / f"{verb}.py"), *words]
        ended = subprocess.run(command, cwd=desk, capture_output=True, text=True, check=False, timeout=300)
        return Outcome(ended.returncode, ended.stdout, ended.stderr)

    return call
