"""The motion network: shapes, units, and what follows from its build, whatever its weights are."""

from __future__ import annotations

import pytest
import torch

from endo_depth_ros.pose.motion_network import (
    MotionAnswer,
    MotionNetwork,
    MotionNetworkConfig,
    correlate,
    network_input,
    sample_at,
)
from endo_depth_ros.pose.motion_weights import SHIPPED_MOTION_WEIGHTS, load_motion_weights

K = torch.tensor([[60.0, 0, 40], [0, 60, 32], [0, 0, 1]])


@pytest.fixture(scope="module")
def network() -> MotionNetwork:
    torch.manual_seed(3)
    return MotionNetwork(MotionNetworkConfig(channels=(8, 12, 16), hidden=16)).eval()


def frames(batch: int = 2, height: int = 64, width: int = 80) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    images = torch.nn.functional.interpolate(torch.rand(batch * 2, 3, 16, 20, generator=generator), (height, width))
    depth = 0.03 * (1 + 0.3 * torch.rand(batch, height, width, generator=generator))
    inside = torch.ones(batch, 2, height, width, dtype=torch.bool)
    return images.view(batch, 2, 3, height, width), inside, depth.log(), K.expand(batch, 3, 3)


@torch.inference_mode()
def ask(network: MotionNetwork, *inputs: torch.Tensor) -> MotionAnswer:
    answer: MotionAnswer = network(*inputs)
    return answer


def test_a_batch_of_motions_comes_out(network: MotionNetwork) -> None:
    answer = ask(network, *frames())
    assert answer.T_first_second.shape == (2, 4, 4)
    R = answer.T_first_second[:, :3, :3]
    torch.testing.assert_close(R @ R.transpose(1, 2), torch.eye(3).expand(2, 3, 3), atol=1e-5, rtol=0)
    assert answer.information.shape == (2, 6, 6)
    assert torch.linalg.eigvalsh(answer.information).min() > 0
    assert answer.gain.shape == answer.offset.shape == (2,)


@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_translation_follows_the_unit_of_depth(network: MotionNetwork, factor: float) -> None:
    images, inside, log_depth, K = frames()
    near, far = (
        ask(network, images, inside, log_depth, K),
        ask(network, images, inside, log_depth + torch.tensor(factor).log(), K),
    )
    torch.testing.assert_close(
        far.T_first_second[:, :3, 3], factor * near.T_first_second[:, :3, 3], rtol=1e-3, atol=1e-7
    )
    torch.testing.assert_close(far.T_first_second[:, :3, :3], near.T_first_second[:, :3, :3], atol=1e-4, rtol=0)
    torch.testing.assert_close(far.information[:, 3:, 3:] * factor**2, near.information[:, 3:, 3:], rtol=1e-3, atol=1)


def test_brightness_of_an_image_as_a_whole_moves_no_camera(network: MotionNetwork) -> None:
    images, inside, log_depth, K = frames()
    darker = images.clone()
    darker[:, 1] = 0.7 * darker[:, 1] + 0.1
    plain, changed = ask(network, images, inside, log_depth, K), ask(network, darker, inside, log_depth, K)
    torch.testing.assert_close(changed.T_first_second, plain.T_first_second, atol=1e-4, rtol=0)
    torch.testing.assert_close(changed.gain, plain.gain / 0.7, rtol=1e-3, atol=0)


def test_what_is_outside_has_no_say(network: MotionNetwork) -> None:
    images, inside, log_depth, K = frames()
    inside[:, :, :, 60:] = False
    changed, unknown = images.clone(), log_depth.clone()
    changed[:, :, :, :, 60:] = 0.9
    unknown[:, :, 60:] = -9.0
    plain, other = ask(network, images, inside, log_depth, K), ask(network, changed, inside, unknown, K)
    torch.testing.assert_close(other.T_first_second, plain.T_first_second)
    assert not torch.allclose(plain.T_first_second, ask(network, *frames()).T_first_second)


def test_rows_of_products_are_the_products_of_neighbours() -> None:
    first, second = torch.randn(2, 8, 6, 9), torch.randn(2, 8, 6, 9)
    padded = torch.nn.functional.pad(second, (2,) * 4)
    shifts = [(first * padded[:, :, y : y + 6, x : x + 9]).sum(1) for y in range(5) for x in range(5)]
    torch.testing.assert_close(correlate(first, second, 2), torch.stack(shifts, 1) / 8**0.5)


def test_images_are_sampled_where_they_are() -> None:
    ramp = torch.arange(20.0).expand(1, 1, 10, 20)
    values, inside = sample_at(ramp, torch.tensor([[[3.25, 2.0], [19.0, 9.0], [19.5, 2.0]]]))
    torch.testing.assert_close(values[0, 0, :2], torch.tensor([3.25, 19.0]))
    assert inside[0].tolist() == [True, True, False]


def test_the_input_is_even_inside_and_nothing_outside() -> None:
    images, seen = torch.rand(1, 2, 3, 8, 8) * 0.2 + 0.5, torch.ones(1, 2, 8, 8)
    seen[:, :, :, 6:] = 0
    x = network_input(images, seen)
    assert x[..., 6:].abs().max() == 0
    torch.testing.assert_close(x[:, :, :3, :, :6].mean((3, 4)), torch.zeros(1, 2, 3), atol=1e-5, rtol=0)


def test_the_shipped_network_sees_no_motion_between_identical_frames() -> None:
    loaded = load_motion_weights(SHIPPED_MOTION_WEIGHTS)
    images, inside, log_depth, K = frames(batch=1, height=128, width=160)
    images[:, 1] = images[:, 0]
    K = K * torch.tensor([[2.0], [2.0], [1.0]])
    T = ask(loaded.network, images, inside, log_depth, K).T_first_second[0]
    assert (T[:3, :3] - torch.eye(3)).abs().max() < 0.01
    assert T[:3, 3].norm() < 0.01 * 0.035
