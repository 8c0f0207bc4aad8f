"""The tracker's test world is the command line's too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "pose"))
