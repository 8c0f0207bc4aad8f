"""What a recipe of `python -m training fit-pose` says."""

from __future__ import annotations

from dataclasses import dataclass, field

from endo_depth_ros.pose.motion_network import SIZE_MULTIPLE
from endo_depth_ros.settings import SettingsError, setting
from training.fit_recipe import OptimiserSettings, TrainerSettings
from training.motion.augmentation import PairAugmentation
from training.motion.losses import MotionLossSettings


@dataclass(frozen=True)
class MotionDataSettings:
    """Which renderings and videos, in which batches."""

    folder: str = setting("renderings", "folder that `python -m training render` wrote")
    video: str = setting("", "folder of videos, bags or folders of images, each with a camera.yaml; empty: none")
    batch: int = setting(6, "pairs of a batch, on each device; each is trained on both ways", minimum=1, maximum=4096)
    video_pairs: int = setting(2, "pairs of them that come from videos, where there are any", minimum=0, maximum=4096)
    width: int = setting(160, "width of the network's images", unit="px", minimum=64, maximum=1024)
    height: int = setting(128, "height of the network's images", unit="px", minimum=64, maximum=1024)
    workers: int = setting(1, "processes that load samples, on each device", minimum=0, maximum=256)
    seed: int = setting(0, "draws the first weights, and every sample", minimum=0)

    def check(self) -> None:
        """Raises SettingsError for sizes that the network can't take, and pairs that don't fit."""
        for name in ("width", "height"):
            if getattr(self, name) % SIZE_MULTIPLE:
                raise SettingsError(f"{name} is {getattr(self, name)} but must be a multiple of {SIZE_MULTIPLE}")
        if self.video_pairs > self.batch:
            raise SettingsError(f"{self.video_pairs} video_pairs do not fit in a batch of {self.batch}")


@dataclass(frozen=True)
class MotionRecipe:
    """A recipe of `python -m training fit-pose`."""

    data: MotionDataSettings = field(default_factory=MotionDataSettings)
    augmentation: PairAugmentation = field(default_factory=PairAugmentation)
    loss: MotionLossSettings = field(default_factory=MotionLossSettings)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    trainer: TrainerSettings = field(default_factory=TrainerSettings)
