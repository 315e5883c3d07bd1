"""Every sentence of the core in Chinese: English template -> Chinese one with the same fields; and its progress."""

from imagen_demo.ui import (
    sentences_zh_cli,
    sentences_zh_discover,
    sentences_zh_latent,
    sentences_zh_timeline,
    texts_export,
)

SENTENCES: dict[str, str] = {
    # the page itself
    "What was sent cannot be read; if it came from the page, reload that.":
        "收到的数据无法识别；如来自页面，请刷新页面。",
    "{text!r} is not a list of seeds; write 42, or 0-15, or 1,5,9.": "{text!r} 不是种子列表；请写 42、0-15 或 1,5,9。",
    "Choose a whole number of pictures, from 1 to {most}.": "请填写 1 到 {most} 的整数张数。",
    "That is too many pictures at once; the most is {most}.": "一次最多 {most} 张图片。",
    "A seed can be at most {most}.": "种子最大为 {most}。",
    "{name} is too large to be a file saved here.": "{name} 太大，不像是在此保存的文件。",
    # settings
    "{setting} cannot be {value!r}; use one of {choices}.": "{setting} 不能是 {value!r}；可选：{choices}。",
    "{first} {rest}": "{first}{rest}",
    "{setting} is empty: give a number, {low} or more.": "{setting} 为空：请填写不小于 {low} 的数字。",
    "{setting} cannot be {value}; the least is {low}.": "{setting} 不能是 {value}；最小为 {low}。",
    "{setting} cannot be {value}; the least is {low}, or {auto} for auto.":
        "{setting} 不能是 {value}；最小为 {low}，{auto} 表示自动。",
    "{setting} cannot be {value}; the most is {high}.": "{setting} 不能是 {value}；最大为 {high}。",
    "The mlp network's w_dim is always {w_dim}.": "mlp 网络的 w_dim 固定为 {w_dim}。",
    "The network's {setting} cannot be {value!r}; use a whole number from {low} to {high}.":
        "网络的 {setting} 不能是 {value!r}；请用 {low} 到 {high} 的整数。",
    "The network's {setting} cannot be {value!r}; use one of {choices}.":
        "网络的 {setting} 不能是 {value!r}；可选：{choices}。",
    # names
    "{name!r} cannot be a name: the endings .new and .old are kept for saving.":
        "{name!r} 不能用作名称：.new 和 .old 结尾留作保存之用。",
    "{name!r} cannot be a name: {wrong} cannot be in one. Use letters, digits, spaces, '-', '_' or '.'.":
        "{name!r} 不能用作名称：其中不能有 {wrong}。请用字母、数字、空格、“-”、“_”或“.”。",
    "{name!r} cannot be a name: one begins with a letter, a digit or '_', and ends with no '.'.":
        "{name!r} 不能用作名称：须以字母、数字或“_”开头，且不能以“.”结尾。",
    "{name!r} cannot be a name: Windows keeps it for itself.": "{name!r} 不能用作名称：它是 Windows 的保留名称。",
    "A name cannot be empty.": "名称不能为空。",
    "A name can have at most {most} characters; this one has {count}.":
        "名称最多 {most} 个字符，现在有 {count} 个。",
    # pictures and datasets
    "{name} has more than {limit} entries.": "{name} 包含的条目超过 {limit} 个。",
    "{name} is an archive of a kind that is not read. Pack it as zip.": "不支持 {name} 这种压缩格式，请改用 zip。",
    "{name} is damaged or not an archive; it cannot be opened.": "{name} 已损坏或不是压缩包，无法打开。",
    "{name} unpacks to far more than its size allows (a zip bomb?). It was not used.":
        "{name} 解压后远超其应有大小（可能是压缩炸弹），未使用。",
    "Dataset {name} has format version {version}; this program knows up to {known}. Update the program.":
        "数据集 {name} 的格式版本为 {version}，本程序最高支持 {known}，请更新程序。",
    "Dataset {name} is damaged ({file}). Prepare it again.": "数据集 {name} 已损坏（{file}），请重新准备。",
    "There is no prepared dataset {name}.": "没有已准备的数据集 {name}。",
    "No files were given.": "没有提供文件。",
    "{name} is empty. Choose one with pictures.": "{name} 是空的，请选择有图片的。",
    "{name} is neither a folder nor a file.": "{name} 既不是文件夹也不是文件。",
    "{name} is neither a folder nor a zip or tar archive of pictures, nor are there several files.":
        "{name} 既不是文件夹，也不是图片的 zip 或 tar 压缩包，也不是多个文件。",
    "{name} is not there any more.": "{name} 已不存在。",
    "{name} is protected by a password. Pack it again without one.": "{name} 有密码保护，请去掉密码重新打包。",
    "{name} may not be read.": "没有读取 {name} 的权限。",
    "Reading the pictures was stopped, likely for lack of memory. Use fewer workers.":
        "读取图片被中止，可能是内存不足，请减少进程数。",
    "The disk is full; {name} was not prepared. Free some space.": "磁盘已满，{name} 未能准备，请释放空间。",
    "Too few usable pictures in {name}: {count} of at least {least}. Add some.":
        "{name} 中可用图片 {count} 张，至少需要 {least} 张，请再添加一些。",
    "Too few usable pictures in {name}: {count} of at least {least}. Add some. Left out: {dropped}, "
    "for example {example}: {reason}":
        "{name} 中可用图片 {count} 张，至少需要 {least} 张，请再添加一些。有 {dropped} 个文件被排除，"
        "例如 {example}：{reason}",
    "{name} cannot be read as a PNG picture.": "{name} 无法作为 PNG 图片读取。",
    "{name} carries no recipe. Only PNG files saved by Imagen Demo do, and only unchanged ones.":
        "{name} 中没有配方。只有 Imagen Demo 保存且未经改动的 PNG 才带有配方。",
    "{format} films can have at most {limit} pixels a side.": "{format} 影片边长最多 {limit} 像素。",
    "There are no frames to make a video of.": "没有可用于生成视频的帧。",
    # models
    "Model {name} has format version {version}; this program knows up to {known}. Update the program.":
        "模型 {name} 的格式版本为 {version}，本程序最高支持 {known}，请更新程序。",
    "Model {name} has no weights: model.safetensors is missing.": "模型 {name} 没有权重：缺少 model.safetensors。",
    "The description of model {name} (model.json) is damaged.": "模型 {name} 的描述文件（model.json）已损坏。",
    "The weights of model {name} (model.safetensors) are damaged.": "模型 {name} 的权重（model.safetensors）已损坏。",
    "The weights of model {name} do not fit its description: {problem} ({count} such tensors).":
        "模型 {name} 的权重与描述不符：{problem}（共 {count} 个张量）。",
    "{name} is not a model folder: it has no model.json.": "{name} 不是模型文件夹：缺少 model.json。",
    "This model has no class number {label}; it has {count} classes, counted from 0.":
        "该模型没有编号为 {label} 的类别；它有 {count} 个类别，从 0 计数。",
    "This model has no classes.": "该模型没有类别。",
    "The model {name} comes with the program and cannot be changed.": "模型 {name} 随程序附带，不能更改。",
    "There is already a model named {name}.": "已有名为 {name} 的模型。",
    "This picture needs the model {name}, which is not here: import it under Models, or train it.":
        "这张图片需要模型 {name}，但这里没有：请在“模型”中导入，或训练它。",
    "There is no model named {name} in this workspace.": "此工作区中没有名为 {name} 的模型。",
    "There is no model named {name} in this workspace; there are {known}, and {more} more.":
        "此工作区中没有名为 {name} 的模型；现有：{known}，以及另外 {more} 个。",
    "There is no model named {name} in this workspace; there are {known}.":
        "此工作区中没有名为 {name} 的模型；现有：{known}。",
    "{file} could not be imported: {reason}.": "无法导入 {file}：{reason}。",
    "{file} is not a readable zip file.": "{file} 不是可读的 zip 文件。",
    "{file} was not imported: a model's zip needs {needed} in one folder.":
        "未导入 {file}：模型的 zip 需要在同一文件夹中包含 {needed}。",
    "{file} was not imported: you already have this model, as {name}.": "未导入 {file}：您已有该模型，名为 {name}。",
    "{file} was not imported: it has {member} twice.": "未导入 {file}：其中 {member} 出现了两次。",
    "{file} was not imported: it has {member}. A model's zip holds only {allowed}.":
        "未导入 {file}：其中有 {member}；模型的 zip 只能包含 {allowed}。",
    "{file} was not imported: it is locked with a password.": "未导入 {file}：它有密码保护。",
    "{file} was not imported: its preview.png is not a sound picture.":
        "未导入 {file}：其中的 preview.png 不是完好的图片。",
    "{file} was not imported: {member} is too large.": "未导入 {file}：{member} 太大。",
    "{name} belongs to its training run; change the run instead.": "{name} 属于训练任务，请改动该任务。",
    # recipes, links, videos
    "A recipe needs at least one seed with a weight above 0.": "配方至少需要一个权重大于 0 的种子。",
    "A recipe's model hash must have 12 digits, 0 to 9 and a to f.": "配方的模型哈希须为 12 位，由 0-9 和 a-f 组成。",
    "A recipe's model must be a name.": "配方的模型必须是名称。",
    "A recipe's {name} must be a list of at most {limit} pairs.": "配方的 {name} 须为列表，最多 {limit} 对。",
    "The {name} must be a number from {low} to {high}.": "{name} 须为 {low} 到 {high} 的数。",
    "The {name} must be a whole number from {low} to {high}.": "{name} 须为 {low} 到 {high} 的整数。",
    "The link's {key} cannot be {value!r}.": "链接中的 {key} 不能是 {value!r}。",
    "This is not a recipe of Imagen Demo.": "这不是 Imagen Demo 的配方。",
    "This link names no model.": "此链接没有指明模型。",
    "This picture needs the model {name} ({hash}); this workspace has another version ({present}).":
        "此图片需要模型 {name}（{hash}）；此工作区中是另一版本（{present}）。",
    "This recipe has an unknown entry, {key}; a newer version made it.": "此配方有未知条目 {key}，由更新的版本生成。",
    "All pictures of an interpolation must come from one model.": "插值的所有图片必须来自同一模型。",
    "An interpolation can last up to {most} seconds.": "插值最长 {most} 秒。",
    # training
    "The settings of {name} (config.json) are damaged. Delete it and train anew.":
        "{name} 的设置（config.json）已损坏，请删除后重新训练。",
    "There is no training run named {name}.": "没有名为 {name} 的训练任务。",
    "{name} has no settings (config.json is missing). Delete it and train anew.":
        "{name} 没有设置（缺少 config.json），请删除后重新训练。",
    "{name} is already being trained.": "{name} 已在训练中。",
    "{name} is in training and changes all the time; do this when it is done.":
        "{name} 正在训练，一直在变化；请等训练结束后再做。",
    "{name} is paused; let it go on as it is, and add minutes once it has ended.":
        "{name} 已暂停；请先让它按原计划继续，结束后再追加分钟。",
    "{name} is not in training.": "{name} 不在训练中。",
    "{name} is still being trained. Stop it first.": "{name} 仍在训练，请先停止。",
    "{name} is already being trained by process {pid}. Stop it there first.":
        "{name} 正由进程 {pid} 训练，请先在那里停止。",
    "{name} is being prepared by process {pid} at this moment. Wait until it is done, or choose another name.":
        "{name} 此刻正由进程 {pid} 准备，请等它完成，或换一个名称。",
    "{name} is being started elsewhere at this moment.": "{name} 此刻正在别处启动。",
    "A batch of {batch} is larger than the {count} pictures of {name} that are learned from; use a batch of "
    "{count} or less.":
        "批大小 {batch} 超过了 {name} 中用于学习的 {count} 张图片；请用不超过 {count} 的批大小。",
    "The pictures of {dataset} are not those that {run} began with. Start a new run that begins with its model, or "
    "prepare the same pictures under that name again.":
        "{dataset} 的图片已不是 {run} 开始时的那些。请以它的模型为起点新建训练，或用该名称重新准备原来的图片。",
    "No CUDA GPU was found; choose the device cpu or auto.": "没有找到 CUDA 显卡；请选择设备 cpu 或 auto。",
    "Run {name} has no saved state to go on from.": "任务 {name} 没有可继续的保存状态。",
    "The saved state of run {name} is damaged ({detail}).": "任务 {name} 的保存状态已损坏（{detail}）。",
    "The workspace {folder} cannot be used ({reason}). Choose another folder with --workspace or "
    "IMAGEN_DEMO_WORKSPACE.":
        "工作目录 {folder} 无法使用（{reason}）。请用 --workspace 或 IMAGEN_DEMO_WORKSPACE 选择其他文件夹。",
    # training
    "Training starts from {model}: {generator:.0%} of the generator and {discriminator:.0%} of the discriminator are "
    "taken over.":
        "从 {model} 开始训练：沿用了生成器的 {generator:.0%} 和判别器的 {discriminator:.0%}。",
    "What judged the pictures of {model} in its training is not here: a new discriminator learns from the start, so "
    "the pictures get worse at first.":
        "{model} 训练时的判别器不在这里：新的判别器要从头学起，因此图片起初会变差。",
    "The memory was full; a batch is now done in parts of {size} pictures. Nothing was lost.":
        "内存不足；每批现在分次处理，每次 {size} 张图片。没有任何损失。",
    "The memory is full even with {size} pictures at once; choose a smaller width or batch, or close other programs.":
        "每次只处理 {size} 张图片，内存仍然不足；请减小网络宽度或批大小，或关闭其他程序。",
    "The memory of process {rank} is full with {size} pictures at once; start again with a micro_batch of {smaller}.":
        "进程 {rank} 每次处理 {size} 张图片时内存不足；请用 micro_batch {smaller} 重新开始。",
    "Another process of this training ended first; its output says why. Then resume the run.":
        "本次训练的另一个进程先结束了；原因见其输出。之后可继续该任务。",
    "A batch of {batch} cannot be shared by {processes} processes; use a multiple of {least}.":
        "批大小 {batch} 无法由 {processes} 个进程均分；请用 {least} 的倍数。",
    "A batch of {batch} cannot be done with {setting} {micro}; use {choices}.":
        "批大小 {batch} 无法与{setting} {micro} 配合；请用 {choices}。",
    "The model to begin with is a network of kind {arch} and width {width}; leave both as they are, "
    "or begin without it.":
        "起始模型的网络类型为 {arch}、宽度为 {width}；请保持这两项不变，或不使用它。",
    "The network is of the kind and the width of the model it begins with.":
        "网络的类型和宽度与起始模型相同。",
    "{setting} cannot be {value}: this machine has {cores} cores; use 1 to {cores}, or 0 for all.":
        "{setting} 不能是 {value}：本机有 {cores} 个核心；请用 1 到 {cores}，或用 0 表示全部。",
    # the coach
    "The losses stopped being numbers. Training went back to {kimg:.1f} thousand pictures and goes on "
    "with gentler settings.":
        "损失不再是有效数字。训练已退回到 {kimg:.1f} 千张图片时，并以更温和的设置继续。",
    "The losses stopped being numbers, again after a second start with gentler settings. "
    "Try a lower learning rate or a higher gamma.":
        "以更温和的设置重新开始后，损失再次不是有效数字。请尝试更低的学习率或更高的 gamma。",
    "The pictures collapsed: they all look the same. "
    "Training went back to {kimg:.1f} thousand pictures and goes on with gentler settings.":
        "生成的图片坍缩了：看起来全都一样。训练已退回到 {kimg:.1f} 千张图片时，并以更温和的设置继续。",
    "The pictures collapsed and all look the same, again after a second start with gentler settings. "
    "Try more pictures or a higher gamma.":
        "以更温和的设置重新开始后，图片再次坍缩，看起来全都一样。请尝试更多图片或更高的 gamma。",
    "The discriminator begins to memorise the pictures; augmentation was raised to {p:.0%}. "
    "More pictures would help.":
        "判别器开始记住图片；数据增强已提高到 {p:.0%}。增加图片会有帮助。",
    "The discriminator won: it tells every picture apart, and the generator learns nothing more. "
    "Training went back to {kimg:.1f} thousand pictures and goes on with a slower discriminator.":
        "判别器完全取胜：它能分辨每一张图片，生成器不再学到东西。训练已退回到 {kimg:.1f} 千张时，并放慢判别器继续。",
    "The discriminator won again after a second start with gentler settings. "
    "Try a lower learning rate, a higher generator rate or a higher gamma.":
        "以更温和的设置重新开始后，判别器再次完全取胜。请尝试更低的学习率、更高的生成器学习率倍数或更高的 gamma。",
    "Quality has not become better for {waited:.0f} thousand pictures, so training ends here; the best "
    "network is that of "
    "{best:.1f} thousand pictures.":
        "质量已有 {waited:.0f} 千张图片没有提高，训练到此结束；最好的网络是 {best:.1f} 千张图片时的。",
    "The discriminator tells all pictures apart at the moment. If that lasts, training goes back by itself.":
        "目前判别器能分辨所有图片。如果持续下去，训练会自动退回。",
    "The pictures have become worse since {best:.1f} thousand pictures; the best network is kept. "
    "More pictures or a higher gamma would help.":
        "自 {best:.1f} 千张图片以来图片变差了；最好的网络已保留。增加图片或提高 gamma 会有帮助。",
    "Quality has not become better for {waited:.0f} thousand pictures. The best network is kept, so you "
    "may stop here.":
        "质量已有 {waited:.0f} 千张图片没有提高。最好的网络已保留，可以就此停止。",
    "Training has just begun: first come colours, then coarse shapes, then detail. There is nothing to do.":
        "训练刚刚开始：先出现颜色，再是大致形状，最后是细节。无需操作。",
    "All is well: the two networks learn from each other.": "一切正常：两个网络正在互相学习。",
    "All is well: the two networks learn from each other. Quality so far was best at {best:.1f} thousand pictures.":
        "一切正常：两个网络在互相学习。目前最好的质量：{best:.1f} 千张图片时。",
    "Just before the end something went wrong, so the run ends with its last good state, of {kimg:.1f} "
    "thousand pictures.":
        "临近结束时出了问题，因此任务以最近的正常状态（{kimg:.1f} 千张图片）结束。",
    # settings chosen, and what to expect
    "In {minutes} min this computer shows the network about {kimg} thousand pictures: expect "
    "colours only. Textures and coarse shapes need about {next} min.":
        "本机在 {minutes} 分钟内约让网络看到 {kimg} 千张图片："
        "预计只有颜色。纹理和大致形状约需 {next} 分钟。",
    "In {minutes} min this computer shows the network about {kimg} thousand pictures: expect "
    "colours, textures and coarse shapes. Clear shapes need about {next} min.":
        "本机在 {minutes} 分钟内约让网络看到 {kimg} 千张图片："
        "预计有颜色、纹理和大致形状。清晰的形状约需 {next} 分钟。",
    "In {minutes} min this computer shows the network about {kimg} thousand pictures: expect "
    "clear shapes with faults where the subject is simple, textures where photographs vary much. "
    "Fine detail needs about {next} min.":
        "本机在 {minutes} 分钟内约让网络看到 {kimg} 千张图片："
        "预计简单主题形状清晰但有瑕疵，内容多样的照片只有纹理。细节约需 {next} 分钟。",
    "In {minutes} min this computer shows the network about {kimg} thousand pictures: expect "
    "about the best that a network of this size can do with these pictures.":
        "本机在 {minutes} 分钟内约让网络看到 {kimg} 千张图片："
        "预计接近该规模网络在这些图片上的最佳效果。",
    "The speed is known now: {speed} pictures a second, where {expected} were expected.":
        "现已测得速度：每秒 {speed} 张图片，原先预计 {expected} 张。",
    "The speed is known now: {speed} pictures a second.": "现已测得速度：每秒 {speed} 张图片。",
    "Training runs on the processor (threads: {threads}), so the network is a small one.":
        "在处理器上训练（{threads} 个线程），因此使用较小的网络。",
    "Training runs on the GPU, so the network is a large one.": "在 GPU 上训练，因此使用较大的网络。",
    "{count} pictures are few: if the network begins to memorise them, augmentation sets in.":
        "{count} 张图片较少：网络一旦开始死记硬背，就会启用数据增强。",
    "Mirrored pictures are used too; switch that off if left and right matter.":
        "同时使用左右镜像的图片；若左右方向有意义，请关闭。",
    "The network learns {count} classes, from the sub-folders.": "网络将学习 {count} 个类别（来自子文件夹）。",
    "Transparency is learned too.": "透明通道也会一并学习。",
    "The pictures have no classes; they are sorted into {count} kinds by their looks.":
        "图片没有类别，按外观分成 {count} 种。",
    "A network has two kinds or more, or none; with classes, and as mlp, none.":
        "网络的种类数至少为两种，或者没有；有类别或为 mlp 时没有。",
    "{count} pictures are too few for {kinds} kinds; use at most {most}, or 0 for none.":
        "{count} 张图片太少，不足以分成 {kinds} 种；最多 {most} 种，填 0 则不分。",
    "The disk is full; free some space and resume the run. The last saved state is safe.":
        "磁盘已满；请释放空间后继续训练。最近保存的状态是安全的。",
    "The memory is full; choose a smaller batch or width, or close other programs.":
        "内存不足；请减小批大小或网络宽度，或关闭其他程序。",
    "Training stopped by an unexpected error ({kind}: {text}). Details are in log.txt.":
        "训练因意外错误停止（{kind}：{text}）。详情见 log.txt。",
    # why one file was left out
    "The file is not a picture of a known kind, such as JPEG, PNG or WebP.":
        "文件不是已知格式（如 JPEG、PNG、WebP）的图片。",
    "The file is empty.": "文件为空。",
    "The file ends early or is damaged.": "文件不完整或已损坏。",
    "The file cannot be read.": "文件无法读取。",
    "The picture has {megapixels} million pixels; at most {limit} million are read.":
        "图片有 {megapixels} 百万像素，上限为 {limit} 百万。",
    "The picture has only {width} x {height} pixels.": "图片只有 {width} x {height} 像素。",
    "The picture is the same as {twin}.": "图片与 {twin} 相同。",
    "The file is larger than {limit} MB.": "文件大于 {limit} MB。",
    "The name leads out of the archive.": "路径指向压缩包之外。",
    "The file is a link, not a picture.": "文件是链接，不是图片。",
    "The entry is not a plain file.": "该条目不是普通文件。",
    "The file is an archive inside an archive.": "文件是压缩包中的压缩包。",
    "The entry is protected by a password.": "该条目有密码保护。",
    "The archive is damaged from here on; what came before was read.": "压缩包从此处起已损坏，之前的内容已读取。",
    "The saved state of run {name} is of another version of this program; train anew.":
        "训练 {name} 的保存状态来自本程序的另一个版本，请重新训练。",
    # reports on pictures, and what the user did
    "Used as pictures: {accepted} of {found} files.": "{found} 个文件中有 {accepted} 个用作图片。",
    "{count} left out: not a picture of a known kind, for example {example}.":
        "跳过 {count} 个：不是已知格式的图片，例如 {example}。",
    "{count} left out: the file is empty, for example {example}.": "跳过 {count} 个：文件为空，例如 {example}。",
    "{count} left out: the file ends early or is damaged, for example {example}.":
        "跳过 {count} 个：文件不完整或已损坏，例如 {example}。",
    "{count} left out: the file cannot be read, for example {example}.": "跳过 {count} 个：无法读取，例如 {example}。",
    "{count} left out: too many pixels, for example {example}.": "跳过 {count} 个：像素过多，例如 {example}。",
    "{count} left out: too small, for example {example}.": "跳过 {count} 个：图片太小，例如 {example}。",
    "{count} left out: the same as another picture, for example {example}.":
        "跳过 {count} 个：与其他图片相同，例如 {example}。",
    "{count} left out: the file is too large, for example {example}.": "跳过 {count} 个：文件过大，例如 {example}。",
    "{count} left out: the name leads out of the archive, for example {example}.":
        "跳过 {count} 个：路径指向压缩包之外，例如 {example}。",
    "{count} left out: a link instead of a picture, for example {example}.":
        "跳过 {count} 个：是链接而非图片，例如 {example}。",
    "{count} left out: not a plain file, for example {example}.": "跳过 {count} 个：不是普通文件，例如 {example}。",
    "{count} left out: an archive inside an archive, for example {example}.":
        "跳过 {count} 个：压缩包中的压缩包，例如 {example}。",
    "{count} left out: protected by a password, for example {example}.":
        "跳过 {count} 个：有密码保护，例如 {example}。",
    "{count} read only in part: a damaged archive, for example {example}.":
        "{count} 个压缩包已损坏，只读取了一部分，例如 {example}。",
    "{count} left out: an archive that cannot be used, for example {example}.":
        "{count} 个压缩包无法使用，例如 {example}。",
    "{count} with several frames: the first one is used, for example {example}.":
        "{count} 张有多帧，使用第一帧，例如 {example}。",
    "{count} of another kind than the name says: read anyway, for example {example}.":
        "{count} 张的格式与扩展名不符，仍已读取，例如 {example}。",
    "{count} turned upright as the camera noted, for example {example}.":
        "{count} 张按相机记录转正，例如 {example}。",
    "{count} with more than 8 bits per channel: scaled down to 8, for example {example}.":
        "{count} 张每通道超过 8 位，已转为 8 位，例如 {example}。",
    "{count} converted from printing colours (CMYK), for example {example}.":
        "{count} 张为印刷色（CMYK），已转换，例如 {example}。",
    "{count} converted from a colour profile to sRGB, for example {example}.":
        "{count} 张带颜色配置，已转换为 sRGB，例如 {example}。",
    "{count} enlarged: smaller than the chosen resolution, for example {example}.":
        "{count} 张小于所选分辨率，已放大，例如 {example}。",
    "{count} kept: almost like another picture, for example {example}.":
        "{count} 张与其他图片几乎相同，已保留，例如 {example}。",
    # metrics
    "FID, KID, precision and recall need the network file {name}, which the program never downloads. "
    "Put it at {place}, or name its place in {variable}; docs/metrics.md says more.":
        "FID、KID、精确率和召回率需要网络文件 {name}，本程序从不自行下载。请将其放到 {place}，"
        "或用 {variable} 指明位置；详见 docs/metrics.md。",
    "{file} is not a network that pictures can be measured with; {name} as a TorchScript file is needed.":
        "{file} 不是可用于评测图片的网络；需要 TorchScript 格式的 {name}。",
    "{model} draws pictures of {own} pixels, those of {dataset} have {other}. "
    "Prepare the pictures again with {own} pixels.":
        "{model} 生成 {own} 像素的图片，而 {dataset} 的图片为 {other} 像素。请以 {own} 像素重新准备图片。",
    "{model} draws pictures of {own} pixels, those of {dataset} have {other}. It was trained on {fitting}.":
        "{model} 生成 {own} 像素的图片，而 {dataset} 的图片为 {other} 像素。它是用 {fitting} 训练的。",
    "There is no metric {name!r}; there are {metrics}.": "没有名为 {name!r} 的指标；可用：{metrics}。",
    "Name at least one metric of {metrics}.": "请至少指定一个指标：{metrics}。",
    "At least {least} pictures are needed to measure a model.": "评测模型至少需要 {least} 张图片。",
    "The pictures that {model} was trained on ({dataset}) are not in this workspace, so none can be shown.":
        "训练 {model} 所用的图片（{dataset}）不在此工作区，因此无法显示。",
    "FID is not measured in this run: the metric network needs {seconds:.0f} s each time, more than a run so short "
    "has for it. The best network is found by sliced Wasserstein distance.":
        "本次训练不测 FID：评测网络每次需要 {seconds:.0f} 秒，对这么短的训练来说太久。"
        "最佳网络按切片 Wasserstein 距离选出。",
    "FID is no longer measured in this run: {problem}": "本次训练不再测 FID：{problem}",
    "Training was paused.": "训练已暂停。",
    "Training went on.": "训练已继续。",
    "Training was stopped.": "训练已停止。",
}  # fmt: skip
SENTENCES |= sentences_zh_cli.SENTENCES
SENTENCES |= sentences_zh_discover.SENTENCES
SENTENCES |= sentences_zh_latent.SENTENCES
SENTENCES |= texts_export.SENTENCES
SENTENCES |= sentences_zh_timeline.SENTENCES

PROGRESS: dict[str, str] = {  # pattern of what long work reports -> Chinese, with the pattern's groups
    r"(\d+) of (\d+) pictures read, (\d+) accepted": r"已读取 \1 / \2 张，采用 \3 张",
    r"(\d+) of (\d+) pictures": r"\1 / \2 张图片",
    r"(\d+) of (\d+) planets drawn": r"已绘制 \1 / \2 张",
    r"All planets drawn": "已全部绘制",
    r"(\d+)/(\d+) frames": r"\1 / \2 帧",
    r"Measuring the way": "正在测量路径",
    r"Unpacking (.*)": r"正在解压 \1",
    r"Looking for near duplicates": "正在查找近似重复的图片",
    r"Waiting for the same pictures": "正在等待相同图片准备完成",
    r"Done": "完成",
}
PROGRESS |= texts_export.PROGRESS
PROGRESS |= sentences_zh_latent.PROGRESS
