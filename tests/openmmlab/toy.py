"""A detector small enough to train in seconds, and pictures of coloured rectangles for it to find."""

import json
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.core.resources import resource
from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.openmmlab.export import export_yolox

WIDTH, HEIGHT = 96, 64
CHANNELS = 8  # of the first layer; the shipped network has 24
YOLOX = resource("configs/detector/yolox_tiny.py")


def tiny_yolox(path: Path) -> None:
    """Writes a narrow YOLOX with random weights as an export."""
    prepare()
    from mmdet.registry import MODELS

    torch.manual_seed(0)
    model = Config.fromfile(YOLOX).model
    wide = [CHANNELS * 4, CHANNELS * 8, CHANNELS * 16]
    model.backbone.widen_factor = CHANNELS / 64
    model.neck.update(in_channels=wide, out_channels=wide[0])
    model.bbox_head.update(in_channels=wide[0], feat_channels=wide[0])
    built = MODELS.build(model)
    built.init_weights()
    export_yolox(built, path)


def rectangles(path: Path, *, pictures: int = 8, seed: int = 0) -> PictureBank:
    """Writes labels of red rectangles in noise to `path`."""
    random = np.random.default_rng(seed)
    images, annotations, bank = [], [], {}
    for number in range(pictures):
        picture = random.integers(30, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        for left, width in ((5, 25), (55, 30)):
            top, height = int(random.integers(2, 15)), int(random.integers(35, 48))
            picture[top : top + height, left : left + width] = (40, 40, 220)
            box = [left, top, width, height]
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": 1, "bbox": box})
        images.append({"id": number, "width": WIDTH, "height": HEIGHT})
        bank[number] = picture
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return PictureBank(bank)
