"""What a study leaves for people: the best trial as an experiment, and a page about all of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

from rhobin.engine.runinfo import read_run
from rhobin.engine.search.best import command_to_train, write_best
from rhobin.engine.search.plan import Plan
from rhobin.engine.search.study import Study
from rhobin.files import write_text
from rhobin.reports.study_charts import TrialRow
from rhobin.reports.study_page import StudyFacts, study_page

PAGE = "study.html"
ENOUGH = 6
"""Complete trials from which on the importance of settings is estimated."""


def best_trial(plan: Plan, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The complete trial with the best value, the first of equal ones; None where there is none."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    sign = -1.0 if plan.higher_is_better else 1.0
    return min(complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number), default=None)


def write_results(study: Study) -> None:
    """Write page and best experiment of the trials so far; processes do so one after the other."""
    plan = study.plan
    with study.lock("study").held():
        trials = study.trials()
        best = best_trial(plan, trials)
        if best is not None:
            write_best(plan, best, sum(trial.state.is_finished() for trial in trials))
        facts = StudyFacts(
            name=plan.study,
            experiment=plan.experiment,
            metric=plan.metric,
            higher_is_better=plan.higher_is_better,
            planned=plan.trials,
            space=plan.space,
            further=further_facts(plan),
        )
        rows = [row(plan, trial) for trial in trials]
        write_text(plan.folder / PAGE, study_page(facts, rows, importance(study.optuna, trials)))


def row(plan: Plan, trial: FrozenTrial) -> TrialRow:
    """A trial as the page shows it; a pruned one with its last score."""
    scores = trial.intermediate_values
    last = scores[max(scores)] if scores else None
    return TrialRow(
        number=trial.number,
        state=trial.state.name.lower().replace("fail", "failed"),
        value=trial.value if trial.state == TrialState.COMPLETE else last,
        seconds=read_run(plan.run_dir(trial.number)).get("seconds"),
        reason=trial.user_attrs.get("reason", ""),
        values=trial.params,
    )


def importance(study: optuna.Study, trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Share of each setting in what tells the best trials from all, by PED-ANOVA; empty for few trials."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if len(complete) < ENOUGH or len({trial.value for trial in complete}) == 1:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(
        target_quantile=max(0.1, min(0.5, 5 / len(complete))), region_quantile=1.0, evaluate_on_local=True
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that parameters of one value have no importance
        return optuna.importance.get_param_importances(study, evaluator=evaluator)


def further_facts(plan: Plan) -> dict[str, str]:
    """Settings of the search, by name."""
    pruner = plan.pruner
    return {
        "every trial": " ".join(plan.overrides) or "the experiment as it is",
        "sampler": f"TPE, {plan.sampler['n_startup_trials']} random trials first, seed {plan.seed}",
        "pruner": f"keeps the best {pruner['percentile']:g} % at each score" if pruner else "none",
        "study": plan.storage or "journal.log in this folder",
        "train the best": command_to_train(plan),
    }
