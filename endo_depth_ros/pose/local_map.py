"""The keyframes that frames are tracked against, as the tracker sees them between two optimisations."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.appearance import Picture
from endo_depth_ros.pose.camera_search import Landmarked
from endo_depth_ros.pose.covariance import compose
from endo_depth_ros.pose.depth_field import TERMS, DepthField
from endo_depth_ros.pose.keyframe import Keyframe, Tracks
from endo_depth_ros.pose.keyframe_maker import make_keyframe, nothing_seen, sightings_of
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.optimiser import KeyframeOptimiser
from endo_depth_ros.pose.place_memory import PlaceMemory
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import Sight, View
from endo_depth_ros.pose.window import FactorsMaker, WindowResult

log = logging.getLogger(__name__)


class LocalMap:
    """Keyframes of the window, the landmarks followed from the newest one, and all places seen so far."""

    def __init__(self, settings: PoseSettings, others: Sequence[FactorsMaker] = ()) -> None:
        self._settings = settings
        self._optimiser = KeyframeOptimiser(settings, others)
        self.places = PlaceMemory(settings.max_keyframes)
        self.clear()

    def clear(self) -> None:
        """Forget keyframes and places."""
        self.places.clear()
        self._number, self._distance = 0, 1.0
        self.leave()

    def leave(self) -> None:
        """Track against these keyframes no more; places stay known."""
        self._optimiser.forget()
        self.keyframes: dict[int, Keyframe] = {}
        self._tracks = Tracks()
        self._picture = Picture(np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.float32))
        self._covariance, self._field_covariance = np.eye(6), np.zeros((TERMS, TERMS))

    def close(self) -> None:
        """Stop the optimiser's thread."""
        self._optimiser.close()

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to track against."""
        return bool(self.keyframes)

    @property
    def is_busy(self) -> bool:
        """Whether another keyframe would have to wait."""
        return self._optimiser.is_busy

    @property
    def landmarked(self) -> Landmarked:
        """What a frame is compared with."""
        return Landmarked(self._picture, self._tracks, self.keyframes)

    @property
    def newest(self) -> Keyframe:
        """The keyframe that landmarks are followed from."""
        return self.keyframes[self._number]

    @property
    def distance(self) -> float:
        """Median depth of the newest keyframe, metres; 1 before the first."""
        return self._distance

    def begin(self, view: View, T_map_camera: Transform, covariance: Array, depth_field: Array) -> int:
        """Start from a single keyframe; its number of landmarks.

        covariance: [6, 6] of its pose, body frame. depth_field: coefficients [TERMS] of its depth's field.
        """
        self.leave()
        self._number += 1
        keyframe, tracks = make_keyframe(view, self._number, T_map_camera, depth_field, nothing_seen(), self._settings)
        if len(tracks) < self._settings.min_points:
            return len(tracks)
        self._install(view, keyframe, tracks, covariance)
        self._optimiser.restart(keyframe, covariance)
        sigmas = self._settings.field_sigmas(self._settings.scale_log_sigma, keyframe.depth_sigmas)
        self._field_covariance = np.diag(sigmas**2)
        return len(tracks)

    def add(self, view: View, sight: Sight, covariance: Array) -> None:
        """Make a tracked frame the newest keyframe; covariance: [6, 6] of its pose, body frame."""
        self._number += 1
        numbers = sorted([*self.keyframes, self._number])[-self._settings.window :]
        seen = sightings_of(sight, numbers[0])
        found = sight.resection
        field = found.depth_field.coefficients
        keyframe, tracks = make_keyframe(view, self._number, found.T_map_camera, field, seen, self._settings)
        self.keyframes = {number: each for number, each in self.keyframes.items() if number in numbers}
        self._install(view, keyframe, tracks, covariance)
        self._optimiser.submit(keyframe)

    def covariance_of(self, T_map_camera: Transform, given_map: Array) -> Array:
        """Body covariance [6, 6] of a pose found by tracking, whose covariance given the map is given_map."""
        T_keyframe_camera = invert_transform(self.newest.T_map_camera) @ T_map_camera
        return compose(self._covariance, T_keyframe_camera, given_map)

    def field_of(self, given_map: DepthField) -> DepthField:
        """What a frame's depth lacks, not given the map: that is as wrong as the newest keyframe's own field.

        Given the map, a camera that stands still would seem to learn what its depth lacks.
        """
        return DepthField(given_map.coefficients, given_map.covariance + self._field_covariance)

    def take_corrections(self) -> Transform | None:
        """Apply what the optimiser found since the last call; the motion of the newest keyframe by it, in the map."""
        try:
            result = self._optimiser.take_result()
        except RuntimeError as error:
            what = " ".join(str(error).strip().partition("\n\n")[0].split())
            log.warning("the keyframes contradict one another (%s); tracking starts anew", what)
            self.leave()
            return None
        if result is None or result.newest not in self.keyframes:
            return None
        before = self.keyframes[result.newest].T_map_camera
        correction = result.T_map_camera[result.newest] @ invert_transform(before)
        for number, keyframe in self.keyframes.items():
            if number in result.T_map_camera:
                self._update(keyframe, result)
            elif number > result.newest:
                keyframe.T_map_camera = correction @ keyframe.T_map_camera
        if result.newest == self._number:
            self._covariance = result.covariance
        self._field_covariance = result.field_covariance
        return correction

    def _install(self, view: View, keyframe: Keyframe, tracks: Tracks, covariance: Array) -> None:
        self.keyframes[keyframe.number] = keyframe
        self._tracks, self._picture, self._covariance = tracks, view.picture, covariance
        scale = float(np.exp(keyframe.depth_field[0]))
        self._distance = float(np.median(view.estimate.depth[view.estimate.valid])) * scale
        self.places.remember(keyframe, view.picture.grey, view.estimate.depth)

    def _update(self, keyframe: Keyframe, result: WindowResult) -> None:
        number = keyframe.number
        keyframe.T_map_camera, keyframe.depth_field = result.T_map_camera[number], result.depth_field[number]
        keyframe.landmarks.log_depth = result.log_depth[number]
        keyframe.landmarks.log_sigma = result.log_sigma[number]
