"""The same of XGBoost, LightGBM and CatBoost; `ending` and `save` where their own files are wanted."""

from __future__ import annotations

from typing import Any

import catboost
import lightgbm
import numpy as np
import xgboost
from estimators import Made, pipe, scaled


def _own(model: Any, path: str) -> None:
    model.save_model(path)


def _text(model: Any, path: str) -> None:
    model.booster_.save_model(path)


def _catboost(model: Any, path: str) -> None:
    model.save_model(path, format="json")


def _some_empty(x: Any) -> Any:
    x = x.copy()
    x[np.random.default_rng(len(x)).random(x.shape) < 0.1] = np.nan
    return x


def _xgb(**more: Any) -> Any:
    return lambda s: xgboost.XGBClassifier(n_estimators=12, max_depth=4, random_state=s, **more)


def _xgb_values(**more: Any) -> Any:
    return lambda s: xgboost.XGBRegressor(n_estimators=12, max_depth=4, random_state=s, **more)


def _lgbm(**more: Any) -> Any:
    return lambda s: lightgbm.LGBMClassifier(n_estimators=9, num_leaves=9, verbose=-1, random_state=s, **more)


def _lgbm_values(**more: Any) -> Any:
    return lambda s: lightgbm.LGBMRegressor(n_estimators=9, num_leaves=9, verbose=-1, random_state=s, **more)


def _cat(**more: Any) -> Any:
    more = {"iterations": 9, "depth": 4, "verbose": False, "allow_writing_files": False, **more}
    return lambda s: catboost.CatBoostClassifier(random_seed=s, **more)


def _cat_values(**more: Any) -> Any:
    more = {"iterations": 9, "depth": 4, "verbose": False, "allow_writing_files": False, **more}
    return lambda s: catboost.CatBoostRegressor(random_seed=s, **more)


JSON, UBJ = {"ending": "json", "save": _own}, {"ending": "ubj", "save": _own}
TXT, CAT = {"ending": "txt", "save": _text}, {"ending": "json", "save": _catboost}
BOOSTERS: dict[str, Made] = {
    "xgb": ("wine", _xgb(), JSON),
    "xgb_two": ("cancer", _xgb(), UBJ),
    "xgb_missing": ("cancer", _xgb(), {**UBJ, "before": _some_empty}),
    "xgb_dart": ("cancer", _xgb(booster="dart", rate_drop=0.3), JSON),
    "xgb_parallel": ("wine", _xgb(num_parallel_tree=3, subsample=0.7), JSON),
    "xgb_joblib": ("wine", _xgb(), {}),
    "xgb_scaled": ("cancer", lambda s: pipe(scaled(), _xgb()(s)), {}),
    "xgb_values": ("diabetes", _xgb_values(), JSON),
    "xgb_poisson": ("diabetes", _xgb_values(objective="count:poisson"), UBJ),
    "xgb_gamma": ("diabetes", _xgb_values(objective="reg:gamma"), JSON),
    "xgb_absolute": ("diabetes", _xgb_values(objective="reg:absoluteerror"), JSON),
    "xgb_forest": ("diabetes", lambda s: xgboost.XGBRFRegressor(n_estimators=20, random_state=s), UBJ),
    "lgbm": ("wine", _lgbm(), TXT),
    "lgbm_two": ("cancer", _lgbm(), TXT),
    "lgbm_missing": ("cancer", _lgbm(), {**TXT, "before": _some_empty}),
    "lgbm_joblib": ("wine", _lgbm(), {"texts": True}),
    "lgbm_scaled": ("cancer", lambda s: pipe(scaled(), _lgbm()(s)), {}),
    "lgbm_forest": ("cancer", _lgbm(boosting_type="rf", bagging_freq=1, bagging_fraction=0.7), TXT),
    "lgbm_alone": ("wine", _lgbm(objective="multiclassova"), TXT),
    "lgbm_values": ("diabetes", _lgbm_values(), TXT),
    "lgbm_poisson": ("diabetes", _lgbm_values(objective="poisson"), TXT),
    "lgbm_root": ("diabetes", _lgbm_values(reg_sqrt=True), TXT),
    "cat": ("wine", _cat(), CAT),
    "cat_two": ("cancer", _cat(), CAT),
    "cat_missing": ("cancer", _cat(), {**CAT, "before": _some_empty}),
    "cat_texts": ("wine", _cat(), {**CAT, "texts": True}),
    "cat_alone": ("wine", _cat(loss_function="MultiClassOneVsAll"), CAT),
    "cat_values": ("diabetes", _cat_values(), CAT),
    "cat_poisson": ("diabetes", _cat_values(loss_function="Poisson"), CAT),
}
