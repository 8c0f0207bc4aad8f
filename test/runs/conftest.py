"""The tracker's test world is the evaluation's too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "pose"))
