"""A part of a person: a mesh that the skeleton moves, and when it is to be seen."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from or_mv_anon.simulation.scene import MaskState, Mesh


@dataclass(frozen=True, eq=False)
class Part:
    """Something that belongs to a person: skin, an eye, hair, a cap, a mask, a garment.

    Attributes:
        name: what it is, such as 'mask_worn'.
        mesh: rest positions in the body frame, its `surface` set, `moves` true; `person` still 0.
        weights: float32 CSR (V of the mesh, B bones of the body); rows sum to 1.
        shown_when: the states of the face mask in which it is to be seen; None: always.
    """

    name: str
    mesh: Mesh
    weights: sparse.csr_matrix
    shown_when: frozenset[MaskState] | None = None
