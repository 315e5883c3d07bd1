"""Sentences of data, training, jobs and library (English templates) in Chinese."""

from __future__ import annotations

_REPORT = {
    "{accepted} of {found} files are used as pictures.": "{found} 个文件中有 {accepted} 个用作图片。",
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
    "{count} archives are damaged and were read only in part, for example {example}.":
        "{count} 个压缩包已损坏，只读取了一部分，例如 {example}。",
    "{count} archives could not be used, for example {example}.": "{count} 个压缩包无法使用，例如 {example}。",
    "{count} have several frames; the first one is used, for example {example}.":
        "{count} 张有多帧，使用第一帧，例如 {example}。",
    "{count} are of another kind than their name says and were read anyway, for example {example}.":
        "{count} 张的格式与扩展名不符，仍已读取，例如 {example}。",
    "{count} were turned upright as the camera noted, for example {example}.":
        "{count} 张按相机记录转正，例如 {example}。",
    "{count} have more than 8 bits per channel and were scaled down to 8, for example {example}.":
        "{count} 张每通道超过 8 位，已转为 8 位，例如 {example}。",
    "{count} have printing colours (CMYK) and were converted, for example {example}.":
        "{count} 张为印刷色（CMYK），已转换，例如 {example}。",
    "{count} have a colour profile and were converted to sRGB, for example {example}.":
        "{count} 张带颜色配置，已转换为 sRGB，例如 {example}。",
    "{count} are smaller than the chosen resolution and were enlarged, for example {example}.":
        "{count} 张小于所选分辨率，已放大，例如 {example}。",
    "{count} look almost like another picture and were kept, for example {example}.":
        "{count} 张与其他图片几乎相同，已保留，例如 {example}。",
}  # fmt: skip

_DATA = {
    "{name} is an archive of a kind that is not read. Pack it as zip.": "无法读取 {name} 这种压缩格式，请改用 zip。",
    "{name} unpacks to far more than its size allows (a zip bomb?). It was not used.":
        "{name} 解压后异常庞大（压缩炸弹？），未使用。",
    "{name} has more than {limit} entries.": "{name} 的条目超过 {limit} 个。",
    "{name} is damaged or not an archive; it cannot be opened.": "{name} 已损坏或不是压缩包，无法打开。",
    "Dataset {name} is damaged ({file}). Prepare it again.": "数据集 {name} 已损坏（{file}），请重新准备。",
    "Dataset {name} has format version {version}; this program knows up to {known}. Update the program.":
        "数据集 {name} 的格式版本为 {version}，本程序最高支持 {known}，请更新程序。",
    "There is no prepared dataset {name}.": "没有名为 {name} 的数据集。",
    "No files were given.": "没有提供文件。",
    "{name} is empty.": "{name} 是空的。",
    "{name} is protected by a password. Pack it again without one.": "{name} 有密码保护，请去掉密码后重新打包。",
    "{name} is not there any more.": "{name} 已不存在。",
    "{name} may not be read.": "没有读取 {name} 的权限。",
    "{name} is neither a folder nor a file.": "{name} 既不是文件夹也不是文件。",
    "{name} is neither a folder nor a zip or tar archive of pictures, nor are there several files.":
        "{name} 不是文件夹，也不是图片的 zip 或 tar 压缩包，且没有多个文件。",
    "{name} has {count} usable pictures; at least {least} are needed.":
        "{name} 只有 {count} 张可用图片，至少需要 {least} 张。",
    "{name} has {count} usable pictures; at least {least} are needed. {dropped} files were left out, "
    "for example {example}: {reason}":
        "{name} 只有 {count} 张可用图片，至少需要 {least} 张。跳过了 {dropped} 个文件，例如 {example}：{reason}",
    "Reading the pictures was stopped, likely for lack of memory. Use fewer workers.":
        "读取图片时中断，可能内存不足，请减少进程数。",
    "The disk is full; {name} was not prepared. Free some space.": "磁盘已满，{name} 未能准备，请清理空间。",
}  # fmt: skip

_TRAINING = {
    "{setting} cannot be {value!r}; use one of {choices}.": "{setting} 不能是 {value!r}，可选：{choices}。",
    "{setting} cannot be {value}; the least is {low}.": "{setting} 不能是 {value}，最小为 {low}。",
    "{setting} cannot be {value}; the most is {high}.": "{setting} 不能是 {value}，最大为 {high}。",
    "{name!r} cannot be a name: use 1 to 64 letters, digits, spaces, '-', '_' or '.'.":
        "{name!r} 不能作为名称：请用 1 到 64 个字母、数字、空格、“-”、“_”或“.”。",
    "{name!r} cannot be a name: the endings .new and .old are kept for saving.":
        "{name!r} 不能作为名称：.new 和 .old 结尾保留给保存过程使用。",
    "No CUDA GPU was found; choose the device cpu or auto.": "没有找到 CUDA GPU，请选择 cpu 或 auto。",
    "A batch of {batch} is larger than the {count} pictures of {name}; use a batch of {count} or less.":
        "每步 {batch} 张超过 {name} 的 {count} 张图片，请用 {count} 或更少。",
    "Training runs on the processor ({threads} threads), so the network is a small one.":
        "在处理器上训练（{threads} 线程），因此使用小型网络。",
    "Training runs on the GPU, so the network is a large one.": "在 GPU 上训练，因此使用大型网络。",
    "{count} pictures are few: augmentation will keep the network from memorising them.":
        "{count} 张图片较少：数据增强会防止网络死记硬背。",
    "Mirrored pictures are used too; switch that off if left and right matter.":
        "同时使用左右镜像的图片；如果左右有区别请关闭。",
    "The network learns {count} classes, from the sub-folders.": "网络按子文件夹学习 {count} 个类别。",
    "Transparency is learned too.": "同时学习透明通道。",
    "Run {name} has no saved state to go on from.": "任务 {name} 没有可继续的存档。",
    "The saved state of run {name} is damaged ({detail}).": "任务 {name} 的存档已损坏（{detail}）。",
    "The losses stopped being numbers.": "损失不再是有效数字。",
    "The pictures have collapsed: they all look the same.": "图片已坍缩：全都一样。",
    "The discriminator begins to memorise the pictures; augmentation was raised to {p:.0%}. "
    "More pictures would help.":
        "判别器开始记住图片，数据增强已提高到 {p:.0%}。更多图片会有帮助。",
    "The disk is full; free some space and resume the run. The last saved state is safe.":
        "磁盘已满，请清理空间后继续。最后的存档完好。",
    "The memory is full; choose a smaller batch or width, or close other programs.":
        "内存不足，请减小每步图片数或网络宽度，或关闭其他程序。",
}  # fmt: skip
for _problem in ("The losses stopped being numbers.", "The pictures have collapsed: they all look the same."):
    _TRAINING[_problem + " Training went back to {kimg:.1f} kimg and goes on with gentler settings."] = (
        _TRAINING[_problem] + "训练已退回到 {kimg:.1f} kimg，并以更温和的设置继续。"
    )
    _TRAINING[
        _problem + " It happened again after a second start with gentler settings. "
        "Try more pictures, or a higher gamma."
    ] = _TRAINING[_problem] + "用更温和的设置重新开始后再次发生。请尝试更多图片或更大的 gamma。"

_JOBS = {
    "Training was paused.": "训练已暂停。",
    "Training went on.": "训练已继续。",
    "Training was stopped.": "训练已停止。",
    "{name} is already being trained by process {pid}. Stop it there first.":
        "{name} 正由进程 {pid} 训练，请先在那里停止。",
    "{name} is being started elsewhere at this moment.": "{name} 正在别处启动。",
    "{name} is already being trained.": "{name} 已在训练中。",
    "{name} is not in training.": "{name} 不在训练中。",
    "{name} is still being trained. Stop it first.": "{name} 仍在训练，请先停止。",
    "There is no training run named {name}.": "没有名为 {name} 的训练任务。",
    "{name} has no settings (config.json is missing). Delete it and train anew.":
        "{name} 没有设置（缺少 config.json），请删除后重新训练。",
    "The settings of {name} (config.json) are damaged. Delete it and train anew.":
        "{name} 的设置（config.json）已损坏，请删除后重新训练。",
}  # fmt: skip

_LIBRARY = {
    "There is no model named {name} in this workspace.": "没有名为 {name} 的模型。",
    "The model {name} comes with the program and cannot be changed.": "模型 {name} 为内置，不能更改。",
    "{name} belongs to its training run; change the run instead.": "{name} 属于训练任务，请在任务中更改。",
    "There is already a model named {name}.": "已有名为 {name} 的模型。",
    "{file} was not imported: a model's zip needs {needed} in one folder.":
        "{file} 未导入：模型压缩包需在同一文件夹中包含 {needed}。",
    "{file} is not a readable zip file.": "{file} 不是可读的 zip 文件。",
    "{file} was not imported: it has {member}. A model's zip holds only {allowed}.":
        "{file} 未导入：其中有 {member}。模型压缩包只能包含 {allowed}。",
    "{file} was not imported: it has {member} twice.": "{file} 未导入：{member} 出现两次。",
    "{file} was not imported: it is locked with a password.": "{file} 未导入：有密码保护。",
    "{file} was not imported: {member} is too large.": "{file} 未导入：{member} 过大。",
    "{file} was not imported: its preview.png is not a sound picture.": "{file} 未导入：preview.png 不是完好的图片。",
    "{file} could not be imported: {reason}.": "{file} 无法导入：{reason}。",
    "Model {name} has format version {version}; this program knows up to {known}. Update the program.":
        "模型 {name} 的格式版本为 {version}，本程序最高支持 {known}，请更新程序。",
    "The weights of model {name} do not fit its description: {problem} ({count} such tensors).":
        "模型 {name} 的权重与描述不符：{problem}（共 {count} 个张量）。",
    "{name} is not a model folder: it has no model.json.": "{name} 不是模型文件夹：缺少 model.json。",
    "The description of model {name} (model.json) is damaged.": "模型 {name} 的描述（model.json）已损坏。",
    "Model {name} has no weights: model.safetensors is missing.": "模型 {name} 没有权重：缺少 model.safetensors。",
    "The weights of model {name} (model.safetensors) are damaged.": "模型 {name} 的权重（model.safetensors）已损坏。",
}  # fmt: skip

ERRORS: dict[str, str] = _REPORT | _DATA | _TRAINING | _JOBS | _LIBRARY
