"""The tracker's tests need gtsam, which isn't installed where Python is 3.10 and NumPy 2."""

import importlib.util
import sys

has_no_gtsam = sys.version_info < (3, 11) and importlib.util.find_spec("gtsam") is None
collect_ignore_glob = ["test_*.py"] if has_no_gtsam else []
