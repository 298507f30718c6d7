"""The only room that imports mmengine, mmcv, mmdet and mmpose: load weights, fine-tune, export."""
