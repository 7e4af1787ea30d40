"""The public names for writing a custom loss, each imported when it is used.

from losscli.custom import Positive, Regression, loss

def short(batch: Regression, *, slope: Positive = 2.0):
    e = batch.error
    return batch.xp.where(e < 0, -slope * e, e)
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from losscli.catalog.custom.function import loss as loss
    from losscli.catalog.params import AtLeastOne as AtLeastOne
    from losscli.catalog.params import Count as Count
    from losscli.catalog.params import NonNegative as NonNegative
    from losscli.catalog.params import OpenUnit as OpenUnit
    from losscli.catalog.params import Positive as Positive
    from losscli.catalog.params import Real as Real
    from losscli.catalog.params import Unit as Unit
    from losscli.catalog.params import UnitBelowOne as UnitBelowOne
    from losscli.numeric.ranges import Range as Range
    from losscli.states.reductions import Reduction as Reduction
    from losscli.states.reductions import largest as largest
    from losscli.states.reductions import mean as mean
    from losscli.states.reductions import ratio as ratio
    from losscli.states.reductions import root as root
    from losscli.states.reductions import root_ratio as root_ratio
    from losscli.tasks.binary import Bernoulli as Bernoulli
    from losscli.tasks.binary import Binary as Binary
    from losscli.tasks.binary import BinaryAgreement as BinaryAgreement
    from losscli.tasks.binary import BinaryLabel as BinaryLabel
    from losscli.tasks.binary import BinaryOutcome as BinaryOutcome
    from losscli.tasks.binary import BinaryScore as BinaryScore
    from losscli.tasks.binary import BinarySoftScore as BinarySoftScore
    from losscli.tasks.bounded import BoundedLogistic as BoundedLogistic
    from losscli.tasks.bounded import BoundedLogisticWithMass as BoundedLogisticWithMass
    from losscli.tasks.bounded import BoundedNormal as BoundedNormal
    from losscli.tasks.bounded import BoundedNormalWithMass as BoundedNormalWithMass
    from losscli.tasks.bounded import BoundedStudentT as BoundedStudentT
    from losscli.tasks.bounded import BoundedStudentTWithMass as BoundedStudentTWithMass
    from losscli.tasks.classes import Multiclass as Multiclass
    from losscli.tasks.classes import MulticlassAgreement as MulticlassAgreement
    from losscli.tasks.classes import MulticlassLabel as MulticlassLabel
    from losscli.tasks.classes import MulticlassOutcome as MulticlassOutcome
    from losscli.tasks.classes import MulticlassScore as MulticlassScore
    from losscli.tasks.classes import OneVsAll as OneVsAll
    from losscli.tasks.contrastive import LabeledVectors as LabeledVectors
    from losscli.tasks.distribution import Beta as Beta
    from losscli.tasks.distribution import Binomial as Binomial
    from losscli.tasks.distribution import Exponential as Exponential
    from losscli.tasks.distribution import Gamma as Gamma
    from losscli.tasks.distribution import Hypergeometric as Hypergeometric
    from losscli.tasks.distribution import Laplace as Laplace
    from losscli.tasks.distribution import Logistic as Logistic
    from losscli.tasks.distribution import LogNormal as LogNormal
    from losscli.tasks.distribution import NegativeBinomial as NegativeBinomial
    from losscli.tasks.distribution import Normal as Normal
    from losscli.tasks.distribution import Poisson as Poisson
    from losscli.tasks.distribution import StudentT as StudentT
    from losscli.tasks.distribution import Uniform as Uniform
    from losscli.tasks.embedding import BooleanPair as BooleanPair
    from losscli.tasks.embedding import PairDistance as PairDistance
    from losscli.tasks.embedding import SimilarPair as SimilarPair
    from losscli.tasks.embedding import VectorPair as VectorPair
    from losscli.tasks.ensemble import Ensemble as Ensemble
    from losscli.tasks.ensemble import MultivariateEnsemble as MultivariateEnsemble
    from losscli.tasks.ensemble import WeightedEnsemble as WeightedEnsemble
    from losscli.tasks.grouped import BinaryRelevance as BinaryRelevance
    from losscli.tasks.grouped import Relevance as Relevance
    from losscli.tasks.hazard import Cohort as Cohort
    from losscli.tasks.mixture import NormalMixture as NormalMixture
    from losscli.tasks.multilabel import Multilabel as Multilabel
    from losscli.tasks.multilabel import MultilabelAgreement as MultilabelAgreement
    from losscli.tasks.multilabel import MultilabelLabel as MultilabelLabel
    from losscli.tasks.multilabel import MultilabelOutcome as MultilabelOutcome
    from losscli.tasks.multilabel import MultilabelScore as MultilabelScore
    from losscli.tasks.quantile import CentralQuantile as CentralQuantile
    from losscli.tasks.quantile import Interval as Interval
    from losscli.tasks.quantile import Quantile as Quantile
    from losscli.tasks.quantile import ScaledInterval as ScaledInterval
    from losscli.tasks.ranking import ScorePair as ScorePair
    from losscli.tasks.regression import Benchmarked as Benchmarked
    from losscli.tasks.regression import Regression as Regression
    from losscli.tasks.regression import Scaled as Scaled
    from losscli.tasks.segmentation import ClassMask as ClassMask
    from losscli.tasks.segmentation import ClassScores as ClassScores
    from losscli.tasks.segmentation import Mask as Mask
    from losscli.tasks.segmentation import WeightedClassScores as WeightedClassScores
    from losscli.tasks.sequence import Frames as Frames
    from losscli.tasks.skewed import CensoredShiftedGamma as CensoredShiftedGamma
    from losscli.tasks.skewed import ExponentialWithMass as ExponentialWithMass
    from losscli.tasks.skewed import GeneralizedExtremeValue as GeneralizedExtremeValue
    from losscli.tasks.skewed import GeneralizedPareto as GeneralizedPareto
    from losscli.tasks.skewed import GeneralizedParetoWithMass as GeneralizedParetoWithMass
    from losscli.tasks.skewed import LogLaplace as LogLaplace
    from losscli.tasks.skewed import LogLogistic as LogLogistic
    from losscli.tasks.skewed import ShiftedExponential as ShiftedExponential
    from losscli.tasks.skewed import TwoPieceExponential as TwoPieceExponential
    from losscli.tasks.skewed import TwoPieceNormal as TwoPieceNormal
    from losscli.tasks.survival import Lifetime as Lifetime
    from losscli.tasks.text import CharacterEdits as CharacterEdits
    from losscli.tasks.text import WordEdits as WordEdits
    from losscli.tasks.triplet import Triplet as Triplet

_HOMES = {
    "losscli.catalog.custom.function": "loss",
    "losscli.catalog.params": "AtLeastOne Count NonNegative OpenUnit Positive Real Unit UnitBelowOne",
    "losscli.numeric.ranges": "Range",
    "losscli.states.reductions": "Reduction largest mean ratio root root_ratio",
    "losscli.tasks.binary": "Bernoulli Binary BinaryAgreement BinaryLabel BinaryOutcome BinaryScore "
    "BinarySoftScore",
    "losscli.tasks.bounded": "BoundedNormal BoundedLogistic BoundedStudentT BoundedNormalWithMass "
    "BoundedLogisticWithMass BoundedStudentTWithMass",
    "losscli.tasks.classes": "Multiclass MulticlassAgreement MulticlassLabel MulticlassOutcome "
    "MulticlassScore OneVsAll",
    "losscli.tasks.contrastive": "LabeledVectors",
    "losscli.tasks.distribution": "Normal Logistic Laplace StudentT LogNormal Exponential Gamma Beta Uniform "
    "Poisson Binomial NegativeBinomial Hypergeometric",
    "losscli.tasks.embedding": "BooleanPair PairDistance SimilarPair VectorPair",
    "losscli.tasks.ensemble": "Ensemble MultivariateEnsemble WeightedEnsemble",
    "losscli.tasks.grouped": "BinaryRelevance Relevance",
    "losscli.tasks.hazard": "Cohort",
    "losscli.tasks.mixture": "NormalMixture",
    "losscli.tasks.multilabel": "Multilabel MultilabelAgreement MultilabelLabel MultilabelOutcome "
    "MultilabelScore",
    "losscli.tasks.quantile": "CentralQuantile Interval Quantile ScaledInterval",
    "losscli.tasks.ranking": "ScorePair",
    "losscli.tasks.regression": "Benchmarked Regression Scaled",
    "losscli.tasks.segmentation": "ClassMask ClassScores Mask WeightedClassScores",
    "losscli.tasks.sequence": "Frames",
    "losscli.tasks.skewed": "GeneralizedExtremeValue GeneralizedPareto GeneralizedParetoWithMass "
    "ShiftedExponential ExponentialWithMass TwoPieceNormal TwoPieceExponential "
    "LogLogistic LogLaplace CensoredShiftedGamma",
    "losscli.tasks.survival": "Lifetime",
    "losscli.tasks.text": "CharacterEdits WordEdits",
    "losscli.tasks.triplet": "Triplet",
}
"""The names that each module defines."""
_MODULES = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'losscli.custom' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
