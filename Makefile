# For machines without ROS; in a ROS 2 workspace use colcon (docs/installing.md).
#
#   make demo                      a rendered endoscopy, through the nodes, compared with the truth
#   make demo INPUT=surgery.mp4    the same on a video of your own, without truth
#                                  CAMERA=camera.yaml or HFOV=90 say more about its lens
#   make test                      all tests
#   make lint                      ruff and mypy
#   make setup                     only .venv; PYTHON=/path/to/python3.12 chooses the interpreter
#   make clean                     remove .venv, demo/ and caches

.PHONY: setup demo test lint clean

# The environment is apart from a sourced ROS distribution and from other environments' ROS wheels.
APART := env -u AMENT_PREFIX_PATH -u CMAKE_PREFIX_PATH -u LD_LIBRARY_PATH -u PYTHONHOME -u PYTHONPATH \
  -u ROS_DISTRO -u _ROS_WHEELS_BOOTSTRAP_COMPLETE

setup:
	@python=$$(PYTHON="$(PYTHON)" pip_ros/environment/find_python.sh) && "$$python" pip_ros/environment/make_environment.py

demo: setup
	@$(APART) .venv/bin/endo-depth demo $(if $(INPUT),--input "$(INPUT)") $(if $(CAMERA),--camera "$(CAMERA)") $(if $(HFOV),--hfov $(HFOV))

test: setup
	@$(APART) .venv/bin/python -m pytest

lint: setup
	@$(APART) .venv/bin/ruff check .
	@$(APART) .venv/bin/ruff format --check .
	@$(APART) .venv/bin/mypy

clean:
	rm -rf .venv demo build install log *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
