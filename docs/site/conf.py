# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How does Sphinx make the web site? Its settings. Nothing is asked of another server, neither here nor by readers."""

project = "pinned.release"
copyright = "pinned.release contributors"
html_title = "pinned.release"
extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
#: build.py wrote the inventory, beside the folder of the sources.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest/", "../ansible.inv")}
myst_heading_anchors = 4
highlight_language = "none"
#: Two hyphens are the beginning of an option.
smartquotes = False
#: JSON in the pages has … where something is left out.
suppress_warnings = ["misc.highlighting_failure"]
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e4f", "color-brand-content": "#0b6e4f"},
    "dark_css_variables": {"color-brand-primary": "#6fd3ae", "color-brand-content": "#6fd3ae"},
}
