"""A DictConfig and a ListConfig handed on, their nested values and types kept."""

from flytekit import task, workflow
from omegaconf import DictConfig, ListConfig, OmegaConf


@task
def configure(rate: float) -> DictConfig:
    return OmegaConf.create({"model": {"layers": [8, 4], "name": "small"}, "rate": rate})


@task
def layers(config: DictConfig) -> ListConfig:
    assert OmegaConf.is_config(config)
    return config.model.layers


@task
def describe(config: DictConfig, sizes: ListConfig) -> str:
    return f"{config.model.name} {config.rate} {sum(sizes)}"


@workflow
def configured(rate: float) -> str:
    config = configure(rate=rate)
    return describe(config=config, sizes=layers(config=config))


ENTITY = configured
INPUTS = {"rate": 0.5}
EXPECTED = "small 0.5 12"
