"""The page, made with Gradio. What must be so before ``import gradio`` is done here."""

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # nothing leaves this machine
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["MPLBACKEND"] = "agg"  # else Gradio loads all of pyplot at a page's first event, to find out


class _NoStubs:
    """Keeps Gradio from writing editor stubs (``.pyi``) beside its own source: that takes 40 % of its import."""

    @staticmethod
    def find_spec(name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name != "gradio.component_meta" or (spec := PathFinder.find_spec(name, path)) is None:
            return None
        execute = spec.loader.exec_module

        def without_stubs(module: object) -> None:
            execute(module)
            module.create_or_modify_pyi = lambda *arguments: None

        spec.loader.exec_module = without_stubs
        return spec


sys.meta_path.insert(0, _NoStubs)
