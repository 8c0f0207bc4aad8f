#!/bin/sh
# Prints the Python to make .venv with: $PYTHON, else python3, else another Python 3.10 to 3.13 on the PATH.
# As root, outside a terminal dialogue, installs one where there is none.

is_supported() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

print_supported() {
    for name in python3 python3.13 python3.12 python3.11 python3.10; do
        if is_supported "$name"; then
            command -v "$name"
            return
        fi
    done
    return 1
}

if [ -n "$PYTHON" ]; then
    if is_supported "$PYTHON"; then
        command -v "$PYTHON"
        exit
    fi
    echo "PYTHON=$PYTHON is no Python 3.10 to 3.13; name one, as in: make PYTHON=/usr/bin/python3.12" >&2
    exit 1
fi

print_supported && exit

packages="python3 python3-venv python3-dev"
if [ "$(id -u)" = 0 ] && [ ! -t 0 ] && command -v apt-get >/dev/null; then
    echo "No Python 3.10 to 3.13 here; installing it: apt-get install $packages" >&2
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; } >&2
    print_supported && exit
fi
cat >&2 <<END
No Python 3.10 to 3.13 here, which the ROS wheels need. Install one, then run make again:
  sudo apt-get update && sudo apt-get install -y $packages     (Debian 12, Ubuntu 22.04, 24.04)
  make PYTHON=/path/to/python3.12                              (a Python of your own elsewhere)
END
exit 1
