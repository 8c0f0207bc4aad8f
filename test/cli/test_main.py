"""The endo-depth command itself."""

import importlib
import subprocess
import sys

import pytest

from endo_depth_ros.cli.main import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert command in capsys.readouterr().out
    assert importlib.import_module(f"endo_depth_ros.cli.{command.replace('-', '_')}").__doc__


def test_help_needs_neither_torch_nor_rclpy():
    check = (
        "import sys\nfrom endo_depth_ros.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'rclpy', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True, capture_output=True)


def test_a_polite_kill_ends_a_command_as_ctrl_c_does():
    wait = (
        "import sys, time\nfrom endo_depth_ros.cli import doctor\nfrom endo_depth_ros.cli.main import main\n"
        "def run(options):\n    print('at work', flush=True)\n    time.sleep(60)\n"
        "doctor.run, sys.argv = run, ['endo-depth', 'doctor']\nsys.exit(main())"
    )
    with subprocess.Popen([sys.executable, "-c", wait], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout.readline() == b"at work\n"
        program.terminate()
        _, errors = program.communicate(timeout=30)
    assert program.returncode == 130
    assert errors.decode() == "endo-depth doctor: interrupted\n"


def test_a_package_that_is_missing_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "endo_depth_ros.cli.replay", None)
    assert main(["replay", "a.mcap"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("endo-depth replay: ")
    assert told.endswith("; endo-depth doctor says what this machine lacks\n")


def test_an_unknown_command_is_answered_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as end:
        main(["dance"])
    assert end.value.code == 2
    assert "process" in capsys.readouterr().err
