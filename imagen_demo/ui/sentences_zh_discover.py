"""What maps, breeding and grids say, in Chinese."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "A map is made by w or by look, not by {by!r}.": "地图只能按 w 或按外观排列，不能按 {by!r}。",
    "Choose 1 to {most} parents.": "请选择 1 至 {most} 个亲本。",
    "Parents must come from the same model.": "亲本必须来自同一个模型。",
}
