"""The texts of taking models and pictures out: exports and API calls, English and Chinese."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "me_onnx": ("Export ONNX", "导出 ONNX"),
    "me_onnx_help": ("The network for other programs, checked against this one",
                     "供其他程序使用的网络，导出时与原模型核对"),
    "me_web": ("Export web page", "导出网页"),
    "me_web_help": ("A folder for any web host: visitors explore the model in their own browser, without a server",
                    "可放到任意网站空间的文件夹：访客在自己的浏览器里探索模型，无需服务器"),
    "me_file": ("The export", "导出的文件"),
}  # fmt: skip

SENTENCES: dict[str, str] = {
    "The ONNX file of model {name} differs from the model by {difference}; at most {limit} is accepted. "
    "It was not written.":
        "模型 {name} 的 ONNX 文件与模型相差 {difference}，超过允许的 {limit}，因此没有写入。",
    "The name of an ONNX file ends in .onnx; {name} does not.": "ONNX 文件名须以 .onnx 结尾；{name} 不是。",
    "{folder} lacks {file} of ONNX Runtime Web; give the dist folder of the npm package {package}.":
        "{folder} 中缺少 ONNX Runtime Web 的 {file}；请指定 npm 包 {package} 的 dist 文件夹。",
    "{file} is not the package {package} that was published; its hash differs.":
        "{file} 不是已发布的 {package}：哈希值不同。",
    "The page needs the npm package {package}, which could not be fetched: install npm and connect, "
    "or fetch the package elsewhere and give its folder (--ort, or IMAGEN_DEMO_ORT).":
        "网页需要 npm 包 {package}，但无法获取：请安装 npm 并联网，"
        "或在别处下载后用 --ort（或 IMAGEN_DEMO_ORT）指定其文件夹。",
    "{folder} is not empty, and no page exported before; name another folder.":
        "{folder} 不为空，也不是之前导出的网页；请另选文件夹。",
    "{folder} is a file; name a folder for the page.": "{folder} 是文件；请为网页指定文件夹。",
    "A model can be exported as one of {choices}.": "模型可导出为：{choices}。",
    "{address} is not the address of a web page.": "{address} 不是网页地址。",
    "Say what to export: either --onnx FILE or --web FOLDER.": "请说明导出什么：--onnx 文件 或 --web 文件夹，二选一。",
}  # fmt: skip

PROGRESS: dict[str, str] = {
    r"(\d+) of (\d+) networks exported": r"已导出 \1 / \2 个网络",
    r"Exporting the networks": "正在导出网络",
    r"Fetching ONNX Runtime Web": "正在获取 ONNX Runtime Web",
    r"Compressing ONNX Runtime Web": "正在压缩 ONNX Runtime Web",
}
