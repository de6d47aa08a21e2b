"""The metrics of scikit-learn, and exact AUPRO."""

import numpy as np
from scipy import ndimage
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score


def ranking(label, score):
    """AUROC, AP and F1-max."""
    precision, recall, _ = precision_recall_curve(label, score)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return {
        "auroc": float(roc_auc_score(label, score)),
        "ap": float(average_precision_score(label, score)),
        "f1max": float(f1.max()),
    }


def regions(masks):
    """Each picture's 8-connected components, numbered 1, 2, ... over all pictures; 0 is normal."""
    numbered, count = np.zeros(masks.shape, dtype=np.int64), 0
    for picture, mask in enumerate(masks):
        components, found = ndimage.label(mask, structure=np.ones((3, 3)))
        numbered[picture] = np.where(components > 0, components + count, 0)
        count += found
    return numbered, count


def aupro(maps, masks, limit):
    """Area under PRO over FPR up to the limit, divided by it; maps and masks [pictures, H, W]."""
    numbered, count = regions(masks)
    sizes = np.bincount(numbered.ravel(), minlength=count + 1)
    order = np.argsort(-maps.ravel(), kind="stable")
    scores, region = maps.ravel()[order], numbered.ravel()[order]
    last_of_score = np.append(scores[1:] != scores[:-1], True)
    normal = np.cumsum(region == 0)[last_of_score] / sizes[0]
    share = np.where(region > 0, 1 / (sizes[region] * count), 0)
    overlap = np.cumsum(share)[last_of_score]
    fpr, pro = np.append(0, normal), np.append(0, overlap)
    at_limit = np.interp(limit, fpr, pro)
    inside = fpr < limit
    return float(np.trapezoid(np.append(pro[inside], at_limit), np.append(fpr[inside], limit)) / limit)
