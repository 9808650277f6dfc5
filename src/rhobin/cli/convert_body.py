"""`rhobin convert-body`: check a licensed body model and write it without pickles."""

import argparse
import sys
from pathlib import Path

GENDERS = ("female", "male", "neutral")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("source", type=Path, nargs="+", help="SMPL, SMPL-H or SMPL-X files, .pkl or .npz")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the .npz files, named SMPLH_male.npz and so on"
    )
    parser.add_argument(
        "--gender", choices=GENDERS, help="of the files; needed only where neither content nor name tells it"
    )


def run(args: argparse.Namespace) -> int:
    """Convert every file; returns 1 when one was refused, with the reason."""
    from rhobin.body.arrays import kind_of, write_arrays

    failed = 0
    for source in args.source:
        try:
            gender = args.gender or _gender(source)
            partial = args.out / f"{source.stem}.converted.npz"
            arrays = write_arrays(source, partial, gender)
            kind = kind_of(len(arrays.parents)).upper()
            target = partial.replace(args.out / f"{kind}_{gender}.npz")
        except (ValueError, OSError) as error:
            print(f"rhobin convert-body: {error}", file=sys.stderr)
            failed += 1
            continue
        size = target.stat().st_size / 1e6
        print(f"{target}: {len(arrays.template)} vertices, {len(arrays.parents)} joints, {size:.1f} MB")
    return int(failed > 0)


def _gender(source: Path) -> str:
    """The gender that a file's name or folder tells: SMPLH_MALE.pkl, male/model.npz, basicmodel_m_lbs_..."""
    for text in (source.stem, source.parent.name):
        words = text.lower().replace("basicmodel_f_", "female_").replace("basicmodel_m_", "male_")
        for gender in GENDERS:  # female before male, which it contains
            if gender in words:
                return gender
    raise ValueError(f"{source}: the name tells no gender; say --gender male, female or neutral")
