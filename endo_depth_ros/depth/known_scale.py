"""What is known about metres per unit of the model's depth, and since which epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from endo_depth_ros.contracts import Scale, ScaleState


@dataclass(frozen=True)
class KnownScale:
    """A scale given by a setting, else one that was measured, else what the model itself promises.

    metres_per_unit: the setting, 0 for none. measured: by kinematics, None for none. epoch: rises with each change, so
    that the factor is constant within one.
    """

    metres_per_unit: float = 0.0
    measured: Scale | None = None
    epoch: int = 0

    def with_setting(self, metres_per_unit: float) -> KnownScale:
        """After the setting was set to this value."""
        if metres_per_unit == self.metres_per_unit:
            return self
        return replace(self, metres_per_unit=metres_per_unit, epoch=self.epoch + 1)

    def with_measured(self, scale: Scale) -> KnownScale:
        """After this scale was measured; its epoch is the new one unless the setting goes before it."""
        if self.metres_per_unit:
            return replace(self, measured=scale)
        return replace(self, measured=scale, epoch=scale.epoch)

    def scale(self, of_model: Scale, verified: bool) -> Scale:
        """The scale of a frame.

        of_model: what the model promises. verified: whether one factor fits all frames of a calibrated camera.
        """
        state = ScaleState.METRIC if verified else ScaleState.NOMINAL
        if self.metres_per_unit:
            return Scale(state, self.metres_per_unit, epoch=self.epoch)
        if self.measured is not None:
            return replace(self.measured, state=state, epoch=self.epoch)
        return replace(of_model, epoch=self.epoch)
