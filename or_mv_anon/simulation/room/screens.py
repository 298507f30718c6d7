"""What screens, prints and windows show: vital signs, ventilator, X-ray, endoscope, records with invented patients.

Every name is made up and carries TEST: these pictures stand in for the readable patient data of real rooms.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from or_mv_anon.simulation.room.grain import Picture, noise

PATIENTS = (
    "DOE, JANE TEST",
    "DOE, JOHN TEST",
    "SAMPLE, SAM TEST",
    "MUSTER, MAX TEST",
    "NOBODY, NORA TEST",
    "EXAMPLE, EVA TEST",
    "DUMMY, DORA TEST",
    "FICTION, FINN TEST",
)
GREEN, YELLOW, CYAN, RED, WHITE = (60, 255, 90), (255, 225, 60), (80, 205, 255), (255, 80, 80), (235, 240, 245)


def patient_name(rng: np.random.Generator) -> str:
    """A clearly invented patient."""
    return str(rng.choice(PATIENTS))


def vital_signs(name: str, rng: np.random.Generator) -> Picture:
    """An anaesthesia monitor: four curves with their numbers, the patient's name and bed on top."""
    picture = blank((6, 8, 12))
    _title(picture, f"OR {rng.integers(1, 20)}   {name}   ADULT", rng)
    x = np.arange(360)
    beat = rng.uniform(34, 60)
    phase = (x % beat) / beat
    ecg = np.exp(-(((phase - 0.3) / 0.03) ** 2)) - 0.3 * np.exp(-(((phase - 0.36) / 0.03) ** 2))
    ecg += 0.22 * np.exp(-(((phase - 0.62) / 0.07) ** 2)) + 0.1 * np.exp(-(((phase - 0.14) / 0.04) ** 2))
    pulse = np.exp(-(((phase - 0.35) / 0.14) ** 2)) + 0.35 * np.exp(-(((phase - 0.68) / 0.12) ** 2))
    breath = np.clip(np.sin(2 * np.pi * x / 130), -0.1, 0.75)
    curves = ((ecg, GREEN, 55, 110, "HR"), (pulse, CYAN, 94, 100, "SpO2"), (pulse * 0.9, RED, 95, 140, "ABP"))
    for k, (curve, colour, low, high, label) in enumerate([*curves, (breath, YELLOW, 30, 42, "CO2")]):
        base = 92 + 66 * k
        line = np.stack([x + 8, base - 38 * curve], axis=1).astype(np.int32)
        cv2.polylines(picture, [line], False, colour, 2, cv2.LINE_AA)
        write(picture, label, (380, base - 32), 0.45, colour)
        write(picture, str(rng.integers(low, high)), (410, base + 6), 1.35, colour, 3)
    return picture


def ventilator(name: str, rng: np.random.Generator) -> Picture:
    """An anaesthesia machine's screen: pressure and flow curves, gas fractions, settings along the bottom."""
    picture = blank((22, 28, 40) if rng.random() < 0.5 else (205, 212, 218))
    ink = WHITE if picture.mean() < 100 else (20, 30, 50)
    write(picture, name, (12, 24), 0.55, ink)
    x = np.arange(340)
    phase = (x % 110) / 110
    pressure = np.where(phase < 0.38, 1 - np.exp(-phase * 9), np.exp(-(phase - 0.38) * 11))
    flow = np.where(phase < 0.38, np.exp(-phase * 4), -np.exp(-(phase - 0.38) * 6))
    for curve, base, colour in ((pressure, 120, (230, 170, 30)), (flow * 0.6, 200, (60, 160, 230))):
        points = np.stack([x + 12, base - 60 * curve], axis=1).astype(np.int32)
        cv2.polylines(picture, [points], False, colour, 2, cv2.LINE_AA)
    for k, label in enumerate(("FiO2", "etCO2", "MAC", "VT")):
        value = str(rng.integers(30, 60)) if k != 2 else f"{rng.uniform(0.7, 1.2):.1f}"
        write(picture, label, (375, 58 + 56 * k), 0.42, ink)
        write(picture, value, (420, 66 + 56 * k), 0.95, ink, 2)
    for k, label in enumerate(("PCV", "PEEP 5", "f 12", "Pmax 25", "I:E 1:2")):
        cv2.rectangle(picture, (8 + 100 * k, 276), (100 + 100 * k, 312), (70, 100, 150), -1)
        write(picture, label, (16 + 100 * k, 300), 0.5, WHITE)
    return picture


def xray(name: str, rng: np.random.Generator) -> Picture:
    """An X-ray-like picture: ribs and spine, or a joint with a plate, with the patient's name in the corner."""
    glow = np.zeros((320, 512), np.float32)
    if rng.random() < 0.5:
        cv2.line(glow, (256, 0), (256, 320), 0.55, 44)
        for k in range(9):
            for side in (-1, 1):
                centre = (256 + side * 8, 40 + 34 * k)
                cv2.ellipse(glow, centre, (150, 60), 0, -80 if side > 0 else 180, 20 if side > 0 else 260, 0.4, 9)
    else:
        cv2.line(glow, (140, 320), (250, 165), 0.5, 70)
        cv2.line(glow, (270, 150), (400, 0), 0.55, 60)
        cv2.circle(glow, (260, 158), 52, 0.65, -1)
        cv2.line(glow, (190, 260), (340, 62), 1.0, 10)
        for k in range(6):
            cv2.circle(glow, (200 + 26 * k, 246 - 34 * k), 6, 1.0, -1)
    soft = cv2.GaussianBlur(glow, (0, 0), 5) + 0.12 + 0.03 * cv2.resize(noise(rng, 256), (512, 320)).astype(np.float32)
    picture = np.repeat((np.clip(soft, 0, 1) * 235).astype(np.uint8)[..., None], 3, axis=2)
    write(picture, name, (10, 24), 0.55, WHITE)
    write(picture, f"TEST-{rng.integers(10**5, 10**6)}  1901-01-{rng.integers(1, 29):02d}", (10, 46), 0.45, WHITE)
    return picture


def endoscope(name: str, rng: np.random.Generator) -> Picture:
    """An endoscope-like picture: a round, wet, reddish view with an instrument's shaft."""
    y, x = np.mgrid[0:320, 0:512]
    wet = cv2.resize(noise(rng, 256, slope=1.6), (512, 320)).astype(np.float64)
    fine = cv2.resize(noise(rng, 256, slope=1.0), (512, 320)).astype(np.float64)
    colour = np.stack([170 + 34 * wet, 78 + 30 * wet + 10 * fine, 70 + 22 * wet + 8 * fine], axis=-1)
    distance = np.hypot(x - 256, y - 160)
    shade = rng.uniform((150, 80), (360, 240))
    fold = np.clip(np.abs(np.sin((x * rng.normal() + y * rng.normal() + 60 * wet) / 55)), 0.3, 1)
    colour *= fold[..., None]
    colour *= np.clip(1.2 - np.hypot(x - shade[0], y - shade[1]) / 230, 0.12, 1)[..., None]
    colour[(fine > 1.7) & (distance < 120)] = 245
    picture = np.clip(colour, 0, 255).astype(np.uint8)
    cv2.line(picture, (470, 300), (300, 190), (150, 152, 156), 22, cv2.LINE_AA)
    cv2.line(picture, (300, 190), (262, 176), (200, 203, 208), 9, cv2.LINE_AA)
    round_view = rng.random() < 0.5
    outside = distance > 152 if round_view else np.maximum(np.abs(x - 256) - 190, np.abs(y - 160) - 150) > 0
    picture[outside] = (8, 8, 10)
    write(picture, name, (8, 18), 0.42, WHITE)
    write(picture, "REC 00:42:17", (394, 312), 0.42, RED)
    return picture


def record(name: str, rng: np.random.Generator) -> Picture:
    """A hospital record on a computer: header with the patient, a list, a form."""
    picture = blank((238, 241, 245))
    head = [int(v) for v in rng.integers(20, 130, 3)]
    cv2.rectangle(picture, (0, 0), (512, 46), head, -1)
    write(picture, name, (12, 31), 0.75, WHITE, 2)
    write(picture, f"ID TEST-{rng.integers(10**5, 10**6)}", (350, 30), 0.45, WHITE)
    items = (
        "Team time-out",
        "Allergies: none",
        "Side: left",
        "Antibiotic given",
        "Count complete",
        "Implant: TEST 3.5",
    )
    for k, text in enumerate(items):
        y = 66 + 40 * k
        cv2.rectangle(picture, (10, y), (200, y + 32), (214, 222, 232), -1)
        write(picture, text, (18, y + 21), 0.42, (30, 40, 60))
        cv2.rectangle(picture, (212, y), (500, y + 32), (255, 255, 255), -1)
        cv2.rectangle(picture, (212, y), (500, y + 32), (170, 180, 190), 1)
        write(picture, "x" * int(rng.integers(6, 26)), (220, y + 21), 0.38, (90, 100, 120))
    return picture


def contents(kind: int, name: str, rng: np.random.Generator) -> Picture:
    """One of the screens above, by number."""
    makers = (vital_signs, ventilator, xray, endoscope, record)
    return makers[kind % len(makers)](name, rng)


def blank(colour: Sequence[int], size: tuple[int, int] = (320, 512)) -> Picture:
    """A picture of one sRGB colour, of size (rows, columns)."""
    return np.full((*size, 3), colour, np.uint8)


def _title(picture: Picture, text: str, rng: np.random.Generator) -> None:
    cv2.rectangle(picture, (0, 0), (picture.shape[1], 34), (26, 40, 70), -1)
    write(picture, text, (10, 24), 0.6, WHITE)
    write(picture, f"{rng.integers(7, 18):02d}:{rng.integers(0, 60):02d}", (picture.shape[1] - 74, 24), 0.6, WHITE)


def write(picture: Picture, text: str, place: tuple[int, int], size: float, ink: Sequence[int], width: int = 1) -> None:
    """Put text into a picture; `place` (x, y) is its lower left corner."""
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, tuple(ink), width, cv2.LINE_AA)
