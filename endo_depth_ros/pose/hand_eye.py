"""Where the camera sits on the robot's tool, and how many metres a unit of its trajectory has (AX = XB, with scale)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.lie import Array, adjoint, exp_se3, log_se3
from endo_depth_ros.pose.robust import huber_weights

ROUNDS = 12
# At most so many poses of a stretch are paired for a start, each with each.
POSES_IN_PAIRS = 60
SETTLED = 1e-4
# A rotation within a pair of poses that is worth comparing, and how far about a second axis it must go.
MIN_TURN, MIN_SECOND_TURN = np.radians(3.0), np.radians(2.0)


class HandEyeError(RuntimeError):
    """The motion does not tell where the camera is on the tool; the text says what is missing."""


@dataclass(frozen=True)
class PosePairs:
    """A stretch of a camera's way as seen by vision and by the robot.

    T_map_camera: [N, 4, 4], in units of the camera's depth. T_base_tool: [N, 4, 4], metres. sigma: [N, 6], standard
    deviations of T_base_tool in the camera's frame, rotation first.
    """

    T_map_camera: Array
    T_base_tool: Array
    sigma: Array


@dataclass(frozen=True)
class HandEye:
    """The camera on the tool and the metres of a unit.

    covariance: [7, 7] of the twist of T_tool_camera (rotation, translation; camera's frame) and of log_scale.
    """

    T_tool_camera: Transform
    log_scale: float
    covariance: Array

    @property
    def scale_sigma(self) -> float:
        """One standard deviation of log_scale."""
        return float(np.sqrt(self.covariance[6, 6]))

    @property
    def rotation_sigma(self) -> float:
        """Largest standard deviation of the rotation about any axis, radians."""
        return float(np.sqrt(np.linalg.eigvalsh(self.covariance[:3, :3])[-1]))


def solve_linearly(stretches: Sequence[PosePairs]) -> tuple[Transform, float]:
    """T_tool_camera and scale from pairs of poses, without a guess.

    Rotation vectors of corresponding motions are turned onto one another (Park and Martin 1994), then translation and
    scale are linear. Raises HandEyeError where the motion turns about fewer than two axes or goes nowhere.
    """
    motions = [_motions(stretch) for stretch in stretches]
    A, B = np.concatenate([a for a, _ in motions]), np.concatenate([b for _, b in motions])
    turns_a = Rotation.from_matrix(A[:, :3, :3]).as_rotvec() if len(A) else np.zeros((0, 3))
    turns_b = Rotation.from_matrix(B[:, :3, :3]).as_rotvec() if len(B) else np.zeros((0, 3))
    spread = np.sqrt(np.linalg.eigvalsh(turns_b.T @ turns_b / max(len(B), 1)))
    if spread[1] < MIN_SECOND_TURN:
        raise HandEyeError(
            f"the tool turned by {np.degrees(spread[2]):.1f}° about one axis and {np.degrees(spread[1]):.1f}° about a "
            f"second, {np.degrees(MIN_SECOND_TURN):.0f}° are needed; turn it about two axes or give the hand-eye pose"
        )
    u, _, vt = np.linalg.svd(turns_b.T @ turns_a)
    X = np.eye(4)
    X[:3, :3] = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    # (R_B - 1) t_X - scale R_X t_A = -t_B
    rows = np.concatenate([B[:, :3, :3] - np.eye(3), -(A[:, :3, 3] @ X[:3, :3].T)[:, :, None]], axis=2)
    solution = np.linalg.lstsq(rows.reshape(-1, 4), -B[:, :3, 3].ravel(), rcond=None)[0]
    if not solution[3] > 0:
        raise HandEyeError("the camera's trajectory and the tool's don't fit: the scale comes out negative")
    X[:3, 3] = solution[:3]
    return X, float(solution[3])


def guess_scale(stretches: Sequence[PosePairs], T_tool_camera: Transform) -> float:
    """Metres per unit, from how far the camera's positions spread by robot and by vision."""
    metres = units = 0.0
    for stretch in stretches:
        by_robot = (stretch.T_base_tool @ T_tool_camera)[:, :3, 3]
        by_vision = stretch.T_map_camera[:, :3, 3]
        metres += float(((by_robot - by_robot.mean(axis=0)) ** 2).sum())
        units += float(((by_vision - by_vision.mean(axis=0)) ** 2).sum())
    return float(np.sqrt(metres / max(units, 1e-18)))


def refine(stretches: Sequence[PosePairs], guess: Transform, scale: float, information: Array | None = None) -> HandEye:
    """The most likely hand-eye pose and scale, robustly (Huber), by Gauss-Newton.

    Each stretch has a pose of its own between map and base, so that the drift of vision within a stretch alone counts.
    information: inverse covariance [6, 6] of `guess`, None where that is no more than a start. The covariance is
    widened when the residuals are larger than their sigma.
    """
    prior = np.zeros((6, 6)) if information is None else information
    fitted = [_Stretch.begin(stretch, guess, scale) for stretch in stretches]
    X, log_scale = guess, float(np.log(scale))
    H = np.eye(7)
    for _ in range(ROUNDS):
        parts = [stretch.reduce(X, log_scale) for stretch in fitted]
        H = np.sum([part.H for part in parts], axis=0)
        g = np.sum([part.g for part in parts], axis=0)
        H[:6, :6] += prior
        g[:6] += prior @ log_se3(invert_transform(guess) @ X)
        step = np.linalg.solve(H + 1e-12 * np.diag(np.diag(H)) + 1e-12 * np.eye(7), -g)
        X, log_scale = X @ exp_se3(step[:6]), log_scale + float(step[6])
        fitted = [stretch.moved(part, step) for stretch, part in zip(fitted, parts, strict=True)]
        if np.abs(step).max() < SETTLED:
            break
    excess = _excess(fitted, X, log_scale)
    return HandEye(X, log_scale, np.asarray(np.linalg.inv(H), np.float64) * max(excess, 1.0))


@dataclass(frozen=True)
class _Reduced:
    """Normal equations [7, 7], [7] of hand-eye and scale, and what gives the stretch's own step [6] from theirs."""

    H: Array
    g: Array
    own: Array
    by_shared: Array


@dataclass(frozen=True)
class _Stretch:
    """A stretch and the estimate of T_map_base, metres."""

    pairs: PosePairs
    T_map_base: Transform

    @classmethod
    def begin(cls, pairs: PosePairs, X: Transform, scale: float) -> _Stretch:
        """T_map_base from the pose in the middle."""
        middle = len(pairs.sigma) // 2
        S = pairs.T_map_camera[middle].copy()
        S[:3, 3] *= scale
        return cls(pairs, S @ invert_transform(pairs.T_base_tool[middle] @ X))

    def residuals(self, X: Transform, log_scale: float) -> tuple[Array, Array]:
        """What vision and robot differ by [N, 6] (rotation, translation; camera's frame), and the robot's [N, 4, 4]."""
        by_robot = self.T_map_base @ self.pairs.T_base_tool @ X
        R = self.pairs.T_map_camera[:, :3, :3]
        turn = Rotation.from_matrix(np.swapaxes(R, 1, 2) @ by_robot[:, :3, :3]).as_rotvec()
        apart = by_robot[:, :3, 3] - np.exp(log_scale) * self.pairs.T_map_camera[:, :3, 3]
        return np.column_stack([turn, np.einsum("nji,nj->ni", R, apart)]), by_robot

    def reduce(self, X: Transform, log_scale: float) -> _Reduced:
        """Linearise and eliminate T_map_base."""
        r, _ = self.residuals(X, log_scale)
        R = self.pairs.T_map_camera[:, :3, :3]
        shared = np.zeros((len(r), 6, 7))
        shared[:, :, :6] = np.eye(6)
        moved = np.exp(log_scale) * self.pairs.T_map_camera[:, :3, 3]
        shared[:, 3:, 6] = -np.einsum("nji,nj->ni", R, moved)
        own = np.stack([adjoint(invert_transform(B @ X)) for B in self.pairs.T_base_tool])
        w = huber_weights(r / self.pairs.sigma) / self.pairs.sigma**2
        H_own = np.einsum("nki,nk,nkj->ij", own, w, own)
        H_mixed = np.einsum("nki,nk,nkj->ij", own, w, shared)
        solved = np.linalg.solve(
            H_own + 1e-9 * np.diag(np.diag(H_own)),
            np.column_stack([np.einsum("nki,nk,nk->i", own, w, r), H_mixed]),
        )
        H = np.einsum("nki,nk,nkj->ij", shared, w, shared) - H_mixed.T @ solved[:, 1:]
        g = np.einsum("nki,nk,nk->i", shared, w, r) - H_mixed.T @ solved[:, 0]
        return _Reduced(H, g, -solved[:, 0], -solved[:, 1:])

    def moved(self, part: _Reduced, step: Array) -> _Stretch:
        """After a step [7] of hand-eye and scale."""
        return replace(self, T_map_base=self.T_map_base @ exp_se3(part.own + part.by_shared @ step))


def _excess(fitted: Sequence[_Stretch], X: Transform, log_scale: float) -> float:
    """Robust ratio of the residuals' variance to what it was said to be."""
    whitened = [(stretch.residuals(X, log_scale)[0] / stretch.pairs.sigma)[:, 3:].ravel() for stretch in fitted]
    deviation = float(np.median(np.abs(np.concatenate(whitened)))) / 0.6745
    return deviation**2


def _motions(stretch: PosePairs) -> tuple[Array, Array]:
    """Corresponding motions A (camera) and B (tool), [M, 4, 4], of pairs of poses that the tool turned between."""
    some = slice(None, None, -(-len(stretch.sigma) // POSES_IN_PAIRS))
    T_map_camera, T_base_tool = stretch.T_map_camera[some], stretch.T_base_tool[some]
    first, second = np.triu_indices(len(T_base_tool), 1)
    B = np.linalg.inv(T_base_tool[first]) @ T_base_tool[second]
    turned = np.arccos(np.clip((np.trace(B[:, :3, :3], axis1=1, axis2=2) - 1) / 2, -1, 1)) > MIN_TURN
    A = np.linalg.inv(T_map_camera[first[turned]]) @ T_map_camera[second[turned]]
    return A, B[turned]
