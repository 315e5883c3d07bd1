"""The sentences of the command line in Chinese; merged by ``sentences_zh.py``."""

SENTENCES: dict[str, str] = {
    "Say which pictures of {model}: --seeds 42, or 0-15.": "请说明要 {model} 的哪些图片：--seeds 42 或 0-15。",
    "There is no file {name}.": "没有文件 {name}。",
    "{name} is a film; the command that takes films is interpolate.": "{name} 是影片；处理影片的命令是 interpolate。",
    "This is the link of a film; the command that takes films is interpolate.":
        "这是影片的链接；处理影片的命令是 interpolate。",
    "The model {model} has no class {name}; it has {names}.": "模型 {model} 没有类别 {name}；它有 {names}。",
    "The model {model} has no classes; leave --class out.": "模型 {model} 没有类别，请去掉 --class。",
    "{what} is missing.": "缺少 {what}。",
    "Nothing is downloaded: fetch the pictures yourself, and write where they lie.":
        "不会下载任何东西：请自行取得图片，并写出它们的位置。",
    "{source} was found neither as a prepared dataset nor as a file or folder.":
        "找不到 {source}：它既不是已准备的数据集，也不是文件或文件夹。",
    "{dataset} is prepared already; --{option} is only for pictures. Name their folder with a path, such as "
    "./{dataset}, or leave it out.":
        "{dataset} 已经准备好；--{option} 只用于图片。请用路径（如 ./{dataset}）指明图片文件夹，或去掉该选项。",
    "This film moves to a sound that is not here; give it with --sound FILE, or write --sound none.":
        "此影片随一段声音而动，但声音不在此处；请用 --sound FILE 提供，或写 --sound none。",
    "The name of a grid's file ends in .png; {name} does not.": "网格的文件名须以 .png 结尾；{name} 不是。",
    "--out is the folder that the PNG files go into; {name} looks like a file.":
        "--out 是存放 PNG 文件的文件夹；{name} 像是文件。",
    # options without an effect
    "Leave {options} out: {why}": "请去掉 {options}：{why}",
    "it needs --sound.": "它需要 --sound。",
    "it needs --fine.": "它需要 --fine。",
    "the grid varies it.": "网格会改变它。",
    "it needs --web.": "它需要 --web。",
    "it is for --kind {kinds}.": "它用于 --kind {kinds}。",
    "with --even the film has one speed all along.": "使用 --even 时，影片始终匀速。",
    "this film has its own pictures and timing. Its size, fps, background and sound can be changed, and its format by "
    "the ending of --out.":
        "此影片有自己的图片和时间安排。可更改其尺寸、帧率、背景和声音，并以 --out 的扩展名更改格式。",
    "--from is for a new run; --resume goes on with what run {name} has learned.":
        "--from 用于新的训练；--resume 则在 {name} 已学到的基础上继续。",
    "--resume goes on with the pictures of run {name}; leave {source} out.":
        "--resume 使用训练 {name} 原有的图片；请去掉 {source}。",
    "a run that goes on keeps its settings. --minutes gives it more time.":
        "继续的训练沿用原有设置；--minutes 可增加时间。",
}  # fmt: skip
