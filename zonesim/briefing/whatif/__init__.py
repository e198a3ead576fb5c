"""A page that simulates: one HTML file with the kernel for browsers, the plans of every lever, and what is drawn."""

from zonesim.briefing.whatif.page import LARGEST_PAGE, page, param_label

__all__ = ["LARGEST_PAGE", "page", "param_label"]
