"""The study that processes share: its storage, and what it must have in common with the plan."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from rhobin.engine.resume import differences
from rhobin.engine.search.locks import FileLock, JournalLock
from rhobin.engine.search.plan import Plan, plan_identity
from rhobin.files import read_json, write_json

JOURNAL, CARD, LOCKS = "journal.log", "study.json", ".locks"


@dataclass(frozen=True)
class Study:
    """A study in its storage, and the plan that is worked on.

    Attributes:
        plan: the search.
        storage: where Optuna keeps it.
        optuna: the study in it.
    """

    plan: Plan
    storage: BaseStorage
    optuna: optuna.Study

    def lock(self, name: str) -> FileLock:
        """A lock that all processes of the study share, by its name."""
        return FileLock(self.plan.folder / LOCKS / name)

    def trials(self) -> list[FrozenTrial]:
        """All trials by number."""
        return self.optuna.get_trials(deepcopy=False)

    def report(self, number: int, step: int, score: float) -> None:
        """Keep a score of a trial that runs; one of the same step is replaced."""
        self.storage.set_trial_intermediate_value(self._id(number), step, score)

    def note(self, number: int, key: str, value: Any) -> None:
        """Keep something else about a trial that runs."""
        self.storage.set_trial_user_attr(self._id(number), key, value)

    def end(self, number: int, state: TrialState, value: float | None = None, reason: str = "") -> None:
        """End a trial, with its value or the reason why it has none."""
        if reason:
            self.note(number, "reason", reason)
        self.optuna.tell(number, value, state)

    def _id(self, number: int) -> int:
        return self.trials()[number]._trial_id


def open_study(plan: Plan) -> Study:
    """Open the study of a plan, or make it.

    Raises:
        OSError: the folder cannot be written.
        ValueError: the study has another search or another folder, or the folder another study.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    identity = json.loads(json.dumps(plan_identity(plan)))
    with FileLock(plan.folder / LOCKS / "study").held():
        check_folder(plan)
        storage = open_storage(plan)
        found = optuna.create_study(
            storage=storage, study_name=plan.study, direction=plan.direction, load_if_exists=True
        )
        check_same(plan, found.user_attrs, identity)
        if "identity" not in found.user_attrs:
            check_no_trials(plan)
            card = {"study": plan.study, "id": secrets.token_hex(8)}
            write_json(plan.folder / CARD, card)
            found.set_user_attr("id", card["id"])
            found.set_user_attr("identity", identity)
    return Study(plan, storage, found)


def open_storage(plan: Plan) -> BaseStorage:
    """The journal in the study's folder, or the database that the plan names.

    Raises:
        ValueError: it cannot be opened.
    """
    try:
        if plan.storage:
            return RDBStorage(plan.storage)
        journal = plan.folder / JOURNAL
        lock = JournalLock(journal, plan.folder / LOCKS / "journal")
        return JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))
    except OSError:
        raise
    except Exception as error:
        place = f"sweep.storage={plan.storage}" if plan.storage else str(plan.folder / JOURNAL)
        raise ValueError(f"{place} cannot be opened ({type(error).__name__}: {error})") from error


def check_folder(plan: Plan) -> None:
    """Refuse a folder that holds another study, whose trials have the same names.

    Raises:
        ValueError: naming both studies.
    """
    other = read_card(plan.folder).get("study", plan.study)
    if other != plan.study:
        raise ValueError(
            f"{plan.folder} holds the study {other}, expected a folder of its own for {plan.study}: give it "
            f"another sweep.folder, or go on with the one that is there by sweep.study={other}"
        )


def check_no_trials(plan: Plan) -> None:
    """Refuse to begin a study in a folder that has trials already.

    Raises:
        ValueError: naming one, and where the study was looked for.
    """
    left = next(iter(sorted(plan.folder.glob("trial_*"))), None)
    if left is not None:
        raise ValueError(
            f"{left} is a trial of a study that {plan.storage or plan.folder / JOURNAL} does not know. Give "
            "the study's own sweep.storage, or begin another one with sweep.folder=FOLDER"
        )


def check_same(plan: Plan, attributes: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    """Refuse a study of another search, or one whose runs are in another folder.

    Raises:
        ValueError: saying what differs.
    """
    if "id" in attributes and read_card(plan.folder).get("id") != attributes["id"]:
        raise ValueError(
            f"the study {plan.study} in {plan.storage or plan.folder} belongs to another folder than "
            f"{plan.folder}, which all processes and machines that work on it must share. Give that one with "
            "sweep.folder=FOLDER, or begin another study with sweep.study=NAME sweep.folder=FOLDER"
        )
    changes = differences(attributes["identity"], identity) if "identity" in attributes else []
    if changes:
        raise ValueError(
            f"{plan.folder} holds the study of another search; study -> now:\n  "
            + "\n  ".join(changes)
            + "\nUndo the changes, or begin another study with sweep.study=NAME sweep.folder=FOLDER"
        )


def read_card(folder: Path) -> dict[str, Any]:
    """What the folder says about its study; empty where it has none."""
    try:
        return read_json(folder / CARD)
    except FileNotFoundError:
        return {}
