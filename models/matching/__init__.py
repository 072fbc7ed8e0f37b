"""Compares faces: embeddings of single images, what stands for several of them, and scores."""

from models.matching.embedding import Embedder, alignment, fuse

__all__ = ["Embedder", "alignment", "fuse"]
