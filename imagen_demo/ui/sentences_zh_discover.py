"""What maps, breeding and grids say, in Chinese."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "A map is made by w or by look, not by {by!r}.": "地图只能按 w 或按外观排列，不能按 {by!r}。",
    "Choose 1 to {most} parents.": "请选择 1 至 {most} 个亲本。",
    "Parents must come from the same model.": "亲本必须来自同一个模型。",
    "{name!r} is not something a grid can vary.": "网格不能改变 {name!r}。",
    "An axis of a grid has 1 to {most} values.": "网格的一个轴可有 1 至 {most} 个值。",
    "Across and down must vary two different things.": "横向与纵向必须改变两个不同的参数。",
    "This is not a grid of Imagen Demo.": "这不是 Imagen Demo 的网格。",
    "The share of the second seed needs a picture of two seeds.": "“第二个种子的比例”需要由两个种子混合的图片。",
    "The first fine layer can only vary where there is a fine seed.": "只有设置了细节种子，才能改变细节起始层。",
    "{text!r} is not an axis; write psi=0..1:5, or seed=0-3, or pc0=-3..3:7.": (
        "{text!r} 不是坐标轴；请写 psi=0..1:5、seed=0-3 或 pc0=-3..3:7。"
    ),
}
