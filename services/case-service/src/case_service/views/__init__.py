"""Read models: each follows one source, so how sources interleave makes no difference; a page joins what it needs."""
