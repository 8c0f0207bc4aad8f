"""What a recipe of `python -m training fit` says."""

from __future__ import annotations

from dataclasses import dataclass, field

from endo_depth_ros.settings import SettingsError, setting
from training.dataset import AugmentationSettings, BatchSchedule
from training.losses import LossSettings

SIZE_MULTIPLE = 32


@dataclass(frozen=True)
class DataSettings:
    """Which renderings, in which batches."""

    folder: str = setting("renderings", "folder that `python -m training render` wrote")
    leave_out: str = setting("", "families that are not trained on, parted by commas; they are validated on")
    batch: int = setting(12, "images of a batch, on each device", minimum=1, maximum=4096)
    pairs: int = setting(2, "video pairs among them", minimum=0, maximum=1024)
    width: int = setting(320, "width of the network's images", unit="px", minimum=SIZE_MULTIPLE, maximum=2048)
    height: int = setting(256, "height of the network's images", unit="px", minimum=SIZE_MULTIPLE, maximum=2048)
    first_width: int = setting(256, "width in the first part of the training", unit="px", minimum=SIZE_MULTIPLE)
    first_height: int = setting(192, "height in the first part of the training", unit="px", minimum=SIZE_MULTIPLE)
    first_share: float = setting(0.6, "share of the steps that use the first size", minimum=0.0, maximum=1.0)
    workers: int = setting(1, "processes that load samples, on each device", minimum=0, maximum=256)
    seed: int = setting(0, "draws the first weights of the decoder, and every sample", minimum=0)

    def check(self) -> None:
        """Raises SettingsError for sizes that the network can't take, and pairs that don't fit."""
        for name in ("width", "height", "first_width", "first_height"):
            if getattr(self, name) % SIZE_MULTIPLE:
                raise SettingsError(f"{name} is {getattr(self, name)} but must be a multiple of {SIZE_MULTIPLE}")
        if 2 * self.pairs > self.batch:
            raise SettingsError(f"{self.pairs} pairs do not fit in a batch of {self.batch}")

    def left_out(self) -> tuple[str, ...]:
        """The families that are not trained on."""
        return tuple(name.strip() for name in self.leave_out.split(",") if name.strip())


@dataclass(frozen=True)
class OptimiserSettings:
    """AdamW, and how its learning rate runs: warm-up, constant, cosine."""

    steps: int = setting(12000, "optimiser steps", minimum=1)
    learning_rate: float = setting(6e-4, "of the decoder, after warming up", minimum=0.0, maximum=1.0)
    encoder_share: float = setting(0.5, "learning rate of the encoder, as a share", minimum=0.0, maximum=10.0)
    final_share: float = setting(0.01, "learning rate at the end, as a share", minimum=0.0, maximum=1.0)
    warm_up_steps: int = setting(200, "steps from no learning rate to the full one", minimum=0)
    constant_share: float = setting(0.3, "share of the steps before the cosine begins", minimum=0.0, maximum=1.0)
    weight_decay: float = setting(0.01, "on weights of convolutions", minimum=0.0)
    clip_norm: float = setting(1.0, "largest norm of the gradient", minimum=0.0)
    average_decay: float = setting(0.999, "of the moving average of the weights", minimum=0.0, maximum=1.0)


@dataclass(frozen=True)
class TrainerSettings:
    """Devices and rhythm; the names are those of Lightning's Trainer."""

    accelerator: str = setting("auto", "what trains", choices=("auto", "cpu", "gpu"))
    devices: int = setting(1, "devices of each node", minimum=1)
    num_nodes: int = setting(1, "nodes", minimum=1)
    precision: str = setting("bf16-mixed", "arithmetic", choices=("32-true", "bf16-mixed", "16-mixed"))
    cpu_threads: int = setting(2, "threads of a process that trains on the CPU", minimum=1)
    epoch_steps: int = setting(500, "steps between two looks for new renderings", minimum=1)
    checkpoint_steps: int = setting(500, "steps between two checkpoints", minimum=1)
    validation_steps: int = setting(1000, "steps between two validations", minimum=1)
    validation_views: int = setting(10, "views of each validation sequence", minimum=2)
    log_steps: int = setting(20, "steps between two points of a curve", minimum=1)


@dataclass(frozen=True)
class FitRecipe:
    """A recipe of `python -m training fit`."""

    data: DataSettings = field(default_factory=DataSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    trainer: TrainerSettings = field(default_factory=TrainerSettings)

    def schedule(self) -> BatchSchedule:
        """What the batches look like."""
        d, first = self.data, round(self.data.first_share * self.optimiser.steps)
        sizes = ((first, (d.first_width, d.first_height)), (self.optimiser.steps, (d.width, d.height)))
        return BatchSchedule(d.batch, d.pairs, sizes)
