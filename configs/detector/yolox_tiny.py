# Fine-tuning of a YOLOX that starts from an ONNX export of any width and depth; its size is read from the export.
_base_ = "base.py"
custom_imports = dict(imports=["or_mv_anon.openmmlab.taught_yolox"], allow_failed_imports=False)

model = dict(
    _scope_="mmdet",
    type="TaughtYOLOX",
    data_preprocessor=dict(type="DetDataPreprocessor", pad_size_divisor=32, pad_value=114),
    backbone=dict(
        type="CSPDarknet",
        deepen_factor=0.33,
        widen_factor=0.375,
        out_indices=(2, 3, 4),
        norm_cfg=None,  # folded into the convolutions
        act_cfg=dict(type="Swish"),
    ),
    neck=dict(
        type="YOLOXPAFPN",
        in_channels=[96, 192, 384],
        out_channels=96,
        num_csp_blocks=1,
        norm_cfg=None,
        act_cfg=dict(type="Swish"),
    ),
    bbox_head=dict(
        type="WeightedYOLOXHead",
        num_classes=1,
        in_channels=96,
        feat_channels=96,
        norm_cfg=None,
        act_cfg=dict(type="Swish"),
        ignored_share=0.5,  # of a predicted box inside an ignored region, from which on its objectness is not judged
        taught="unlabelled",  # the teacher speaks where no trusted label does: against forgetting
        least_taught_score=0.05,  # the teacher's boxes below this score teach neither class nor place
    ),
    train_cfg=dict(assigner=dict(type="SimOTAAssigner", center_radius=2.5)),
    test_cfg=dict(score_thr=0.01, nms=dict(type="nms", iou_threshold=0.65)),
)

optimizer = dict(type="AdamW", weight_decay=0.0005)
bfloat16 = True
