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
}  # fmt: skip
