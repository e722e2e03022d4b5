"""The reporting guideline TRIPOD+AI, answered as far as the run can answer it.

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
        ("3a", "Medical background and why a model is needed", OPEN),
        ("3b", "Target population, and where in care the model would be used", OPEN),
        ("3c", "Known health inequalities between groups", OPEN),
        ("4", "Aim: development, evaluation or both", OPEN),
    ]


def _data(summary, config):
    unit, clinical = config["cohort"]["time_unit"], config["cohort"]["clinical"]
    columns = ", ".join(clinical) or "none"
    return [
        ("5a", "Source of the data", OPEN),
        ("5b", "Dates of inclusion and of the end of follow-up", OPEN),
        ("6a", "Setting and centres", OPEN),
        ("6b", "Eligibility criteria", OPEN),
        ("6c", "Treatments received", OPEN),
        (
            "7",
            "Data preparation",
            f"Faces were detected, rotated upright and cropped to {config['resolution']} pixels "
            "by the same rule; each photo was projected to a latent code of a tuned generator. "
            "Exclusions are listed with their reasons under Cohort.",
        ),
        ("8a", "Outcome: definition, time horizon, assessment, and reasons for its choice", OPEN),
        ("8b", "Who assessed it, if this requires judgement", OPEN),
        ("8c", "Whether the assessors knew the predictors", OPEN),
        ("9a", "Choice of predictors", f"Photos, and the clinical columns: {columns}."),
        ("9b", "How and when predictors were measured, and blinding", OPEN),
        ("9c", "Who measured them, if this requires judgement", OPEN),
        (
            "10",
            "Sample size",
            f"All {summary['patients_used']} usable patients. The target plan_study estimates the "
            "precision that this number allows.",
        ),
        ("10", "Why this number is sufficient", OPEN),
        (
            "11",
            "Missing data",
            "Missing clinical numbers were replaced by the training patients' median, with an "
            "indicator; missing categories are a category. Patients without photo or outcome were "
            "excluded "
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
            f"stratified by event, with {survival['inner_folds']} inner folds for tuning. "
            "The generator was tuned on photos, never on outcomes, of all patients"
            + (
                "; the information leakage through it is reported under Scores."
                if config["generator"]["per_fold"]
                else ", the test patients included."
            ),
        ),
        (
            "12b",
            "How predictors entered the models",
            "Principal components of codes and pixels, standardised numbers, indicators of "
            "categories; all fitted in the training folds.",
        ),
        (
            "12c",
            "Models, tuning and internal validation",
            f"{', '.join(survival['models'])}; hyperparameters chosen in the inner folds alone; "
            "every score is out of fold.",
        ),
        ("12d", "Differences between centres", OPEN),
        (
            "12e",
            "Measures of performance",
            "Harrell's and Uno's C, time-dependent AUC, Brier score and IBS; at "
            f"{horizons} {config['cohort']['time_unit']} calibration and net benefit.",
        ),
        ("12f", "Model updating", "None."),
        (
            "12g",
            "How predictions are calculated",
            "The commit and all package versions are listed under The run; the fitted models are "
            "in the results.",
        ),
        ("13", "Class imbalance", "No resampling; survival models use events as observed."),
        (
            "14",
            "Fairness",
            "Scores in every group of every clinical column are listed under Subgroups.",
        ),
        ("14", "Whether these are the relevant groups, and what was done for them", OPEN),
        (
            "15",
            "Output of the model",
            "A risk score and a survival curve; thirds of risk are those of the training patients.",
        ),
        (
            "16",
            "Differences between training and evaluation data",
            "None by design: folds of one cohort. No external cohort was evaluated.",
        ),
        ("17", "Ethical approval and consent", OPEN),
    ]


def _open_science():
    return [
        ("18a", "Funding", OPEN),
        ("18b", "Conflicts of interest", OPEN),
        ("18c", "Protocol", OPEN),
        ("18d", "Registration", OPEN),
        ("18e", "Availability of the data", OPEN),
        ("18f", "Availability of the code", "This workflow, at the commit listed under The run."),
        ("19", "Patient and public involvement", OPEN),
    ]


def _results(summary, config):
    counts = f"{summary['patients_used']} patients with {summary['events']} events"
    followed, unit = summary["follow_up"], config["cohort"]["time_unit"]
    first = config["survival"]["features"][0], config["survival"]["models"][0]
    row = next((r for r in summary["scores"] if (r["features"], r["model"]) == first), None)
    score = (
        f"C {row['c_index']:.3f} ({row['c_index_low']:.3f} to {row['c_index_high']:.3f}) of "
        f"{' and '.join(first)}, named first in the config; other models and measures are "
        "listed under Scores and the sections after it, groups of patients under Subgroups."
        if row and row["c_index_low"] is not None
        else f"{' and '.join(first)}, named first in the config, could not be scored."
    )
    return [
        (
            "20a",
            "Flow of participants",
            f"{summary['patients_in']} patients in the CSV files, {counts} analysed; see Cohort. "
            + (
                "The median follow-up was not reached."
                if followed["value"] is None
                else f"Median follow-up {followed['value']:.3g} {unit} (reverse Kaplan-Meier)."
            ),
        ),
        ("20b", "Characteristics of participants", OPEN),
        ("20c", "Development against evaluation data", "One cohort; see 16."),
        ("21", "Numbers in each analysis", f"{counts}, each tested once per repeat."),
        (
            "22",
            "The model in full",
            "The target bundle exports a linear model, refitted to all patients, for predictions "
            "elsewhere; coefficients and hyperparameters of every fold are in the folder fits of "
            "the results.",
        ),
        ("23a", "Performance with intervals", score),
        ("23b", "Performance by centre", OPEN),
        ("24", "Results of model updating", "None."),
    ]


def _discussion():
    return [
        ("25", "Interpretation, including fairness", OPEN),
        ("26", "Limitations", OPEN),
        ("27a", "Use with poor photos or missing values", OPEN),
        ("27b", "Required actions and knowledge of users", OPEN),
        ("27c", "Next steps, and generalisability", OPEN),
    ]
