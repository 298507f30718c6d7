# A YOLOX that finds people and heads in one pass and is to know any room: `tools/train_detector.py`. It starts from an
# ONNX export of any width and depth, whose person also is the first guess of a head.
_base_ = "yolox_tiny.py"
custom_imports = dict(imports=["or_mv_anon.openmmlab.classwise"], allow_failed_imports=False)

model = dict(
    type="ClasswiseYOLOX",
    bbox_head=dict(
        type="ClasswiseYOLOXHead",
        num_classes=2,  # person, head
        least_positives=4.0,  # cells per picture that losses are divided by at least: many pictures show nobody
    ),
)

augmentation = dict(
    scale=(0.6, 2.0),
    occluder=0.2,
    gain=(0.5, 1.6),
    grey=0.15,
    blur=0.25,
)
changes = dict(
    turned=0.5,  # share of pictures that are turned ...
    right_angle=0.35,  # ... of these by 90, 180 or 270 degrees ...
    slight=0.3,  # ... and by a little, the others by any angle
    slight_degrees=20.0,
    drape=0.15,  # share of people over whom cloth is laid, from any side
    drape_share=(0.2, 0.85),  # of such a person's box
    drape_nothing=0.2,  # share of pictures with cloth over anything
    infrared=0.2,  # share of pictures as of a camera at night
    infrared_green=0.4,  # of these with a cast of green
    motion=0.1,  # share of pictures smeared by motion ...
    motion_length=(3.0, 9.0),  # px ... of this length
)
average_momentum = 0.01
