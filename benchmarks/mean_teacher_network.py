# mmengine configuration of `mean_teacher.py`: the shipped network, taught by its own running average.
_base_ = "../configs/detector/yolox_tiny.py"
custom_imports = dict(imports=["benchmarks.mean_teacher_yolox"], allow_failed_imports=False)

model = dict(
    type="MeanTeacherYOLOX",
    least_score=0.6,  # as in plain self-training
    most_overlap=0.65,  # as in detection
    follow=0.02,  # average_momentum of the adaptation; the usual 0.001 hardly moves in a few hundred steps
    strong={{_base_.augmentation}},
)

augmentation = dict(  # of the pictures that the average looks at: weak, and nothing in front of people
    scale=(0.8, 1.25),
    towards_person=0.0,
    occluder=0.0,
    gain=(0.95, 1.05),
    colour_gain=(0.98, 1.02),
    gamma=(0.95, 1.05),
    grey=0.0,
    blur=0.0,
    jpeg=0.0,
    noise=0.0,
)
