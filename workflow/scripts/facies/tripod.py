"""The reporting guideline TRIPOD+AI, answered as far as a run knows the answer.

An item that the run answers in part has a second row for what the authors must add.

References
----------
Collins et al., "TRIPOD+AI statement: updated guidance for reporting clinical prediction models
that use regression or machine learning methods", BMJ 385 (2024) e078378. Item numbers are the
statement's; the words are not.
"""

OPEN = None


def checklist(summary: dict, measures: dict, config: dict) -> list[dict]:
    """Rows {item, topic, answer}; ``answer`` is None where only the authors know it."""
    rows = [
        *_front(),
        *_data(summary, config),
        *_analysis(measures, config),
        *_open_science(),
        *_results(summary, config),
        *_discussion(),
    ]
    return [{"item": item, "topic": topic, "answer": answer} for item, topic, answer in rows]


def answered(rows: list[dict]) -> int:
    """How many of the 27 main items have an answer to each of their parts."""
    open_items = {_main(row["item"]) for row in rows if row["answer"] is OPEN}
    return len({_main(row["item"]) for row in rows} - open_items)


def _main(item: str) -> int:
    return int(item.rstrip("abcdefgh"))


def _front():
    return [
        ("1", "Title", OPEN),
        ("2", "Abstract", OPEN),
        ("3a", "Medical background and why a model is wanted", OPEN),
        ("3b", "Whom the model is for, and where in care it would be used", OPEN),
        ("3c", "Known inequalities in health between groups", OPEN),
        ("4", "Aim: development, evaluation or both", OPEN),
    ]


def _data(summary, config):
    unit, clinical = config["cohort"]["time_unit"], config["cohort"]["clinical"]
    columns = ", ".join(clinical) or "none"
    return [
        ("5a", "Source of the data", OPEN),
        ("5b", "Dates of inclusion and of the end of follow-up", OPEN),
        ("6a", "Setting and centres", OPEN),
        ("6b", "Who was eligible", OPEN),
        ("6c", "Treatments received", OPEN),
        (
            "7",
            "Preparation of the data",
            f"Faces were found, turned upright and cropped to {config['resolution']} pixels "
            "by one rule; each photo became a latent code of a tuned generator. What was left "
            "out stands with its reason under Cohort.",
        ),
        ("8a", "Outcome: what, over what time, how and when assessed, and why this one", OPEN),
        ("8b", "Who assessed it, where that takes judgement", OPEN),
        ("8c", "Whether they knew the predictors", OPEN),
        ("9a", "How predictors were chosen", f"Photos, and the clinical columns: {columns}."),
        ("9b", "How and when predictors were measured, and knowing what", OPEN),
        ("9c", "Who measured them, where that takes judgement", OPEN),
        (
            "10",
            "Sample size",
            f"All {summary['patients_used']} usable patients. The target plan_study tells what "
            "precision such a number can give.",
        ),
        ("10", "Why that many are enough", OPEN),
        (
            "11",
            "Missing data",
            "Missing clinical numbers took the training patients' median and an indicator, missing "
            "categories are a category. Patients without photo or outcome were left out "
            f"({summary['patients_in'] - summary['patients_used']} of {summary['patients_in']}); "
            f"follow-up is in {unit}.",
        ),
    ]


def _analysis(measures, config):
    survival = config["survival"]
    horizons = " and ".join(f"{h:.3g}" for h in measures["horizons"])
    return [
        (
            "12a",
            "How the data were used",
            f"{survival['repeats']} x {survival['folds']}-fold cross-validation by patient, folds "
            f"alike in events and times, with {survival['inner_folds']} inner folds for tuning. "
            "The generator was tuned on photos, never on outcomes, of all patients"
            + (
                "; what that gives away stands under Scores."
                if "fold" in config["scopes"]
                else ", the test patients included."
            ),
        ),
        (
            "12b",
            "How predictors entered the models",
            "Codes and pixels on principal axes, numbers standardised, categories as indicators; "
            "all learned in the training folds.",
        ),
        (
            "12c",
            "Models, tuning and internal validation",
            f"{', '.join(survival['models'])}; hyperparameters by the inner folds alone; every "
            "score is out of fold.",
        ),
        ("12d", "Differences between centres", OPEN),
        (
            "12e",
            "Measures of performance",
            "Harrell's and Uno's C, time-dependent AUC, Brier score and IBS; at "
            f"{horizons} {config['cohort']['time_unit']} calibration and net benefit.",
        ),
        ("12f", "Updating of the model", "None was made."),
        (
            "12g",
            "How predictions are calculated",
            "The commit and the versions of all packages stand under The run; the fitted models "
            "are in the results.",
        ),
        ("13", "Imbalance of classes", "No resampling; survival models take events as they come."),
        (
            "14",
            "Fairness",
            "Scores in every group of every clinical column stand under Subgroups.",
        ),
        ("14", "Whether these groups are the ones that matter, and what was done for them", OPEN),
        (
            "15",
            "What the model gives out",
            "A risk score and a survival curve; thirds of risk are those of the training patients.",
        ),
        (
            "16",
            "Differences between training and evaluation data",
            "None by design: folds of one cohort. A cohort from elsewhere was not looked at.",
        ),
        ("17", "Ethical approval and consent", OPEN),
    ]


def _open_science():
    return [
        ("18a", "Funding", OPEN),
        ("18b", "Conflicts of interest", OPEN),
        ("18c", "Protocol", OPEN),
        ("18d", "Registration", OPEN),
        ("18e", "Where the data can be had", OPEN),
        ("18f", "Where the code can be had", "This workflow, at the commit given under The run."),
        ("19", "Involvement of patients and the public", OPEN),
    ]


def _results(summary, config):
    counts = f"{summary['patients_used']} patients with {summary['events']} events"
    followed, unit = summary["follow_up"], config["cohort"]["time_unit"]
    first = config["survival"]["features"][0], config["survival"]["models"][0]
    row = next((r for r in summary["scores"] if (r["features"], r["model"]) == first), None)
    score = (
        f"C {row['c_index']:.3f} ({row['c_index_low']:.3f} to {row['c_index_high']:.3f}) of "
        f"{' and '.join(first)}, which the config names first; the others, and other measures, "
        "under Scores and what follows, groups of patients under Subgroups."
        if row and row["c_index_low"] is not None
        else f"{' and '.join(first)}, which the config names first, could not be scored."
    )
    return [
        (
            "20a",
            "Flow of participants",
            f"{summary['patients_in']} patients in, {counts} analysed; see Cohort. "
            + (
                "The median follow-up lies beyond the last time."
                if followed["value"] is None
                else f"Median follow-up {followed['value']:.3g} {unit} (reverse Kaplan-Meier)."
            ),
        ),
        ("20b", "Characteristics of participants", OPEN),
        ("20c", "Development against evaluation data", "One cohort; see 16."),
        ("21", "Numbers in each analysis", f"{counts}, each tested once a repeat."),
        (
            "22",
            "The model in full",
            "The target bundle packs a linear model, refitted to all patients, for predictions "
            "elsewhere; coefficients and choices of every fold are among the results' fits.",
        ),
        ("23a", "Performance with intervals", score),
        ("23b", "Performance by centre", OPEN),
        ("24", "Results of updating", "None was made."),
    ]


def _discussion():
    return [
        ("25", "Interpretation, and fairness again", OPEN),
        ("26", "Limitations", OPEN),
        ("27a", "Use where photos are poor or values are missing", OPEN),
        ("27b", "What users must do and know", OPEN),
        ("27c", "Next steps, and whether the model holds elsewhere", OPEN),
    ]
