# Fine-tuning of a Deformable DETR with a ResNet-50, from your own mmdet checkpoint (.pth).
_base_ = ["mmdet::deformable_detr/deformable-detr_r50_16xb2-50e_coco.py", "base.py"]

model = dict(_scope_="mmdet", backbone=dict(init_cfg=None), bbox_head=dict(num_classes=1))
optimizer = dict(type="AdamW", weight_decay=0.0001)
gradient_clip = 0.1  # as in the original: its attention is easily upset
