# Fine-tuning of an RTMDet-tiny that starts from your own mmdet checkpoint (.pth).
_base_ = ["mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py", "base.py"]

model = dict(_scope_="mmdet", backbone=dict(init_cfg=None), bbox_head=dict(num_classes=1))
optimizer = dict(type="AdamW", weight_decay=0.05)
