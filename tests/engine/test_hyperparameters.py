"""What was trained is in TensorBoard's HPARAMS tab; of W&B, see `test_loggers`."""

import pytest

from rhobin.engine.fit import fit

LR = "optim.optimizer.lr"


def test_tensorboard_shows_the_config_beside_the_score(smoke, tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from tensorboard.plugins.hparams import plugin_data_pb2

    run_dir = fit(smoke(tmp_path / "run", "logger=tensorboard", "trainer.max_steps=2", f"{LR}=3e-4"))
    events = reader.EventAccumulator(str(run_dir / "tensorboard")).Reload()
    told = {}
    for tag, content in events.PluginTagToContent("hparams").items():
        told[tag.rpartition("/")[2]] = plugin_data_pb2.HParamsPluginData.FromString(content)
    values = told["session_start_info"].session_start_info.hparams
    assert values[LR].number_value == pytest.approx(3e-4)
    assert values["name"].string_value == "khor_smoke"
    (score,) = (info.name.tag for info in told["experiment"].experiment.metric_infos)
    assert score in events.Tags()["scalars"]
    assert [event.step for event in events.Scalars(score)] == [2]
