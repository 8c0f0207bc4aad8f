"""A few small frames to be measured."""

from wall import Wall

from endo_depth_ros.benchmark.images import encode
from endo_depth_ros.benchmark.workload import Workload
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.settings import make


def wall_workload(frames=3, with_cloud=True, as_jpeg=False, **settings):
    """A wall that a camera passes, for the model that needs no weights."""
    seen = [Wall().frame(0, (0.0005 * index, 0, 0))[0] for index in range(3)]
    images = tuple(encode(frame.image, frame.camera, as_jpeg) for frame in seen)
    chosen = make(DepthNodeSettings, {"model": "shading", "device": "cpu", "runtime": "torch-cpu", **settings})
    return Workload(chosen, images, warm_up=1, frames=frames, rate_hz=30.0, with_cloud=with_cloud)
