"""The sentences of films and sounds in Chinese; merged by ``sentences_zh.py``."""

SENTENCES: dict[str, str] = {
    "An interpolation needs {least} to {most} pictures to go between.": "插值需要 {least} 到 {most} 张图片。",
    "This film has {segments} segments and {count} lengths or easings; it needs one for each.":
        "此影片有 {segments} 段，却给出了 {count} 个时长或缓动；每段需要一个。",
    "This is not a film of Imagen Demo.": "这不是 Imagen Demo 的影片。",
    "This film has an unknown entry, {key}; a newer version made it.": "此影片含有未知项 {key}，由更新的版本生成。",
    "This link to a film is damaged; copy all of it.": "此影片链接已损坏，请完整复制。",
    "{name} cannot be opened. {problem}": "无法打开 {name}。{problem}",
    "{name} carries no film. Only films saved by Imagen Demo do, and only unchanged ones.":
        "{name} 中没有影片信息。只有由 Imagen Demo 保存且未经改动的影片才有。",
    "This film has too much in it for a link: take out pictures, or directions of theirs.":
        "这部影片内容太多，无法放入链接：请减少途经的图片，或图片所用的方向。",
    "A film's {name} must be one of {choices}.": "影片的 {name} 须为以下之一：{choices}。",
    "A film's format must be one of {choices}.": "影片格式须为以下之一：{choices}。",
    "A film's sound must be named by 16 digits, 0 to 9 and a to f.":
        "影片的声音须以 16 位字符表示，由 0-9 和 a-f 组成。",
    "A film cannot be written as {name}; the endings are {endings}.": "影片无法写为 {name}；可用的扩展名：{endings}。",
    "{value!r} is no colour for a background; write white, or #336699.":
        "{value!r} 不是背景颜色；请写 white 或 #336699。",
    "{format} films have an even number of pixels a side: make it {less} or {more}, not {size}.":
        "{format} 影片的边长须为偶数像素：请用 {less} 或 {more}，而不是 {size}。",
    "{format} shows at most {most} frames a second.": "{format} 每秒最多显示 {most} 帧。",
    "This film moves to a sound that is not here; add the sound file again, or remove it.":
        "此影片随一段声音而动，但声音不在此处；请重新添加声音文件，或将其移除。",
    "{name} is too large; a sound can have {most} MB.": "{name} 太大；声音文件最大 {most} MB。",
    "{name} is silent; there is nothing in it to move to.": "{name} 是静音的，没有可随之变化的内容。",
    "{name} is longer than {minutes} min; cut it first.": "{name} 超过 {minutes} 分钟，请先剪短。",
    "There is no sound in {name}.": "{name} 中没有声音。",
    "{name} cannot be read as a sound file.": "{name} 无法作为声音文件读取。",
}  # fmt: skip
