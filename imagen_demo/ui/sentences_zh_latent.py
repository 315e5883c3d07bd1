"""The sentences about recipes' layers and about directions in Chinese, and their progress."""

SENTENCES: dict[str, str] = {
    "A direction's id has 1 to 32 small letters, digits and '-', a letter first, such as pc0.":
        "方向的标识为 1 到 32 个小写字母、数字和 “-”，以字母开头，例如 pc0。",
    "A range of layers is written like 2-5, or is one of {choices}.": "层的范围写作 2-5，或为以下之一：{choices}。",
    "A recipe's centre must be one of {choices}.": "配方的截断中心可选：{choices}。",
    "A recipe's directions must be a list of at most {limit}.": "配方的方向须为列表，最多 {limit} 个。",
    "A recipe's psi_layers must be a list of at most {limit} numbers.":
        "配方的 psi_layers 须为列表，最多 {limit} 个数。",
    "Each of a recipe's directions must be an id, an amount and perhaps layers.":
        "配方的每个方向须为标识、幅度，以及可选的层范围。",
    "This model has no direction {id}: have its directions found or, if someone else made it, import their file.":
        "此模型没有方向 {id}：请先查找它的方向；若为他人所建，请导入其文件。",
    "This model has no layers {layers}: it has {count}, counted from 0.":
        "此模型没有第 {layers} 层：它有 {count} 层，从 0 计数。",
    # directions
    "The pictures with and without it are the same; choose different ones.": "“有”与“无”的图片相同，请选择不同的图片。",
    "Nothing is left of this direction beside the others; keep it apart from fewer of them.":
        "除去其他方向后，此方向已无剩余；请减少要避开的方向。",
    "A model can have at most {most} directions of your own.": "每个模型最多可有 {most} 个自建方向。",
    "Mark at least one picture with it and one without it, at most {most}.":
        "请至少标记一张“有”和一张“无”的图片，最多各 {most} 张。",
    "All examples must be pictures of the model {name}.": "所有示例须为模型 {name} 的图片。",
    "The model {name} has no classes to tell apart.": "模型 {name} 没有可区分的类别。",
    "A direction's name has 1 to {most} characters.": "方向的名称为 1 到 {most} 个字符。",
    "The direction {id} belongs to the model; it can be hidden, not removed.":
        "方向 {id} 属于模型本身；可以隐藏，不能删除。",
    "Choose at least one direction to export.": "请至少选择一个要导出的方向。",
    "The directions in {file} are for another model ({found}), not for {name} ({present}).":
        "{file} 中的方向属于另一模型（{found}），而非 {name}（{present}）。",
    "The directions in {file} are damaged.": "{file} 中的方向已损坏。",
    "{file} is too large to hold directions.": "{file} 太大，不像是方向文件。",
    "{file} is no file of directions from Imagen Demo.": "{file} 不是 Imagen Demo 的方向文件。",
}  # fmt: skip

PROGRESS: dict[str, str] = {
    r"(\d+) of (\d+) pictures measured": r"已测量 \1 / \2 张图片",
    r"Waiting for another model's directions": "正在等待另一模型的方向",
}
