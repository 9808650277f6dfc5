"""`rhobin convert`: parameters or vertices of one body model as parameters of SMPL-H or SMPL."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from rhobin.body.model import BodyModel

COLUMNS = {72: "smpl", 156: "smplh", 165: "smplx"}
NAMES = {"poses": ("poses", "pose"), "betas": ("betas", "beta"), "trans": ("trans", "transl", "translation")}
CHUNK = 64
SMALLEST, LARGEST = 0.4, 3.0  # metres that a body spans, crouching child to outstretched adult
ENDLESS = 1e4  # radians, shape coefficients and metres that no body has


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "source",
        type=Path,
        help=".npz or .pkl with poses (T, 72, 156 or 165), betas, trans, or with verts (T, V, 3)",
    )
    parser.add_argument("target", type=Path, help=".npz to write: poses, betas, trans, gender, error_mm")
    parser.add_argument("--to", choices=("smplh", "smpl"), required=True, help="the model wanted")
    parser.add_argument(
        "--gender", choices=("female", "male", "neutral"), help="where the file does not tell"
    )
    parser.add_argument(
        "--body",
        type=Path,
        help="folder of licensed files of both models, or standin (SMPL-H only); not needed with --copy",
    )
    parser.add_argument(
        "--copy",
        action="store_true",
        help="copy the rotations and shape, hands by the index knuckle, instead of fitting the surface",
    )
    parser.add_argument(
        "--transfer",
        type=Path,
        help="sparse matrix (.npz or .pkl, key mtx) from the given to SMPL's vertices; SMPL-X needs it",
    )
    parser.add_argument(
        "--shared-shape", action="store_true", help="one person: the same betas in every frame"
    )
    parser.add_argument("--steps", type=int, default=6, help="Gauss-Newton steps of the fit (default: 6)")


def run(args: argparse.Namespace) -> int:
    """Convert one file; returns 1 when that is not possible, with the reason."""
    import numpy as np

    try:
        content = _read(args.source)
        result = _copied(args, content) if args.copy else _fitted(args, content)
    except (ValueError, OSError) as error:
        print(f"rhobin convert: {error}", file=sys.stderr)
        return 1
    args.target.parent.mkdir(parents=True, exist_ok=True)
    np.savez(args.target, **result)
    distance, fitted = result.get("error_mm"), ""
    if distance is not None:
        fitted = f", surface within {distance.mean():.2f} mm (worst frame {distance.max():.2f})"
    print(f"{args.target}: {len(result['poses'])} frames of {args.to}{fitted}")
    return 0


def _read(path: Path) -> dict[str, Any]:

    from rhobin.pickles import load_pickle, read_npz

    if path.suffix.lower() == ".pkl":
        content = load_pickle(path)
        if not isinstance(content, dict):
            raise ValueError(f"{path}: expected a dictionary, found {type(content).__name__}")
    else:
        content = read_npz(path)
    if "verts" in content:
        verts = _array(path, "verts", content["verts"])
        if verts.ndim not in (2, 3) or verts.shape[-1] != 3:
            raise ValueError(f"{path}: verts: expected shape (T, V, 3), found {verts.shape}")
        verts = verts.reshape(-1, *verts.shape[-2:])
        _check_size(path, verts)
        return {**content, "verts": verts}
    return {**content, **_parameters(path, content)}


def _parameters(path: Path, content: dict[str, Any]) -> "dict[str, np.ndarray]":

    found = {}
    for name, aliases in NAMES.items():
        key = next((alias for alias in aliases if alias in content), None)
        if key is None:
            raise ValueError(f"{path}: {name}: expected this key or verts, found {sorted(content)}")
        found[name] = _numbers(path, name, content[key])
    frames, columns = found["poses"].shape
    if columns not in COLUMNS:
        raise ValueError(f"{path}: poses: expected 72, 156 or 165 numbers a frame, found {columns}")
    smplx = COLUMNS[columns] == "smplx"
    found["betas"] = _betas(path, found["betas"], frames, smplx)
    if smplx and "expression" in content:
        found["expression"] = _numbers(path, "expression", content["expression"])
    if found["trans"].shape != (frames, 3):
        raise ValueError(f"{path}: trans: expected shape {(frames, 3)}, found {found['trans'].shape}")
    for name, values in found.items():
        _check_finite(path, name, values)
    return found


def _numbers(path: Path, name: str, value: Any) -> "np.ndarray":
    """Numbers of frames, (T, N)."""
    import numpy as np

    values = np.atleast_2d(_array(path, name, value))
    if values.ndim > 2:
        raise ValueError(f"{path}: {name}: expected a row of numbers a frame, found shape {values.shape}")
    return values


def _array(path: Path, name: str, value: Any) -> "np.ndarray":
    import numpy as np

    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {name}: expected numbers, found {error}") from error


def _betas(path: Path, betas: "np.ndarray", frames: int, smplx: bool) -> "np.ndarray":
    """Shape coefficients of every frame: 10, or as many as an SMPL-X file has."""
    import numpy as np

    wanted = f"(10,) or ({frames}, 10)" + (", or more numbers, for SMPL-X" if smplx else "")
    if betas.shape[0] not in (1, frames) or betas.shape[1] < 10:
        raise ValueError(f"{path}: betas: expected shape {wanted}, found {betas.shape}")
    if not smplx and np.abs(betas[:, 10:]).max(initial=0) > 0:
        raise ValueError(
            f"{path}: betas: expected {wanted}, found {betas.shape[1]} numbers, and those beyond the tenth "
            "are not 0. Pose the body with all of them, save its verts, and convert these"
        )
    kept = betas if smplx else betas[:, :10]
    return np.broadcast_to(kept, (frames, kept.shape[1])).copy()


def _check_finite(path: Path, name: str, values: "np.ndarray") -> None:
    import numpy as np

    sound = (np.abs(values) < ENDLESS).reshape(len(values), -1).all(1)
    bad = np.flatnonzero(~sound)
    if bad.size:
        raise ValueError(
            f"{path}: {name}: expected finite numbers below {ENDLESS:g}; frame {bad[0]} has others "
            f"({bad.size} of {len(values)} frames); leave such out"
        )


def _check_size(path: Path, verts: "np.ndarray") -> None:
    """Refuse surfaces that are no person's in metres."""
    import numpy as np

    _check_finite(path, "verts", verts)
    size = np.ptp(verts, axis=1).max(1)
    bad = np.flatnonzero((size < SMALLEST) | (size > LARGEST))
    if bad.size:
        raise ValueError(
            f"{path}: verts: expected metres, a person of {SMALLEST} to {LARGEST}; frame {bad[0]} is "
            f"{size[bad[0]]:.4g} wide or high. Millimetres have to be divided by 1000"
        )


def _gender(args: argparse.Namespace, content: dict[str, Any]) -> str:
    from rhobin.types import GENDERS, gender_name

    gender = args.gender or gender_name(content.get("gender", ""))
    if gender not in GENDERS:
        raise ValueError(
            f"{args.source}: gender: expected male, female or neutral, found {gender!r}; say --gender"
        )
    return gender


def _copied(args: argparse.Namespace, content: dict[str, Any]) -> dict[str, Any]:
    import torch

    from rhobin.body.convert import smpl_to_smplh, smplh_to_smpl
    from rhobin.geometry.rotation import rotmat_to_rotvec, rotvec_to_rotmat

    if "poses" not in content:
        raise ValueError(f"{args.source}: poses: expected this key with --copy, found only verts")
    if content["poses"].shape[1] == 165:
        raise ValueError(
            f"{args.source}: poses: expected 72 or 156 numbers with --copy, found SMPL-X's 165, whose "
            "hands and shape are another model's; leave out --copy and give --transfer"
        )
    poses = torch.from_numpy(content["poses"])
    theta = rotvec_to_rotmat(poses.unflatten(-1, (-1, 3)))
    if COLUMNS[poses.shape[1]] != args.to:
        theta = smpl_to_smplh(theta) if args.to == "smplh" else smplh_to_smpl(theta)
    result = {"poses": rotmat_to_rotvec(theta).flatten(1).numpy(), "gender": _gender(args, content)}
    return {**result, "betas": content["betas"], "trans": content["trans"]}


def _fitted(args: argparse.Namespace, content: dict[str, Any]) -> dict[str, Any]:
    import numpy as np
    import torch

    from rhobin.body.fit import BodyFitter
    from rhobin.body.load import load_body
    from rhobin.body.transfer import transfer_vertices
    from rhobin.geometry.rotation import rotmat_to_rotvec

    gender, folder = _gender(args, content), _asked_body(args)
    body = load_body(gender, folder, torch.float32, args.to)
    surface = transfer_vertices(args.transfer, _surface(folder, content, gender), body.n_verts)
    verts = torch.from_numpy(surface).float()
    fitter = BodyFitter(body)
    parts = [verts] if args.shared_shape else verts.split(CHUNK)
    fits = [fitter.verts(part, steps=args.steps, shared_shape=args.shared_shape) for part in parts]
    joined = {
        name: torch.cat([getattr(fit, name) for fit in fits]) for name in ("theta", "beta", "trans", "error")
    }
    return {
        "poses": rotmat_to_rotvec(joined["theta"].double()).flatten(1).numpy(),
        "betas": joined["beta"].double().numpy(),
        "trans": joined["trans"].double().numpy(),
        "gender": np.array(gender),
        "error_mm": 1000 * joined["error"].double().numpy(),
    }


def _asked_body(args: argparse.Namespace) -> Path | None:
    """The folder of `--body`, or None for the stand-in, if it was asked for."""
    from rhobin.body.chosen import body_folder

    if args.body is None:
        raise ValueError(
            f"{args.source}: expected the body models of its people, found no --body. Say --body FOLDER of "
            "licensed files, or --body standin for people of generated data"
        )
    return body_folder(args.body)


def _surface(folder: Path | None, content: dict[str, Any], gender: str) -> "np.ndarray":
    """Vertices (T, V, 3): as given, or posed by the source's model; SMPL-X by the smplx package."""
    import torch

    from rhobin.body.licensed import smplx_vertices
    from rhobin.body.load import find, load_body
    from rhobin.geometry.rotation import rotvec_to_rotmat

    if "verts" in content:
        return content["verts"]
    kind = COLUMNS[content["poses"].shape[1]]
    poses, betas, trans = (torch.from_numpy(content[name]) for name in ("poses", "betas", "trans"))
    if kind == "smplx":
        face = None if "expression" not in content else torch.from_numpy(content["expression"])
        path = find(gender, folder, kind)
        return smplx_vertices(path, kind, gender, poses, betas, trans, face).numpy()
    body: BodyModel = load_body(gender, folder, torch.float64, kind)
    with torch.no_grad():
        return body(rotvec_to_rotmat(poses.unflatten(-1, (-1, 3))), betas, trans).verts.numpy()
